//! Checks the items of `command` and `args`.

use super::checker::{Checker, fix, value_fault};
use crate::code::Code;
use crate::model::Template;
use crate::spec::source::Route;
use crate::spec::{EachSpec, Word};
use crate::value;

/// Checks the items at `route`. In a command, the first one must be a text: it is the program.
pub(super) fn words(
    checker: &mut Checker<'_>,
    route: &Route,
    items: Option<Vec<Word>>,
    command: bool,
) -> Vec<Template> {
    checker.not_empty(route);
    let mut all = Vec::new();
    for (i, item) in items.unwrap_or_default().into_iter().enumerate() {
        let at = route.at(i);
        match item {
            Word::Text(text) => all.push(checker.template(at, text)),
            Word::Each(_) if command && i == 0 => {
                let message = "the first item of `command` is the program, not a list";
                let line = "command: [db-server, { each: members, arg: \"--join={{ it.address }}\" }]";
                checker.fault(Code::BadValue, &at, message).fixes.push(fix("write the program first", line));
            }
            Word::Each(spec) => all.extend(each(checker, &at, spec)),
        }
    }
    all
}

/// Checks an item that makes one word for each member of a list.
fn each(checker: &mut Checker<'_>, at: &Route, spec: EachSpec) -> Option<Template> {
    let EachSpec { each, arg } = spec;
    if each.is_none() {
        checker.missing(at, "each", "each: members");
    }
    if arg.is_none() {
        checker.missing(at, "arg", "arg: \"--join={{ it.address }}\"");
    }
    let (list, arg) = (each?, arg?);
    match value::each(&list, &arg) {
        Some(Ok(text)) => Some(Template { each: true, ..checker.template(at.clone(), text) }),
        Some(Err(fault)) => {
            let place = checker.source.place(&at.at("arg"));
            checker.out.push(value_fault(fault, place));
            None
        }
        None => {
            let message = format!("`{list}` is no list of members");
            checker.fault(Code::BadValue, &at.at("each"), message).fixes.extend([
                fix("for all members", "each: members"),
                fix("or for all but the member itself", "each: peers"),
                fix("or for the members of another service", "each: peers('zookeeper')"),
            ]);
            None
        }
    }
}
