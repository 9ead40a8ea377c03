//! Checks values: their expressions, and the names in them.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Body, Service};
use crate::text::nearest::nearest;

/// Checks that the names in values exist. Names of other services are checked later, when all
/// services are known.
pub(super) fn values(checker: &mut Checker<'_>, service: &mut Service) {
    let Service { body: Body::Workload(w), name: service, .. } = service else { return };
    for (route, uses) in std::mem::take(&mut checker.uses) {
        let place = checker.source.place(&route);
        let mut unknown = |code, what: &str, name: &str, known: &[&str], line: String| {
            checker.out.push(unknown_name(code, place, what, name, nearest(name, known), line));
        };
        let secrets: Vec<&str> = w.secrets.iter().map(|s| s.name.as_str()).collect();
        for name in uses.secrets.iter().filter(|s| !secrets.contains(&s.as_str())) {
            let line = format!("secrets: {{ {name}: {{ ref: {service}/{name} }} }}");
            unknown(Code::SecretUnknown, "secret", name, &secrets, line);
        }
        let ports: Vec<&str> = w.ports.iter().map(|port| port.name.as_str()).collect();
        for name in uses.ports.iter().filter(|p| !ports.contains(&p.as_str())) {
            let line = format!("exclusive: {{ ports: {{ {name}: 8080 }} }}");
            unknown(Code::PortUnknown, "port", name, &ports, line);
        }
        let fields = ["id", "name", "address", "node", "ports"];
        for name in uses.member.iter().filter(|m| !fields.contains(&m.as_str())) {
            unknown(Code::MemberField, "member field", name, &fields, fields.join(", "));
        }
        w.lists_members |= uses.members;
        w.peers.extend(uses.peers.into_iter().map(|name| (name, route.clone())));
    }
}

/// Makes the error for an unknown name, with the most similar name that exists.
pub(super) fn unknown_name(
    code: Code,
    place: Place,
    what: &str,
    name: &str,
    near: Option<&str>,
    line: String,
) -> Diagnostic {
    let d = Diagnostic::error(code, place, format!("there is no {what} `{name}`"));
    match near {
        Some(near) => d.fix("did you mean", near),
        None => d.fix("name one", line),
    }
}
