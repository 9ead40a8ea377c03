//! The state of checking one spec, and what the checks of several blocks share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blake3::Hasher;
use indexmap::IndexMap;

use crate::code::Code;
use crate::diag::{Diagnostic, Fix, Place};
use crate::images::Images;
use crate::input::{Files, Texts};
use crate::model::{Port, Socket, Template, Users};
use crate::spec::PortSpec;
use crate::spec::node::Kind;
use crate::spec::source::{Route, Source};
use crate::text::nearest::nearest;
use crate::text::{duration, names, units};
use crate::value;

/// The state of checking one spec.
pub(super) struct Checker<'a> {
    pub(super) source: Arc<Source>,
    /// The texts that places refer to.
    pub(super) texts: Texts,
    pub(super) files: &'a dyn Files,
    /// The table of images.
    pub(super) images: &'a Images,
    /// The paths of the files that were read.
    pub(super) read: BTreeSet<String>,
    /// The digest of the text, its bases and the files that were read.
    pub(super) digest: Hasher,
    /// The keys that were removed from the tree because of an error. Their fields are not reported
    /// as missing.
    pub(super) removed: Vec<String>,
    /// The names that each value uses.
    pub(super) uses: Vec<(Route, value::Uses)>,
    pub(super) out: Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Reports an error at the value of `route`.
    pub(super) fn fault(&mut self, code: Code, route: &Route, message: impl Into<String>) -> &mut Diagnostic {
        let place = self.source.place(route);
        self.push(Diagnostic::error(code, place, message))
    }

    /// Reports an error at the last key of `route`.
    pub(super) fn fault_key(
        &mut self,
        code: Code,
        route: &Route,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let place = self.source.key(route);
        self.push(Diagnostic::error(code, place, message))
    }

    /// Returns the name of the service, for lines to write.
    pub(super) fn service(&self) -> String {
        let name = self.source.node(&crate::route!["service"]).and_then(|node| node.text());
        name.unwrap_or("db").to_owned()
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.out.push(diagnostic);
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    /// Returns whether the spec has `field`, but misspelt or with a value of the wrong type.
    pub(super) fn taken_out(&self, field: &str) -> bool {
        self.removed.iter().any(|r| r == field || nearest(r, &[field]).is_some())
    }

    /// Reports that `field` is missing or an empty map below `route`, unless the spec misspelt it.
    pub(super) fn missing(&mut self, route: &Route, field: &str, line: &str) {
        if let Some(there) = self.source.node(&route.at(field)) {
            if matches!(&there.kind, Kind::Map(entries) if entries.is_empty()) {
                self.fault_key(Code::BadValue, &route.at(field), format!("`{field}` is empty"))
                    .fixes
                    .push(fix("write", line));
            }
            return;
        }
        if self.taken_out(field) {
            return;
        }
        let holder = match route.steps() {
            [] => "the spec".to_owned(),
            steps => format!("`{}`", steps.join(".")),
        };
        let place = self.source.key(route);
        self.push(
            Diagnostic::error(Code::Missing, place, format!("{holder} has no `{field}`")).fix("write", line),
        );
    }

    /// Reports an error if `text` does not match `grammar`.
    pub(super) fn named(
        &mut self,
        code: Code,
        route: &Route,
        what: &str,
        text: &str,
        grammar: impl Fn(&str) -> Option<String>,
    ) {
        if let Some(wrong) = grammar(text) {
            self.fault(code, route, format!("{what} {wrong}"));
        }
    }

    /// Reports an error at the key if `text` does not match `grammar`.
    pub(super) fn named_key(
        &mut self,
        code: Code,
        route: &Route,
        what: &str,
        text: &str,
        grammar: impl Fn(&str) -> Option<String>,
    ) {
        if let Some(wrong) = grammar(text) {
            self.fault_key(code, route, format!("{what} {wrong}"));
        }
    }

    pub(super) fn duration(&mut self, route: &Route, text: &str) -> Option<u32> {
        let seconds = duration::spec(text);
        if seconds.is_none() {
            self.fault(Code::BadDuration, route, format!("`{text}` is not a duration"))
                .fixes
                .push(fix("write whole seconds, with a unit", "30s   2m   1m30s"));
        }
        seconds
    }

    pub(super) fn bytes(&mut self, route: &Route, text: &str) -> Option<u64> {
        let bytes = units::bytes(text);
        if bytes.is_none() {
            self.fault(Code::BadQuantity, route, format!("`{text}` is not a size"))
                .fixes
                .push(fix("write bytes, with a unit", "20Gi   512Mi"));
        }
        bytes
    }

    pub(super) fn env(
        &mut self,
        route: &Route,
        env: Option<IndexMap<String, String>>,
    ) -> Vec<(String, Template)> {
        env.unwrap_or_default()
            .into_iter()
            .map(|(name, text)| {
                let route = route.at(&name);
                self.named_key(Code::BadName, &route, &format!("the variable `{name}`"), &name, names::env);
                if name.starts_with("BERTH_") {
                    self.fault_key(
                        Code::BadName,
                        &route,
                        format!("`{name}`: names that start with BERTH_ are reserved for berthc"),
                    );
                }
                (name, self.template(route, text))
            })
            .collect()
    }

    pub(super) fn ports(&mut self, route: &Route, ports: Option<IndexMap<String, PortSpec>>) -> Vec<Port> {
        let mut seen: BTreeMap<Socket, Route> = BTreeMap::new();
        let mut all = Vec::new();
        for (name, PortSpec { port, protocol, users }) in ports.unwrap_or_default() {
            let at = route.at(&name);
            self.named_key(Code::BadName, &at, &format!("the port name `{name}`"), &name, names::port);
            let Some(number) = port else {
                self.missing(&at, "port", "port: 8600");
                continue;
            };
            let socket = Socket { number, protocol };
            if users != Users::Clients && route.steps().first().is_some_and(|block| block != "exclusive") {
                self.fault(Code::BadValue, &at.at("for"), "only a port under `exclusive` has `for`");
            }
            if number == 0 {
                self.fault(Code::BadPort, &at, "port 0 means any port, so nothing can be reserved");
            }
            if let Some(first) = seen.insert(socket, at.clone()) {
                let first = self.source.place(&first);
                self.fault(Code::PortTwice, &at, format!("one member uses port {socket} twice"))
                    .related
                    .push((first, "first here".into()));
            }
            all.push(Port { name, socket, users });
        }
        all
    }

    pub(super) fn labels(
        &mut self,
        route: &Route,
        labels: Option<IndexMap<String, String>>,
    ) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (key, value) in labels.unwrap_or_default() {
            let at = route.at(&key);
            self.named_key(Code::BadLabel, &at, &format!("the label `{key}`"), &key, names::label_key);
            self.named(
                Code::BadLabel,
                &at,
                &format!("the label value `{value}`"),
                &value,
                names::label_value,
            );
            if key.starts_with("app.kubernetes.io/") || key.starts_with("berth") {
                self.fault_key(Code::BadLabel, &at, format!("the label `{key}` is reserved for berthc"));
            }
            all.push((key, value));
        }
        all
    }

    /// Checks that an address is an IP address or a DNS name.
    pub(super) fn address(&mut self, route: &Route, address: &str) {
        if names::ip(address).is_none() && !names::dns(address) {
            self.fault(
                Code::BadAddress,
                route,
                format!("`{address}` is neither an IP address nor a DNS name"),
            );
        }
    }

    /// Checks the syntax of an expression. Its names are checked once the whole spec is known.
    pub(super) fn template(&mut self, route: Route, text: String) -> Template {
        let uses = value::uses(&text);
        self.used(route, text, uses)
    }

    /// Checks the text of a file with expressions.
    pub(super) fn file(&mut self, route: Route, text: String) -> Template {
        let uses = value::uses_of_file(&text);
        self.used(route, text, uses)
    }

    fn used(&mut self, route: Route, text: String, uses: Result<value::Uses, value::Fault>) -> Template {
        match &uses {
            Ok(_) if value::is_plain(&text) => {}
            Ok(uses) => self.uses.push((route.clone(), uses.clone())),
            Err(fault) => {
                let place = self.source.place(&route);
                self.out.push(value_fault(fault.clone(), place));
            }
        }
        Template { text, uses, route, each: false }
    }

    /// Checks the words of a command. An empty list is an error: it could mean "no command" or "the
    /// command of the image".
    pub(super) fn templates(&mut self, route: &Route, texts: Option<Vec<String>>) -> Vec<Template> {
        self.not_empty(route);
        let texts = texts.unwrap_or_default().into_iter().enumerate();
        texts.map(|(i, t)| self.template(route.at(i), t)).collect()
    }

    /// Reports an empty list.
    pub(super) fn not_empty(&mut self, route: &Route) {
        if matches!(self.source.node(route).map(|n| &n.kind), Some(Kind::Seq(items)) if items.is_empty()) {
            let field = route.steps().last().cloned().unwrap_or_default();
            self.fault_key(Code::BadValue, route, format!("`{field}` is an empty list: remove it"));
        }
    }
}

pub(super) fn fix(text: &str, line: &str) -> Fix {
    Fix { text: text.into(), line: line.into() }
}

/// Turns the error of a value into a diagnostic.
pub fn value_fault(fault: value::Fault, place: Place) -> Diagnostic {
    let d = Diagnostic::error(fault.code, place, fault.message);
    match fault.fix {
        Some((text, line)) => d.fix(text, line),
        None => d,
    }
}
