//! Values of the spec: text with minijinja expressions, of which a small, closed part is read.
//!
//! What an orchestrator knows only when a container runs (a StatefulSet's ordinal, the name of
//! a node) is a *run-time part*. A value is rendered with a token in its place, so it may only
//! stand there whole, `{{ member.id }}`: anything that computes with it, compares it or filters
//! it is seen in the expression itself ([`Code::RuntimeArithmetic`]).

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use minijinja::machinery::ast::{BinOpKind, CallArg, CallType, Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Value as Jinja};
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde::{Serialize, Serializer};

use crate::code::Code;

/// Longest value as written, in bytes.
const MAX_WRITTEN: usize = 64 << 10;
/// Longest value as rendered, in bytes.
const MAX_RENDERED: usize = 1 << 20;
/// Steps that rendering one value may take.
const FUEL: u64 = 2_000_000;

/// What is known only when a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// The member's id.
    Id,
    /// The member's name, `service-id`.
    Name,
    /// The name of the node it runs on.
    Node,
    /// The member's address.
    Address,
}

impl Run {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Id, Self::Name, Self::Node, Self::Address];

    /// As a spec names it.
    pub fn field(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Node => "node",
            Self::Address => "address",
        }
    }
}

/// A piece of a rendered value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Text.
    Literal(String),
    /// What is known at run time.
    Run(Run),
    /// The content of a secret.
    Secret(String),
}

/// A rendered value. It serializes to text in which marks (private characters that no input
/// may hold) stand for what is not literal; only the filters of [`crate::emit`] print those.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<Part>);

const OPEN: char = '\u{F8F0}';
const CLOSE: char = '\u{F8F1}';

/// Whether `c` is one of the marks, which are refused in every input.
pub fn is_mark(c: char) -> bool {
    c == OPEN || c == CLOSE
}

impl Text {
    /// Plain text.
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    /// The text, if nothing in it waits for run time.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The run-time parts in it.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.0.iter().filter_map(|p| if let Part::Run(r) = p { Some(*r) } else { None })
    }

    /// The secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &str> + '_ {
        self.0.iter().filter_map(|p| if let Part::Secret(s) = p { Some(s.as_str()) } else { None })
    }

    /// Puts `parts` in place of `run`.
    #[must_use]
    pub fn with(&self, run: Run, parts: &[Part]) -> Self {
        let mut out = Vec::new();
        for part in &self.0 {
            match part {
                Part::Run(r) if *r == run => out.extend_from_slice(parts),
                other => out.push(other.clone()),
            }
        }
        Self(out)
    }

    /// Reads the marked form back.
    pub fn from_marked(text: &str) -> Self {
        let mut parts = Vec::new();
        for (i, piece) in text.split(OPEN).enumerate() {
            let rest = match piece.split_once(CLOSE) {
                Some((mark, rest)) if i > 0 => {
                    parts.push(match Run::ALL.iter().find(|r| r.field() == mark) {
                        Some(run) => Part::Run(*run),
                        None => Part::Secret(mark.trim_start_matches('$').to_owned()),
                    });
                    rest
                }
                _ => piece,
            };
            if !rest.is_empty() {
                parts.push(Part::Literal(rest.to_owned()));
            }
        }
        Self(parts)
    }

    /// The form with marks.
    pub fn marked(&self) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Run(run) => token(*run),
                Part::Secret(name) => secret_token(name),
            })
            .collect()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.marked())
    }
}

fn token(run: Run) -> String {
    format!("{OPEN}{}{CLOSE}", run.field())
}

fn secret_token(name: &str) -> String {
    format!("{OPEN}${name}{CLOSE}")
}

/// Why a value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The line to write, if there is one.
    pub mend: Option<(String, String)>,
}

impl Fault {
    /// A fault without a mend.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), mend: None }
    }

    /// With a way out.
    #[must_use]
    pub fn mend(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.mend = Some((text.into(), line.into()));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// What a value names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The fields of `member` (`address` also when it is printed whole).
    pub member: BTreeSet<String>,
    /// Those of them that stand anywhere but whole in `{{ … }}`.
    pub computed: BTreeSet<String>,
    /// `members`.
    pub members: bool,
    /// The services of `peers(…)`.
    pub peers: BTreeSet<String>,
    /// The secrets of `secret(…)`.
    pub secrets: BTreeSet<String>,
    /// The ports of `ports.…`.
    pub ports: BTreeSet<String>,
}

