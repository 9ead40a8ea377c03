//! Notes about a container of a spec: it compiles, and most operators want more.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Fix};
use crate::images::name;
use crate::spec::source::Route;

/// Tags that name another image every few days.
const FLOATING: [&str; 10] =
    ["latest", "stable", "edge", "main", "master", "nightly", "dev", "develop", "rolling", "head"];

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
    if !image.contains('@') {
        let told = match name::tag(image) {
            Some(tag) => FLOATING.contains(&tag).then(|| format!("the tag `{tag}` of {name} moves")),
            None => Some(format!("the image {name} has no tag of a version")),
        };
        if let Some(told) = told {
            let message = format!("{told}, so members may run different versions");
            note(Code::ImageFloats, message, "name a version, as", "image: docker.io/library/postgres:16.4");
        }
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
