//! Renders the values of a service for one target.

use std::sync::Arc;

use super::{Context, Target};
use crate::code::Code;
use crate::diag::Place;
use crate::model::check::value_fault;
use crate::model::{Body, File, Members, Service, Template, Workload};
use crate::value::{self, Fault, Peer, Peers, Scope, Text, Who};

/// How a target names the members of counted services.
pub trait Naming {
    /// The target.
    fn target(&self) -> Target;

    /// Returns the address of member `id` of `of`, as `from` reaches it.
    ///
    /// # Errors
    /// The reason why there is no address, with the line to write.
    fn address(&self, from: &Service, of: &Service, id: u32) -> Result<String, Fault>;

    /// Returns why `from` cannot reach `of`, or `None` if it can.
    fn unreachable(&self, _from: &Service, _of: &Service) -> Option<Fault> {
        None
    }
}

/// The member that a value is rendered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// One member. Everything but its node is known.
    Member(u32),
    /// Any member. Everything about it is known only at run time.
    Any,
}

/// Renders the values of one service.
pub struct Values<'a, N> {
    naming: &'a N,
    service: &'a Service,
}

impl<'a, N: Naming> Values<'a, N> {
    /// Makes a renderer for `service` with the addresses of `naming`.
    pub fn new(naming: &'a N, service: &'a Service) -> Self {
        Self { naming, service }
    }

    /// Returns the members of `of` as this service reaches them.
    fn peers(&self, of: &Service) -> Result<Peers, Fault> {
        let ports = numbers(of);
        let members = match &of.body {
            Body::External(external) => {
                let single = external.address.iter().filter(|_| external.at.is_empty());
                let single = single.map(|a| Peer { id: None, name: of.name.clone(), address: Ok(a.clone()) });
                let several = external.at.iter().map(|(id, a)| Peer {
                    id: Some(*id),
                    name: format!("{}-{id}", of.name),
                    address: Ok(a.clone()),
                });
                single.chain(several).collect()
            }
            Body::Workload(w) => match &w.members {
                Members::PerNode { known, .. } if known.is_empty() => {
                    return Err(Fault::new(
                        Code::AddressUnknown,
                        format!("the members of {} are unknown: there is one on each labelled node", of.name),
                    )
                    .fix(
                        format!("list them in {}", of.file),
                        "known: { node-a: 10.0.0.21, node-b: 10.0.0.22 }",
                    ));
                }
                Members::PerNode { .. } if !w.node_network => {
                    return Err(Fault::new(
                        Code::AddressUnknown,
                        format!("the members of {} have no stable address", of.name),
                    )
                    .fix(
                        format!("use the address of the node, in {}", of.file),
                        "exclusive: { address: node }",
                    ));
                }
                Members::PerNode { known, .. } => known
                    .iter()
                    .map(|(node, a)| Peer { id: None, name: node.clone(), address: Ok(a.clone()) })
                    .collect(),
                Members::Counted { .. } => w.ids().map(|id| self.peer(of, id)).collect(),
            },
        };
        Ok(Peers { members: Arc::new(members), ports })
    }

    fn peer(&self, of: &Service, id: u32) -> Peer {
        Peer {
            id: Some(id),
            name: format!("{}-{id}", of.name),
            address: self.naming.address(self.service, of, id),
        }
    }

    /// Renders `text` for `whom`.
    ///
    /// # Errors
    /// The error in the value. Each value reports it once.
    pub fn render(&self, context: &Context<'_>, template: &Template, whom: For) -> Result<Text, Fault> {
        self.render_by(value::render, context, template, whom)
    }

