//! Checks who gets the variables of the first start.

use super::checker::{Checker, fix};
use crate::code::Code;
use crate::images::Tool;
use crate::model::Workload;
use crate::route;
use crate::spec::Founders;
use crate::target::Target;

/// Checks that each target can give `bootstrap.env` to the members that the spec names.
pub(super) fn founders(checker: &mut Checker<'_>, w: &Workload) {
    let env = route!["bootstrap", "env"];
    if w.per_node() && w.bootstrap.founders == Founders::First && !w.bootstrap.env.is_empty() {
        let message = "no `per: node` member is the first one, and `bootstrap.env` is for the first one";
        checker
            .fault_key(Code::BootstrapShape, &env, message)
            .fixes
            .push(fix("if the members found the cluster together, add to `bootstrap`", "for: all"));
    }
    if w.one_founder() && checker.source.has(&route!["targets", Target::Kubernetes.name()]) {
        by_script(checker, w);
    }
}

/// Checks that a script can start the program, because all pods of a StatefulSet have one template.
fn by_script(checker: &mut Checker<'_>, w: &Workload) {
    let env = route!["bootstrap", "env"];
    let why = "all pods of a StatefulSet have one template, so a script of `/bin/sh` gives the variables to the first pod and then runs `command`";
    let image = &w.program.image;
    if checker.images.lacks(image, Tool::Sh) {
        let message = "on Kubernetes only a shell can give `bootstrap.env` to the first member, but the image does not have one";
        let d = checker.fault_key(Code::BootstrapShape, &env, message);
        d.why.push(why.into());
        d.fixes.push(fix("if the members found the cluster together, add to `bootstrap`", "for: all"));
        d.fixes
            .push(fix("or write the command that forms the cluster under `once`, for a person to run", ""));
        return;
    }
    if w.program.command.is_empty() {
        let message = "on Kubernetes `bootstrap.env` for the first of several members needs `command`";
        let d = checker.fault_key(Code::BootstrapShape, &env, message);
        d.why.push(why.into());
        d.fixes.push(fix(
            "write under `command` what the image starts: docker image inspect shows its Entrypoint and Cmd",
            "",
        ));
        d.fixes.push(fix("or, if the members found the cluster together, add to `bootstrap`", "for: all"));
    }
    let first = w.bootstrap.env.iter().map(|(name, _)| (name, env.at(name)));
    let own = w.program.env.iter().map(|(name, _)| (name, route!["env", name]));
    for (name, at) in first.chain(own).filter(|(name, _)| !exported(name)) {
        let message = format!("a shell does not hand on the variable `{name}`");
        let d = checker.fault_key(Code::BootstrapShape, &at, message);
        d.why.push(why.into());
        d.why.push("a shell may drop a variable whose name it cannot use, as dash does".into());
        d.fixes.push(fix("write it as an argument or into a file, if the program reads it there", ""));
    }
}

/// Returns whether every shell hands on the variable `name` (POSIX, Base Definitions 3.216, "Name").
fn exported(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
