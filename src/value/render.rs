//! Renders values.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use minijinja::value::{Object, Value as Jinja, ValueKind};
use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::language::{is_plain, syntax, syntax_fault};
use super::{Fault, MAX_FILE, NEXT, Run, Text, Uses, secret_token, token, uses};
use crate::code::Code;

/// Maximum length of a rendered value, in bytes.
const MAX_RENDERED: usize = 1 << 20;
/// Maximum number of template steps for one value.
const FUEL: u64 = 200_000;

/// The names that every value may use.
static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| language(false));
/// The same names for files, in which a line with only a statement leaves no line.
static FILES: LazyLock<Environment<'static>> = LazyLock::new(|| language(true));

fn language(lines: bool) -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_syntax(syntax(lines));
    env.set_formatter(|out, state, value| match printed(value)? {
        Some(address) => out.write_str(&address).map_err(minijinja::Error::from),
        None if prints(value) => minijinja::escape_formatter(out, state, value),
        None => Err(raise(&no_text(value))),
    });
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.add_filter("join", join);
    env.add_filter("default", minijinja::filters::default);
    env.add_filter("first", minijinja::filters::first);
    env.add_filter("last", minijinja::filters::last);
    env.add_filter("length", minijinja::filters::length);
    env.add_filter("lower", minijinja::filters::lower);
    env.add_filter("upper", minijinja::filters::upper);
    env
}

/// One member, as values see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The id; `None` for a node or an external service with one address.
    pub id: Option<u32>,
    /// The name.
    pub name: String,
    /// The address on the current target.
    pub address: Result<String, Fault>,
}

/// The members of one service, with its ports.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The members, sorted by id.
    pub members: Arc<Vec<Peer>>,
    /// The ports by name.
    pub ports: Arc<Vec<(String, u16)>>,
}

/// The meaning of `member`.
#[derive(Debug, Clone)]
pub enum Who {
    /// One member. Everything but its node is known.
    Known(Peer),
    /// Any member of a counted service. Everything about it is known at run time.
    Token,
    /// The member of a node. It has no id and no name.
    NodeToken,
}

/// The names in scope when one value of one service is rendered for one target.
pub struct Scope<'a> {
    /// The name of the service.
    pub service: &'a str,
    /// The members and ports of the service.
    pub own: Peers,
    /// The reason why `members` is not available, if so.
    pub unlisted: Option<Fault>,
    /// The meaning of `member`.
    pub who: Who,
    /// Returns the members of another service.
    pub peers: &'a dyn Fn(&str) -> Result<Peers, Fault>,
    /// Returns the path of a secret; `None` for its usual place.
    pub secret: &'a dyn Fn(&str) -> Option<String>,
}

/// Renders `text`, which uses the names `uses`, in `scope`.
///
/// # Errors
/// The error of a name in the value; [`Code::RuntimeArithmetic`] if the value computes with a
/// run-time part; an exceeded limit.
pub fn render(text: &str, uses: &Uses, scope: &Scope<'_>) -> Result<Text, Fault> {
    render_in(&LANGUAGE, "value", text, uses, scope)
}

/// Renders the text of a file, in which a line with only a statement leaves no line.
///
/// # Errors
/// As [`render`]; [`Code::RuntimeNotHere`] if the text has a secret itself; [`Code::FileTooLarge`]
/// beyond [`MAX_FILE`] bytes.
pub fn render_file(text: &str, uses: &Uses, scope: &Scope<'_>) -> Result<Text, Fault> {
    let text = render_in(&FILES, "file", text, uses, scope)?;
    if let Some(secret) = text.secrets().next() {
        return Err(Fault::new(Code::RuntimeNotHere, "a file cannot hold a secret itself, only its path")
            .fix("write its path", format!("{{{{ secret('{secret}').path }}}}")));
    }
    if text.marked().len() > MAX_FILE {
        return Err(Fault::new(Code::FileTooLarge, "a rendered file may have at most 500 KiB"));
    }
    Ok(text)
}