    fn render_by(
        &self,
        render: fn(&str, &value::Uses, &Scope<'_>) -> Result<Text, Fault>,
        context: &Context<'_>,
        template: &Template,
        whom: For,
    ) -> Result<Text, Fault> {
        let text = &template.text;
        if value::is_plain(text) {
            return Ok(Text::literal(text));
        }
        let target = self.naming.target();
        let by_name = |name: &str| match context.model.find(name) {
            Some(of) if matches!(of.body, Body::External(_)) => self.peers(of),
            Some(of) if !of.has(target) => Err(Fault::new(
                Code::PeerNotOnTarget,
                format!("{name} is not compiled for {target}, so it has no address there"),
            )
            .fix(format!("add {} to `targets` of {}", target.name(), of.file), "")),
            Some(of) => match self.naming.unreachable(self.service, of) {
                Some(fault) => Err(fault),
                None => self.peers(of),
            },
            None => Err(Fault::new(Code::PeerUnknown, format!("there is no service `{name}`"))),
        };
        let uses = template.uses.as_ref().map_err(Clone::clone)?;
        let ports = numbers(self.service);
        let nobody = Peers { members: Arc::default(), ports };
        // Members are listed only for values that use them; otherwise the work is quadratic.
        let (own, unlisted) = match uses.members.then(|| self.peers(self.service)) {
            None => (nobody, None),
            Some(Ok(own)) => (own, None),
            Some(Err(fault)) => (nobody, Some(fault)),
        };
        let per_node = self.service.workload().is_some_and(|w| w.per_node());
        let who = match whom {
            For::Member(id) => Who::Known(self.peer(self.service, id)),
            For::Any if per_node => Who::NodeToken,
            For::Any => Who::Token,
        };
        let secret = |name: &str| {
            let all = &self.service.workload()?.secrets;
            all.iter().find(|s| s.name == name).map(|s| s.path.clone())
        };
        let service = &self.service.name;
        let scope = Scope { service, own, unlisted, who, peers: &by_name, secret: &secret };
        render(text, uses, &scope).map_err(|fault| match (&scope.who, fault.code) {
            (Who::Token, Code::RuntimeArithmetic) => one_list(fault, target),
            _ => fault,
        })
    }

    /// Returns the text of `file` for `whom`, rendered if the spec says so. Reports an error at its
    /// place and returns `None`.
    pub fn file(&self, context: &mut Context<'_>, file: &File, whom: For) -> Option<Text> {
        let File { content, template, path: _, mode: _, route: _ } = file;
        if !template {
            return Some(Text::literal(content.text.clone()));
        }
        let rendered = self.render_by(value::render_file, context, content, whom);
        rendered.map_err(|fault| self.report(context, fault, content)).ok()
    }

    /// Renders a template. An error is reported at its place, and the result is empty.
    pub fn text(&self, context: &mut Context<'_>, template: &Template, whom: For) -> Text {
        match self.render(context, template, whom) {
            Ok(text) => text,
            Err(fault) => {
                self.report(context, fault, template);
                Text::default()
            }
        }
    }

    /// Renders a template for `holder`, a field that expands nothing at run time.
    pub fn literal(&self, context: &mut Context<'_>, template: &Template, whom: For, holder: &str) -> String {
        let text = self.text(context, template, whom);
        self.written(context, template, &text, holder)
    }

    /// Returns the rendered `text` of `template` for `holder`, a field that expands nothing at run time.
    pub fn written(
        &self,
        context: &mut Context<'_>,
        template: &Template,
        text: &Text,
        holder: &str,
    ) -> String {
        match text.as_literal() {
            Some(literal) => literal.to_owned(),
            None => {
                let target = self.naming.target();
                let fault = Fault::new(
                    Code::RuntimeNotHere,
                    format!(
                        "{target} expands nothing in {holder}, but this value is known only when the container runs"
                    ),
                )
                .fix(
                    "pass it as a variable, and let a shell insert it",
                    "env: { MEMBER: \"{{ member.node }}\" }",
                );
                self.report(context, fault, template);
                String::new()
            }
        }
    }

    /// Renders an item of a command: one word, or one for each turn of its loop.
    pub fn words(&self, context: &mut Context<'_>, template: &Template, whom: For) -> Vec<Text> {
        let text = self.text(context, template, whom);
        if template.each { text.words() } else { vec![text] }
    }

    /// Renders a list of templates for `holder`, a field that expands nothing at run time.
    pub fn literals(
        &self,
        context: &mut Context<'_>,
        all: &[Template],
        whom: For,
        holder: &str,
    ) -> Vec<String> {
        all.iter().map(|t| self.literal(context, t, whom, holder)).collect()
    }

    fn report(&self, context: &mut Context<'_>, fault: Fault, template: &Template) {
        // The check of the spec has already reported this error; each target does not repeat it.
        let per_node = self.service.workload().is_some_and(Workload::per_node);
        let of_list = template.each && per_node && fault.code == Code::RuntimeArithmetic;
        if of_list || fault.code == Code::PeerUnknown || template.uses.is_err() {
            return;
        }
        let place: Place = self.service.place(&template.route);
        context.fault(value_fault(fault, place));
    }
}

/// Names the target in the error of a value that computes with a member that is known only at run time.
fn one_list(fault: Fault, target: Target) -> Fault {
    let message = format!(
        "on {target} all members have one template, so `member` is known only when the container runs: \
         a value can insert it, but not compute with it"
    );
    Fault { message, ..fault }
}

/// Checks the commands that an operator runs by hand. The certificate prints them unchanged.
pub fn people<N: Naming>(context: &mut Context<'_>, naming: &N, service: &Service, w: &Workload) {
    let values = Values::new(naming, service);
    let whom: Vec<For> = if w.per_node() { vec![For::Any] } else { w.ids().map(For::Member).collect() };
    if let Some(gate) = &w.update.healthy {
        for whom in &whom {
            values.literal(context, gate, *whom, "`update.healthy`");
        }
    }
    if let (Some(once), Some(first)) = (&w.bootstrap.once, whom.first()) {
        values.literal(context, once, *first, "`bootstrap.once`");
    }
}

/// Makes the error for a member without an address on `target`.
pub fn no_address(of: &Service, id: u32, target: Target, line: &str) -> Fault {
    Fault::new(Code::AddressUnknown, format!("the address of {}-{id} on {target} is unknown", of.name))
        .fix(format!("add to {}", of.file), line)
}

/// Returns the numbers of the ports of `service`, by name.
fn numbers(service: &Service) -> Arc<Vec<(String, u16)>> {
    Arc::new(service.ports().iter().map(|port| (port.name.clone(), port.socket.number)).collect())
}
