//! Notes and warnings about a container of a spec: it compiles, and most operators want more.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Fix};
use crate::images::name::{self, Floats};
use crate::model::{File, Program, Template};
use crate::route;
use crate::spec::source::Route;
use crate::text::quote;

/// Reports the missing settings of the container at `root`, of the service or of a helper.
pub(super) fn container(
    checker: &mut Checker<'_>,
    root: &Route,
    image: &str,
    has_resources: bool,
    has_user: bool,
) {
    let mut note = |code: Code, message: String, text: &str, line: &str| {
        let place = checker.source.key(&root.at("image"));
        let fix = Fix { text: text.into(), line: line.into() };
        checker.push(Diagnostic::note(code.as_str(), place, message)).fixes.push(fix);
    };
    let name = name::path(image);
    if let Some(floats) = name::floats(image) {
        let told = match floats {
            Floats::Tag(tag) => format!("the tag `{tag}` of {name} moves"),
            Floats::Untagged => format!("the image {name} has no tag of a version"),
        };
        let message = format!("{told}, so members may run different versions");
        note(Code::ImageFloats, message, "name a version, as", "image: docker.io/library/postgres:16.4");
    }
    if !has_resources {
        let message =
            format!("{name} has no `resources`: it may take all memory of its node, and is killed first");
        note(Code::NoResources, message, "say what it needs, as", "resources: { cpu: \"2\", memory: 4Gi }");
    }
    if !has_user {
        let message =
            format!("{name} has no `user`: it runs as its image says, often as root, with all capabilities");
        note(Code::NoUser, message, "name the user and group by number, as", "user: \"1000:1000\"");
    }
}

/// Warns of files that have expressions of the language of values: the member gets them as they are written.
pub(super) fn files(checker: &mut Checker<'_>, files: &[File]) {
    const MARKS: [&str; 6] =
        ["{{ member", "{{ m.", "{{ peers(", "{{ secret(", "{% for m in members", "{% for m in peers("];
    for file in files.iter().filter(|file| !file.template) {
        let Some(mark) = MARKS.into_iter().find(|mark| file.content.text.contains(mark)) else { continue };
        let place = checker.source.key(&route!["files", file.path]);
        let message = format!("the file has `{mark}`, but is not rendered");
        let d = Diagnostic::warning(Code::FileNotRendered, place, message)
            .why("the member gets the text as it is written")
            .fix("to render it, add to the file", "template: true");
        checker.push(d);
    }
}

/// Warns of a loop that makes one argument of several words. A shell splits its script itself.
pub(super) fn arguments(checker: &mut Checker<'_>, program: &Program) {
    let words = || program.command.iter().chain(&program.args);
    if words().any(|word| word.text == "-c") {
        return;
    }
    let loops = |word: &&Template| !word.each && word.text.contains("{% for") && blank_outside(&word.text);
    for word in words().filter(loops) {
        let place = checker.source.place(&word.route);
        let line = turns(&word.text).unwrap_or_else(|| item("members", "--join={{ it.address }}"));
        let d = Diagnostic::warning(Code::ArgumentLoops, place, "the loop makes one argument with blanks")
            .why("the program gets one word, not one for each member")
            .fix("for one argument for each, write as item of the list", line)
            .advice("or join with what the program splits at");
        checker.push(d);
    }
}

fn item(list: &str, arg: &str) -> String {
    format!("{{ each: {}, arg: {} }}", quote::yaml(list), quote::yaml(arg))
}

/// Returns the item that replaces `{% for NAME in LIST %}WORD {% endfor %}`, if `text` is no more than this.
fn turns(text: &str) -> Option<String> {
    let (head, body) = text.trim().strip_prefix("{% for ")?.split_once(" %}")?;
    let (name, list) = head.split_once(" in ")?;
    let word = body.strip_suffix("{% endfor %}")?.trim();
    if list != "members" && !(list.starts_with("peers('") && list.ends_with("')"))
        || word.contains("{%")
        || blank_outside(word)
    {
        return None;
    }
    Some(item(list, &word.replace(&format!("{{{{ {name}."), "{{ it.")))
}

/// Returns whether `text` has a blank outside of its expressions.
fn blank_outside(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['{', ' ']) {
        let tail = &rest[at..];
        let end = ["{{", "{%"].into_iter().zip(["}}", "%}"]).find(|(open, _)| tail.starts_with(open));
        rest = match end.and_then(|(_, close)| tail.split_once(close)) {
            Some((_, after)) => after,
            None if tail.starts_with(' ') => return true,
            None => &tail[1..],
        };
    }
    false
}