/// Renders `text`, which is a `what`.
fn render_in(
    language: &Environment<'static>,
    what: &str,
    text: &str,
    uses: &Uses,
    scope: &Scope<'_>,
) -> Result<Text, Fault> {
    if is_plain(text) {
        return Ok(Text::literal(text));
    }
    let computes = match scope.who {
        Who::Known(_) => uses.computed.contains(Run::Node.field()),
        Who::Token | Who::NodeToken => !uses.computed.is_empty(),
    };
    if computes {
        return Err(arithmetic(text));
    }
    let mut peers = std::collections::BTreeMap::new();
    for name in &uses.peers {
        peers.insert(name.clone(), (scope.peers)(name).map(|p| list(&p)));
    }
    let peers = Jinja::from_function(move |name: &str| match peers.get(name) {
        Some(Ok(list)) => Ok(list.clone()),
        Some(Err(fault)) => Err(raise(fault)),
        None => Err(raise(&Fault::new(Code::PeerUnknown, format!("there is no service `{name}`")))),
    });
    let path = |name: &String| {
        let path = (scope.secret)(name).unwrap_or_else(|| format!("{SECRETS}/{name}"));
        (name.clone(), path)
    };
    let paths: std::collections::BTreeMap<String, String> = uses.secrets.iter().map(path).collect();
    let secret = Jinja::from_function(move |name: String| {
        let path = paths.get(&name).cloned().unwrap_or_default();
        Jinja::from_object(SecretObject { name, path })
    });
    let ports = ports(&scope.own.ports);
    let members = match &scope.unlisted {
        Some(fault) => failing(fault),
        None if uses.members => list(&scope.own),
        None => Jinja::UNDEFINED,
    };
    let member = Jinja::from_object(Member { who: scope.who.clone(), ports: ports.clone() });
    let context = minijinja::context! { service => scope.service, ports, members, member, peers, secret };
    let mut out = Bounded(Vec::new());
    language
        .template_from_str(text)
        .and_then(|t| t.render_captured_to(context, &mut out).map(drop))
        .map_err(|e| lower(&e, what))?;
    Ok(Text::from_marked(&String::from_utf8_lossy(&out.0)))
}

/// Renders a host path for member `id` of `service`. Returns `None` if it has an error, which is
/// reported elsewhere.
pub fn host_path(text: &str, service: &str, id: u32) -> Option<String> {
    let one = Peer { id: Some(id), name: format!("{service}-{id}"), address: Ok(String::new()) };
    let own = Peers { members: Arc::default(), ports: Arc::default() };
    let nobody = |_: &str| Err(Fault::new(Code::PeerUnknown, ""));
    let scope =
        Scope { service, own, unlisted: None, who: Who::Known(one), peers: &nobody, secret: &|_| None };
    render(text, &uses(text).ok()?, &scope).ok()?.as_literal().map(ToOwned::to_owned)
}

/// A writer that fails beyond [`MAX_RENDERED`] bytes.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.0.len() + buf.len() > MAX_RENDERED {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn join(items: &Jinja, separator: Option<String>) -> Result<String, minijinja::Error> {
    let mut out = String::new();
    for (i, item) in items.try_iter()?.enumerate() {
        if i > 0 {
            out.push_str(separator.as_deref().unwrap_or_default());
        }
        if item.is_undefined() {
            return Err(ErrorKind::UndefinedError.into());
        }
        out.push_str(&printed(&item)?.unwrap_or_else(|| item.to_string()));
        if out.len() > MAX_RENDERED {
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, "too long"));
        }
    }
    Ok(out)
}

/// Returns the address if `member` itself is printed, or the reason why there is none; `None` for
/// other values.
fn printed(value: &Jinja) -> Result<Option<String>, minijinja::Error> {
    if let Some(peer) = value.downcast_object_ref::<PeerObject>() {
        return peer.0.address.clone().map(Some).map_err(|f| raise(&f));
    }
    match value.downcast_object_ref::<Member>().map(|m| &m.who) {
        Some(Who::Known(peer)) => peer.address.clone().map(Some).map_err(|f| raise(&f)),
        Some(Who::Token | Who::NodeToken) => Ok(Some(token(Run::Address))),
        None => Ok(None),
    }
}

fn raise(fault: &Fault) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, fault.message.clone()).with_source(fault.clone())
}

fn failing(fault: &Fault) -> Jinja {
    Jinja::from(raise(fault))
}

fn lower(e: &minijinja::Error, what: &str) -> Fault {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(e);
    while let Some(error) = source {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return fault.clone();
        }
        source = error.source();
    }
    match e.kind() {
        ErrorKind::OutOfFuel | ErrorKind::WriteFailure => Fault::new(
            Code::ValueTooLong,
            format!("the {what} exceeds {MAX_RENDERED} bytes or takes too long to render"),
        ),
        ErrorKind::UndefinedError => {
            Fault::new(Code::ValueName, "the expression uses a name that does not exist".to_owned())
        }
        ErrorKind::SyntaxError => syntax_fault(e),
        _ => Fault::new(
            Code::ValueFails,
            format!("the expression has no result: {}", e.detail().unwrap_or("no value")),
        ),
    }
}

