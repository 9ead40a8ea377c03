//! Checks values: their expressions, and the names in them.

use super::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Body, Service, Template};
use crate::spec::node::Kind;
use crate::spec::source::Route;
use crate::text::nearest::nearest;
use crate::value;

impl Checker<'_> {
    /// Checks the syntax of an expression. Its names are checked once the whole spec is known.
    pub(super) fn template(&mut self, route: Route, text: String) -> Template {
        match value::uses(&text) {
            Ok(_) if value::is_plain(&text) => {}
            Ok(uses) => self.uses.push((route.clone(), uses)),
            Err(fault) => {
                let place = self.source.place(&route);
                self.out.push(value_fault(fault, place));
            }
        }
        Template { text, route }
    }

    /// Checks the words of a command. An empty list is an error: it could mean "no command" or "the
    /// command of the image".
    pub(super) fn templates(&mut self, route: &Route, texts: Option<Vec<String>>) -> Vec<Template> {
        if matches!(self.source.node(route).map(|n| &n.kind), Some(Kind::Seq(items)) if items.is_empty()) {
            let field = route.steps().last().cloned().unwrap_or_default();
            self.fault_key(Code::BadValue, route, format!("`{field}` is an empty list: leave it out"));
        }
        texts
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(i, t)| self.template(route.at(i), t))
            .collect()
    }

    /// Checks that the names in values exist. Names of other services are checked later, when all
    /// services are known.
    pub(super) fn values(&mut self, service: &mut Service) {
        let Service { body: Body::Workload(w), name: service, .. } = service else { return };
        for (route, uses) in std::mem::take(&mut self.uses) {
            let place = self.source.place(&route);
            let mut unknown = |code, what: &str, name: &str, known: &[&str], line: String| {
                self.out.push(unknown_name(code, place, what, name, nearest(name, known), line));
            };
            let secrets: Vec<&str> = w.secrets.iter().map(|s| s.name.as_str()).collect();
            for name in uses.secrets.iter().filter(|s| !secrets.contains(&s.as_str())) {
                let line = format!("secrets: {{ {name}: {{ ref: {service}/{name} }} }}");
                unknown(Code::SecretUnknown, "secret", name, &secrets, line);
            }
            let ports: Vec<&str> = w.ports.iter().map(|(name, _)| name.as_str()).collect();
            for name in uses.ports.iter().filter(|p| !ports.contains(&p.as_str())) {
                let line = format!("exclusive: {{ ports: {{ {name}: 8080 }} }}");
                unknown(Code::PortUnknown, "port", name, &ports, line);
            }
            let fields = ["id", "name", "address", "node", "ports"];
            for name in uses.member.iter().filter(|m| !fields.contains(&m.as_str())) {
                unknown(Code::MemberField, "field of a member", name, &fields, fields.join(", "));
            }
            w.lists_members |= uses.members;
            w.peers.extend(uses.peers.into_iter().map(|name| (name, route.clone())));
        }
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
    let d = Diagnostic::error(code, place, format!("no {what} `{name}`"));
    match near {
        Some(near) => d.fix("did you mean", near),
        None => d.fix("name one", line),
    }
}

/// Turns the error of a value into a diagnostic.
pub fn value_fault(fault: value::Fault, place: crate::diag::Place) -> Diagnostic {
    let d = Diagnostic::error(fault.code, place, fault.message);
    match fault.fix {
        Some((text, line)) => d.fix(text, line),
        None => d,
    }
}