/// Whether `text` has any expression.
pub fn is_plain(text: &str) -> bool {
    !["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Reads `text` and says what it names.
///
/// # Errors
/// [`Code::ValueSyntax`] with the parser's words, [`Code::ValueForbidden`] for what is not part
/// of the language of values, [`Code::ValueName`] for a name that does not exist.
pub fn uses(text: &str) -> Result<Uses, Fault> {
    let mut uses = Uses::default();
    if is_plain(text) {
        return Ok(uses);
    }
    if text.len() > MAX_WRITTEN {
        return Err(Fault::new(Code::ValueTooLong, format!("a value has at most {MAX_WRITTEN} bytes")));
    }
    bounded(text)?;
    let tree = parse(text, "value", syntax()).map_err(|e| syntax_fault(&e))?;
    Walk { uses: &mut uses, bound: vec!["loop".to_owned()] }.statement(&tree)?;
    Ok(uses)
}

/// Most words of one expression, and most statements of one value: what is read is walked by
/// functions that call themselves, and their depth follows from these.
const MAX_WORDS: usize = 200;

fn bounded(text: &str) -> Result<(), Fault> {
    let (mut words, mut statements) = (0, 0);
    for token in tokenize(text, false, syntax()) {
        match token.map_err(|e| syntax_fault(&e))?.0 {
            Token::VariableStart => words = 0,
            Token::BlockStart => {
                words = 0;
                statements += 1;
            }
            _ => words += 1,
        }
        if words > MAX_WORDS || statements > MAX_WORDS {
            return Err(Fault::new(
                Code::ValueTooLong,
                format!("an expression has at most {MAX_WORDS} words"),
            ));
        }
    }
    Ok(())
}

/// A value keeps the newline it ends with.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default()
}

fn syntax_fault(e: &minijinja::Error) -> Fault {
    let words = e.detail().map_or_else(|| e.kind().to_string(), ToOwned::to_owned);
    Fault::new(Code::ValueSyntax, format!("the expression cannot be read: {words}"))
}

struct Walk<'u> {
    uses: &'u mut Uses,
    bound: Vec<String>,
}

