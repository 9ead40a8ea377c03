//! Looks the container of a unit up in the table of images.

use super::docker::Run;
use super::word::Word;
use super::written::{long, short};
use crate::images::{Container, Images, Looked};
use crate::world::Workload;

/// Looks the container up in the table of images.
pub fn looked_up(workload: &Workload, run: &Run, images: &Images) -> Looked {
    let variable = |word: &'_ Word| match word.text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.text.clone(), None),
    };
    let env: Vec<_> = run.all("env").map(variable).collect();
    let port = |word: &Word| word.text.split('/').next()?.rsplit(':').next()?.parse().ok();
    let target = |(option, word): &'_ (String, Word)| match option.as_str() {
        "volume" => Some(short(&word.text, None).target.to_owned()),
        "mount" => Some(long(&word.text).target.to_owned()),
        _ => None,
    };
    let targets: Vec<String> = run.options.iter().filter_map(target).collect();
    // A secret of podman can be a variable, and another container can bring the data.
    let elsewhere =
        ["env-file", "env-host", "secret", "volumes-from"].iter().any(|option| run.last(option).is_some());
    let named = |word: &Word| word.known || word.text.contains('=');
    let whole = !elsewhere && run.last("entrypoint").is_none() && run.unknown.is_empty();
    let container = Container {
        whole: whole && run.all("env").all(named) && run.args.iter().all(|word| word.known),
        image: &run.image.text,
        command: words_of(run).collect(),
        env: env.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect(),
        more_env: run.last("env-file").is_some(),
        ports: run.all("publish").chain(run.all("expose")).filter_map(port).collect(),
        targets: targets.iter().map(String::as_str).collect(),
        names: run.last("name").into_iter().map(|w| &*w.text).chain([&*workload.family]).collect(),
    };
    images.look(&container)
}

/// Returns the words of the command of the container.
pub fn words_of(run: &Run) -> impl Iterator<Item = &str> {
    run.last("entrypoint").into_iter().chain(&run.args).map(|word| word.text.as_str())
}
