//! Whether the data directories of a service hold the data of its image.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::Fix;
use crate::images::{By, Container, Life, Seen, Why};
use crate::model::Workload;
use crate::route;

/// Reports data of the image that no data directory of the service holds. A service without data
/// directories keeps nothing, and says so.
pub(super) fn data(checker: &mut Checker<'_>, service: &str, w: &Workload) {
    let program = &w.program;
    let paths = w.data.iter().map(|d| &d.mount).chain(w.files.iter().map(|f| &f.path));
    let container = Container {
        image: &program.image,
        command: program.command.iter().chain(&program.args).map(|t| t.text.as_str()).collect(),
        env: program.env.iter().map(|(name, t)| (name.as_str(), Some(t.text.as_str()))).collect(),
        ports: w.ports.iter().map(|(_, port)| *port).collect(),
        targets: paths.chain(w.tmpfs.iter().map(|(path, _)| path)).map(String::as_str).collect(),
        names: vec![service],
    };
    let Some(software) = checker.images.find(&container).filter(|s| s.by == By::Image) else { return };
    let data = w.data.iter().map(|d| Seen { target: &d.mount, life: Life::Durable, data: true });
    let tmpfs = w.tmpfs.iter().map(|(path, _)| Seen { target: path, life: Life::Container, data: true });
    let seen: Vec<Seen<'_>> = data.chain(tmpfs.clone()).collect();
    // Every member of every target has a hostname of its own.
    let Some(loss) = software.lost(&seen, true).filter(|loss| !loss.unsure) else { return };
    let Some(first) = w.data.first() else { return };
    let hidden = match &loss.why {
        Why::Over { mount, .. } => w.data.iter().find(|d| d.mount == *mount),
        _ => None,
    };
    let place = hidden.unwrap_or(first).route.at("mount");
    let without = software.lost(&tmpfs.collect::<Vec<_>>(), true);
    let useless = without.is_some_and(|all| all.targets == loss.targets) && w.data.len() == 1;
    let fix = loss.fix(|targets| match (&loss.why, targets) {
        (Why::Over { volume, .. }, _) => format!("mount: {volume}"),
        (_, [target]) if useless => format!("mount: {target}"),
        (_, targets) => {
            let entry =
                |t: &String| format!("{}: {{ mount: {t}, … }}", t.rsplit('/').next().unwrap_or_default());
            targets.iter().map(entry).collect::<Vec<_>>().join("\n")
        }
    });
    let message = loss.says(service);
    let image = checker.source.place(&route!["image"]);
    let d = checker.fault(Code::DataElsewhere, &place, message);
    d.related.push((image, "the image".into()));
    d.fixes.push(Fix { text: "write".into(), line: fix });
}