impl Walk<'_> {
    fn statement(&mut self, s: &Stmt<'_>) -> Result<(), Fault> {
        match s {
            Stmt::Template(t) => self.all(&t.children),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(e) => match member_field(&e.expr) {
                Some(field) => {
                    self.uses.member.insert(field);
                    Ok(())
                }
                None => self.expression(&e.expr),
            },
            Stmt::IfCond(c) => {
                self.expression(&c.expr)?;
                self.all(&c.true_body)?;
                self.all(&c.false_body)
            }
            Stmt::ForLoop(l) if !l.recursive => {
                self.expression(&l.iter)?;
                let Expr::Var(target) = &l.target else {
                    return Err(forbidden("a loop over pairs"));
                };
                self.bound.push(target.id.to_owned());
                if let Some(filter) = &l.filter_expr {
                    self.expression(filter)?;
                }
                self.all(&l.body)?;
                self.bound.pop();
                self.all(&l.else_body)
            }
            _ => Err(forbidden("this statement")),
        }
    }

    fn all(&mut self, statements: &[Stmt<'_>]) -> Result<(), Fault> {
        statements.iter().try_for_each(|s| self.statement(s))
    }

    fn maybe(&mut self, e: Option<&Expr<'_>>) -> Result<(), Fault> {
        e.map_or(Ok(()), |e| self.expression(e))
    }

    fn expression(&mut self, e: &Expr<'_>) -> Result<(), Fault> {
        match e {
            Expr::Const(_) => Ok(()),
            Expr::Var(v) => self.name(v.id),
            Expr::GetAttr(_) | Expr::GetItem(_) if member_field(e).is_some() => {
                let field = member_field(e).unwrap_or_default();
                if field != "ports" {
                    self.uses.computed.insert(field.clone());
                }
                self.uses.member.insert(field);
                Ok(())
            }
            Expr::GetAttr(a) => {
                if matches!(&a.expr, Expr::Var(v) if v.id == "ports") {
                    self.uses.ports.insert(a.name.to_owned());
                }
                self.expression(&a.expr)
            }
            Expr::GetItem(i) => {
                if let (Expr::Var(v), Expr::Const(c)) = (&i.expr, &i.subscript_expr)
                    && v.id == "ports"
                {
                    self.uses.ports.extend(c.value.as_str().map(ToOwned::to_owned));
                }
                self.expression(&i.expr)?;
                self.expression(&i.subscript_expr)
            }
            Expr::Slice(s) => {
                self.expression(&s.expr)?;
                for bound in [&s.start, &s.stop, &s.step] {
                    self.maybe(bound.as_ref())?;
                }
                Ok(())
            }
            Expr::UnaryOp(u) => self.expression(&u.expr),
            Expr::BinOp(b) => match b.op {
                // Joining and repeating text by name could grow without bound; text stands
                // side by side without an operator.
                BinOpKind::Concat | BinOpKind::Mul | BinOpKind::Pow => {
                    Err(forbidden("`~`, `*` and `**`").mend("write texts side by side", "{{ a }}{{ b }}"))
                }
                BinOpKind::Add if !is_number(&b.left) && !is_number(&b.right) => {
                    Err(forbidden("`+` without a number"))
                }
                _ => {
                    self.expression(&b.left)?;
                    self.expression(&b.right)
                }
            },
            Expr::Compare(c) => {
                self.expression(&c.expr)?;
                c.ops.iter().try_for_each(|op| self.expression(&op.expr))
            }
            Expr::IfExpr(i) => {
                self.expression(&i.test_expr)?;
                self.expression(&i.true_expr)?;
                self.maybe(i.false_expr.as_ref())
            }
            Expr::Filter(f) => {
                if !FILTERS.contains(&f.name) {
                    return Err(forbidden(&format!("the filter `{}`", f.name))
                        .mend("filters of a value", FILTERS.join(", ")));
                }
                self.maybe(f.expr.as_ref())?;
                self.arguments(&f.args)
            }
            Expr::Call(c) => {
                let name = match c.identify_call() {
                    CallType::Function(name @ ("peers" | "secret")) => name,
                    _ => return Err(forbidden("a call of anything but peers(…) and secret(…)")),
                };
                let [CallArg::Pos(Expr::Const(arg))] = c.args.as_slice() else {
                    return Err(forbidden(&format!("{name}() without one name in quotes")));
                };
                let Some(arg) = arg.value.as_str() else {
                    return Err(forbidden(&format!("{name}() without one name in quotes")));
                };
                let set = if name == "peers" { &mut self.uses.peers } else { &mut self.uses.secrets };
                set.insert(arg.to_owned());
                Ok(())
            }
            _ => Err(forbidden("this expression")),
        }
    }

    fn arguments(&mut self, args: &[CallArg<'_>]) -> Result<(), Fault> {
        args.iter().try_for_each(|a| match a {
            CallArg::Pos(e) | CallArg::Kwarg(_, e) => self.expression(e),
            _ => Err(forbidden("an argument list that is computed")),
        })
    }

    fn name(&mut self, id: &str) -> Result<(), Fault> {
        match id {
            "members" => self.uses.members = true,
            "member" => {
                self.uses.member.insert("address".to_owned());
                self.uses.computed.insert("address".to_owned());
            }
            "service" | "ports" => {}
            _ if self.bound.iter().any(|b| b == id) => {}
            _ => {
                let known = ["service", "ports", "member", "members", "peers", "secret"];
                let fault = Fault::new(Code::ValueName, format!("a value knows no `{id}`"));
                return Err(match crate::spec::de::nearest(id, &known) {
                    Some(near) => fault.mend("did you mean", near),
                    None => fault.mend("a value knows", known.join(", ")),
                });
            }
        }
        Ok(())
    }
}

/// The field when `e` is `member.field`, `member['field']` or `member` itself.
fn member_field(e: &Expr<'_>) -> Option<String> {
    let is_member = |e: &Expr<'_>| matches!(e, Expr::Var(v) if v.id == "member");
    match e {
        Expr::GetAttr(a) if is_member(&a.expr) => Some(a.name.to_owned()),
        Expr::GetItem(i) if is_member(&i.expr) => match &i.subscript_expr {
            Expr::Const(c) => c.value.as_str().map(ToOwned::to_owned),
            _ => None,
        },
        _ if is_member(e) => Some("address".to_owned()),
        _ => None,
    }
}

const FILTERS: [&str; 7] = ["join", "default", "first", "last", "length", "lower", "upper"];

fn is_number(e: &Expr<'_>) -> bool {
    matches!(e, Expr::Const(c) if c.value.is_integer())
}

fn forbidden(what: &str) -> Fault {
    Fault::new(Code::ValueForbidden, format!("{what} cannot stand in a value"))
}

/// One member as values see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id; nodes and single external addresses have none.
    pub id: Option<u32>,
    /// Its name.
    pub name: String,
    /// Its address on the target at hand.
    pub address: Result<String, Fault>,
}

/// Members of one service with its ports.
#[derive(Debug, Clone)]
pub struct Peers {
    /// In order of their ids.
    pub members: Arc<Vec<Peer>>,
    /// Ports by name.
    pub ports: Arc<Vec<(String, u16)>>,
}

/// Who `member` is.
#[derive(Debug, Clone)]
pub enum Who {
    /// One member, all of it known but for the node.
    Known(Peer),
    /// Any member of a counted service; all of it at run time.
    Token,
    /// The member of a node; it has no id and no name.
    NodeToken,
}

/// What one value of one service is rendered with on one target.
pub struct Scope<'a> {
    /// The service's name.
    pub service: &'a str,
    /// Its own members and ports.
    pub own: Peers,
    /// Why the members cannot be listed, where they cannot.
    pub unlisted: Option<Fault>,
    /// Who `member` is.
    pub who: Who,
    /// The members of another service.
    pub peers: &'a dyn Fn(&str) -> Result<Peers, Fault>,
}