/// Returns whether `value` prints as one text: a string, a number, or a secret.
fn prints(value: &Jinja) -> bool {
    matches!(value.kind(), ValueKind::String | ValueKind::Number | ValueKind::Undefined)
        || value.downcast_object_ref::<SecretObject>().is_some()
}

/// Makes the error for a result that does not print as one text.
fn no_text(value: &Jinja) -> Fault {
    let fault = |what: &str| Fault::new(Code::ValueFails, format!("the expression gives {what}, not text"));
    match value.kind() {
        ValueKind::Bool => {
            fault("a boolean").fix("write the text for both cases, as `{{ 'on' if CASE else 'off' }}`", "")
        }
        ValueKind::None => fault("nothing").fix("leave it out, or write the text", "{{ 'none' }}"),
        ValueKind::Seq | ValueKind::Iterable => {
            fault("a list").fix("join its addresses", "{{ members | join(',') }}")
        }
        _ => fault("a map").fix("name one of its fields", "{{ ports.client }}"),
    }
}

fn ports(ports: &[(String, u16)]) -> Jinja {
    ports.iter().map(|(n, p)| (n.clone(), *p)).collect::<std::collections::BTreeMap<_, _>>().into()
}

fn list(peers: &Peers) -> Jinja {
    let ports = ports(&peers.ports);
    peers
        .members
        .iter()
        .map(|p| Jinja::from_object(PeerObject(p.clone(), ports.clone())))
        .collect::<Vec<_>>()
        .into()
}

#[derive(Debug)]
struct PeerObject(Peer, Jinja);

impl Object for PeerObject {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        match key {
            "id" => self.0.id.map(Jinja::from),
            "name" => Some(self.0.name.clone().into()),
            "address" => Some(match &self.0.address {
                Ok(address) => address.clone().into(),
                Err(fault) => failing(fault),
            }),
            "ports" => Some(self.1.clone()),
            _ => None,
        }
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }
}

#[derive(Debug)]
struct Member {
    who: Who,
    ports: Jinja,
}

impl Object for Member {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        if key == "ports" {
            return Some(self.ports.clone());
        }
        let run = *Run::ALL.iter().find(|r| r.field() == key)?;
        Some(match (&self.who, run) {
            (Who::Known(p), Run::Id) => Jinja::from(p.id),
            (Who::Known(p), Run::Name) => p.name.clone().into(),
            (Who::Known(p), Run::Address) => match &p.address {
                Ok(address) => address.clone().into(),
                Err(fault) => failing(fault),
            },
            (Who::NodeToken, Run::Id | Run::Name) => failing(
                &Fault::new(
                    Code::MemberField,
                    format!("a `per: node` member has no {}: its node is its identity", run.field()),
                )
                .fix("use its node", "{{ member.node }}"),
            ),
            (Who::Token | Who::Known(_), Run::Node) | (Who::Token | Who::NodeToken, _) => token(run).into(),
        })
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// The value of `secret('x')`. It prints the content of the secret; `.path` is its file.
#[derive(Debug)]
struct SecretObject {
    name: String,
    path: String,
}

/// The directory of secret files in every container.
pub const SECRETS: &str = "/run/secrets";

impl Object for SecretObject {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        (key == "path").then(|| self.path.clone().into())
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&secret_token(&self.name))
    }
}

fn arithmetic(text: &str) -> Fault {
    let fault = Fault::new(
        Code::RuntimeArithmetic,
        "`member` is known only when the container runs: a value can insert it, but not compute with it",
    );
    if text.contains(NEXT) || text.contains("!= member.") {
        return fault.fix(
            "write the list into a file, where each member has a text of its own",
            "files: { /etc/peers: { template: true, content: \"{% for m in members if m.id != member.id %}{{ m.address }} {% endfor %}\" } }",
        );
    }
    if text.contains("member.id") && text.contains('+') {
        return fault.fix(
            "number the members as the software needs it, and insert the id",
            "members: { count: 3, first: 1 }   {{ member.id }}",
        );
    }
    fault.fix("insert it unchanged", "{{ member.id }}")
}