/// Renders `text`, whose names are `uses`, in `scope`.
///
/// # Errors
/// What a name of the value has to say for itself;
/// [`Code::RuntimeArithmetic`] when it computes with a run-time part; the limits above.
pub fn render(text: &str, uses: &Uses, scope: &Scope<'_>) -> Result<Text, Fault> {
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
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_syntax(syntax());
    env.set_formatter(|out, state, value| match printed(value)? {
        Some(address) => out.write_str(&address).map_err(minijinja::Error::from),
        None => minijinja::escape_formatter(out, state, value),
    });
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.add_filter("join", join);
    env.add_filter("default", minijinja::filters::default);
    env.add_filter("first", minijinja::filters::first);
    env.add_filter("last", minijinja::filters::last);
    env.add_filter("length", minijinja::filters::length);
    env.add_filter("lower", minijinja::filters::lower);
    env.add_filter("upper", minijinja::filters::upper);
    let mut peers = std::collections::BTreeMap::new();
    for name in &uses.peers {
        peers.insert(name.clone(), (scope.peers)(name).map(|p| list(&p)));
    }
    env.add_function("peers", move |name: &str| match peers.get(name) {
        Some(Ok(list)) => Ok(list.clone()),
        Some(Err(fault)) => Err(raise(fault)),
        None => Err(raise(&Fault::new(Code::PeerUnknown, format!("no service `{name}`")))),
    });
    env.add_function("secret", |name: String| Jinja::from_object(SecretObject(name)));
    let ports = ports(&scope.own.ports);
    let members = match &scope.unlisted {
        Some(fault) => failing(fault),
        None if uses.members => list(&scope.own),
        None => Jinja::UNDEFINED,
    };
    let member = Jinja::from_object(Member { who: scope.who.clone(), ports: ports.clone() });
    let context = minijinja::context! { service => scope.service, ports, members, member };
    let mut out = Bounded(Vec::new());
    env.template_from_str(text)
        .and_then(|t| t.render_captured_to(context, &mut out).map(drop))
        .map_err(|e| lower(&e))?;
    Ok(Text::from_marked(&String::from_utf8_lossy(&out.0)))
}

/// A host path of member `id` of `service`; `None` when it has faults, which are reported
/// elsewhere.
pub fn host_path(text: &str, service: &str, id: u32) -> Option<String> {
    let one = Peer { id: Some(id), name: format!("{service}-{id}"), address: Ok(String::new()) };
    let own = Peers { members: Arc::default(), ports: Arc::default() };
    let nobody = |_: &str| Err(Fault::new(Code::PeerUnknown, ""));
    let scope = Scope { service, own, unlisted: None, who: Who::Known(one), peers: &nobody };
    render(text, &uses(text).ok()?, &scope).ok()?.as_literal().map(ToOwned::to_owned)
}

/// A writer that refuses to grow beyond [`MAX_RENDERED`].
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

/// The address of a member that is printed whole, or why there is none; `None` for other values.
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

fn lower(e: &minijinja::Error) -> Fault {
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
            format!("the value grows beyond {MAX_RENDERED} bytes or takes too long"),
        ),
        ErrorKind::UndefinedError => {
            Fault::new(Code::ValueName, "the expression names something that does not exist".to_owned())
        }
        ErrorKind::SyntaxError => syntax_fault(e),
        _ => Fault::new(
            Code::ValueSyntax,
            format!("the expression fails: {}", e.detail().unwrap_or("no value")),
        ),
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
                    format!("a `per: node` member has no {}: the node is its identity", run.field()),
                )
                .mend("name it by its node", "{{ member.node }}"),
            ),
            (Who::Token | Who::Known(_), Run::Node) | (Who::Token | Who::NodeToken, _) => token(run).into(),
        })
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// `secret('x')`: prints as the secret's content, `.path` is its file.
#[derive(Debug)]
struct SecretObject(String);

/// Directory of the secrets' files in every container.
pub const SECRETS: &str = "/run/secrets";

impl Object for SecretObject {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        (key == "path").then(|| format!("{SECRETS}/{}", self.0).into())
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&secret_token(&self.0))
    }
}

fn arithmetic(text: &str) -> Fault {
    let fault = Fault::new(
        Code::RuntimeArithmetic,
        "`member` is known to this target only when the container runs: it can be inserted, not computed with",
    );
    if text.contains("member.id") && text.contains('+') {
        return fault.mend(
            "number the members as the software wants them, and insert",
            "members: { count: 3, first: 1 }   {{ member.id }}",
        );
    }
    fault.mend("insert it as it is", "{{ member.id }}")
}
