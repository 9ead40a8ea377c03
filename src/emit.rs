//! Plans through the templates to text. Nothing is decided here.
//!
//! Every value is quoted for where it stands by construction: the kind of file, known by the
//! template's name, says how a printed value is written, and only the filters below print the
//! marks of run-time parts.
//!
//! | templates | a printed value | with a filter |
//! |---|---|---|
//! | `kubernetes/*.yaml.j2` | YAML scalar | `expand`: `$(BERTH_…)`, `$` doubled where it would expand; `literal`: a block |
//! | `swarm/*.yml.j2` | YAML scalar, `$` doubled | `expand`: `{{.Node.Hostname}}`, `{{` as text |
//! | `fleet/*.j2` | option value, `%` doubled | `exec`: a word of an Exec line, `%H`; `setting`: as it is |
//! | `*.md.j2` | Markdown text | `code`: a code span, `plain`: a line of a code block |

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};
use serde::Serialize;

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::plan::{fleet, kubernetes, swarm};
use crate::quote::Piece;
use crate::value::{Part, Run, Text, is_mark};
use crate::{Options, quote};

/// Paths, relative to the output folder, with their texts.
pub type Tree = BTreeMap<String, String>;

/// Something to print, and where.
#[derive(Debug, Clone)]
pub struct Page {
    /// Path below the output folder.
    pub path: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Template(&'static str, Value),
    Verbatim(String),
}

impl Page {
    /// `plan` through the template `name`.
    pub fn new<P: Serialize>(path: impl Into<String>, name: &'static str, plan: &P) -> Self {
        Self {
            path: path.into(),
            content: Content::Template(name, Value::from(minijinja::value::Serde(plan))),
        }
    }

    /// Text that is carried as it is.
    pub fn verbatim(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), content: Content::Verbatim(text.into()) }
    }
}

/// berthc's own templates: name and text.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    let certificate = ("certificate.md.j2", include_str!("../templates/certificate.md.j2"));
    let targets = [kubernetes::TEMPLATES, fleet::TEMPLATES, swarm::TEMPLATES];
    targets.into_iter().flatten().copied().chain([certificate])
}

/// Steps that rendering one page may take: an override cannot hang a build.
const FUEL: u64 = 50_000_000;

/// The templates, ready to print.
pub struct Printer {
    env: Environment<'static>,
    /// Whether some are not berthc's own.
    overridden: bool,
}

fn fault(message: String) -> Diagnostic {
    Diagnostic::error(Code::Template, Place::NOWHERE, message)
}

impl Printer {
    /// Makes the templates ready; one of `options` that stands in for none is reported.
    pub fn new(options: &Options, out: &mut Vec<Diagnostic>) -> Self {
        for name in options.templates.keys() {
            if !templates().any(|(known, _)| known == name) {
                let known: Vec<&str> = templates().map(|(n, _)| n).collect();
                out.push(
                    fault(format!("there is no template `{name}` to stand in for"))
                        .mend("templates are", known.join(", ")),
                );
            }
        }
        Self { env: environment(&options.templates), overridden: !options.templates.is_empty() }
    }

    /// Prints `pages`. What a template fails to print is reported, and is not in the tree.
    pub fn print(&self, pages: &[Page], out: &mut Vec<Diagnostic>) -> Tree {
        let mut tree = Tree::new();
        for page in pages {
            let text = match &page.content {
                Content::Verbatim(text) => text.clone(),
                Content::Template(name, plan) => {
                    match self.env.get_template(name).and_then(|t| t.render(plan.clone())) {
                        Ok(text) => text,
                        Err(e) => {
                            out.push(fault(failure(&e, name)));
                            continue;
                        }
                    }
                }
            };
            out.extend(broken(&page.path, &text, self.overridden).map(|why| unreadable(&page.path, &why)));
            tree.insert(page.path.clone(), text);
        }
        tree
    }
}

/// What was printed for `path` is not what it should be.
pub fn unreadable(path: &str, why: &str) -> Diagnostic {
    fault(format!("what the templates print for {path} cannot be read back: {why}"))
}

fn failure(e: &Error, page: &str) -> String {
    let name = e.name().unwrap_or(page);
    let line = e.line().map_or_else(String::new, |l| format!(", line {l}"));
    let why = e.detail().map_or_else(|| e.kind().to_string(), ToOwned::to_owned);
    format!("the template {name}{line} fails: {why}")
}

/// A text that an overridden template broke must not leave the house.
fn broken(path: &str, text: &str, overridden: bool) -> Option<String> {
    if let Some(c) = text.chars().find(|c| is_mark(*c)) {
        return Some(format!("a run-time part was printed without its filter (U+{:04X})", c as u32));
    }
    // go-systemd, with which fleet reads units, refuses longer lines (unit/deserialize.go).
    if path.ends_with(".service")
        && overridden
        && let Some(long) = text.lines().find(|l| l.len() >= 2048)
    {
        return Some(format!("a line of a unit has at most 2047 bytes, and one has {}", long.len()));
    }
    None
}

fn environment(overrides: &BTreeMap<String, String>) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    if let Ok(syntax) = minijinja::syntax::SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        env.set_syntax(syntax);
    }
    env.remove_filter("safe");
    env.set_auto_escape_callback(|name| {
        let kind = match name {
            n if n.starts_with("kubernetes/") => "kubernetes",
            n if n.starts_with("swarm/") => "swarm",
            n if n.starts_with("fleet/") => "fleet",
            n if n.ends_with(".md.j2") => "markdown",
            _ => return AutoEscape::None,
        };
        AutoEscape::Custom(kind.into())
    });
    env.set_formatter(|out, state, value| {
        let text = if value.is_safe() {
            value.as_str().unwrap_or_default().to_owned()
        } else {
            printed(kind(state), value)?
        };
        out.write_str(&text).map_err(Error::from)
    });
    env.add_filter("expand", expand);
    env.add_filter("exec", exec);
    env.add_filter("setting", setting);
    env.add_filter("tree", tree);
    env.add_filter("code", |text: &str| Value::from_safe_string(quote::code(text)));
    env.add_filter("plain", |text: &str| {
        // A tab is part of a command, and ends no block.
        let lines: Vec<String> = text.split('\t').map(quote::one_line).collect();
        Value::from_safe_string(lines.join("\t"))
    });
    env.add_filter("octal", |mode: u32| Value::from_safe_string(format!("{mode:04o}")));
    env.add_filter("literal", literal);
    env.add_filter("comment", comment);
    env.add_filter("key", |key: &str| Value::from_safe_string(quote::yaml(key)));
    let overrides: Arc<BTreeMap<String, String>> = Arc::new(overrides.clone());
    env.set_loader(move |name| {
        let own = templates().find(|(n, _)| *n == name).map(|(_, text)| text.to_owned());
        Ok(overrides.get(name).cloned().or(own))
    });
    env
}

fn kind(state: &State<'_, '_>) -> &'static str {
    match state.auto_escape() {
        AutoEscape::Custom(c) if c == "kubernetes" => "kubernetes",
        AutoEscape::Custom(c) if c == "swarm" => "swarm",
        AutoEscape::Custom(c) if c == "fleet" => "fleet",
        AutoEscape::Custom(c) if c == "markdown" => "markdown",
        _ => "",
    }
}

fn refuse(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// A value as it stands in a file of this kind.
fn printed(kind: &str, value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "an undefined value is printed")),
        ValueKind::Bool => Ok(if value.is_true() { "true".into() } else { "false".into() }),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if text.contains(is_mark) {
                return Err(refuse("a run-time part is printed without its filter"));
            }
            Ok(match kind {
                "kubernetes" => quote::yaml(text),
                "swarm" => quote::yaml(&text.replace('$', "$$")),
                "fleet" => quote::option(text),
                "markdown" => quote::markdown(text),
                _ => text.to_owned(),
            })
        }
        other => Err(refuse(format!("a {other} is printed"))),
    }
}

/// The variable that carries a run-time part on Kubernetes.
pub fn run_variable(run: Run) -> &'static str {
    match run {
        Run::Id => "BERTH_ID",
        Run::Name => "BERTH_NAME",
        Run::Node => "BERTH_NODE",
        Run::Address => "BERTH_ADDRESS",
    }
}

/// A value whose run-time parts the orchestrator expands: `env`, and on Kubernetes `command` and
/// `args`.
fn expand(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let text = Text::from_marked(value.as_str().ok_or_else(|| refuse("expand is for text"))?);
    let mut out = String::new();
    match kind(state) {
        // Kubernetes turns `$$` into `$` and `$(NAME)` into the variable, and leaves other `$`.
        "kubernetes" => {
            for (i, part) in text.0.iter().enumerate() {
                match part {
                    Part::Literal(s) => {
                        let mut chars = s.chars().peekable();
                        while let Some(c) = chars.next() {
                            out.push(c);
                            let next_expands = match chars.peek() {
                                Some(n) => matches!(n, '$' | '('),
                                None => i + 1 < text.0.len(),
                            };
                            if c == '$' && next_expands {
                                out.push('$');
                            }
                        }
                    }
                    Part::Run(run) => out.push_str(&format!("$({})", run_variable(*run))),
                    Part::Secret(name) => out.push_str(&format!("$({})", secret_variable(name))),
                }
            }
            Ok(Value::from_safe_string(quote::yaml(&out)))
        }
        // Swarm runs values through Go templates, after compose has read `$`.
        "swarm" => {
            for (i, part) in text.0.iter().enumerate() {
                match part {
                    Part::Literal(s) => {
                        let mut literal = s.replace("{{", "{{\"{{\"}}").replace('$', "$$");
                        // A brace before an action would be read as part of its opening.
                        if literal.ends_with('{') && i + 1 < text.0.len() {
                            literal.pop();
                            literal.push_str("{{\"{\"}}");
                        }
                        out.push_str(&literal);
                    }
                    Part::Run(Run::Node | Run::Address) => out.push_str("{{.Node.Hostname}}"),
                    _ => return Err(refuse("Swarm cannot expand this part")),
                }
            }
            Ok(Value::from_safe_string(quote::yaml(&out)))
        }
        _ => Err(refuse("expand is for Kubernetes and Swarm")),
    }
}

/// The variable that carries the secret `name` on Kubernetes and fleet: distinct for each name.
pub fn secret_variable(name: &str) -> String {
    let mut out = String::from("BERTH_SECRET_");
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c),
            c => out.push_str(&format!("_{:02X}_", c as u32)),
        }
    }
    out
}

/// A word of an Exec line.
fn exec(value: &Value) -> Result<Value, Error> {
    let text = Text::from_marked(value.as_str().ok_or_else(|| refuse("exec is for text"))?);
    let word = exec_word(&text).ok_or_else(|| refuse("systemd cannot expand this part"))?;
    Ok(Value::from_safe_string(word))
}

/// `text` as a word of an Exec line; `None` when systemd does not know a part of it.
pub fn exec_word(text: &Text) -> Option<String> {
    let pieces: Option<Vec<Piece<'_>>> = text
        .0
        .iter()
        .map(|part| match part {
            Part::Literal(s) => Some(Piece::Text(s)),
            Part::Run(Run::Node | Run::Address) => Some(Piece::Specifier("%H")),
            Part::Run(Run::Id | Run::Name) | Part::Secret(_) => None,
        })
        .collect();
    Some(quote::exec_pieces(&pieces?))
}

/// The value of a unit's option in the unit's own language.
fn setting(value: &Value) -> Result<Value, Error> {
    let text = value.as_str().and_then(quote::setting).filter(|t| !t.contains(is_mark));
    Ok(Value::from_safe_string(text.ok_or_else(|| refuse("this is no value on one line"))?.to_owned()))
}

/// Text in a comment: as it is, quoted where it would not stay on its line.
fn comment(text: &str) -> Result<Value, Error> {
    if text.contains(is_mark) {
        return Err(refuse("a run-time part is printed in a comment"));
    }
    let one_line = !text.chars().any(quote::escaped);
    Ok(Value::from_safe_string(if one_line { text.to_owned() } else { quote::yaml(text) }))
}

/// Text as a block scalar where YAML can say all of it in one, else quoted; `indent` is that of
/// the lines of the text, two more than that of their key.
fn literal(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
    let text = value.as_str().ok_or_else(|| refuse("literal is for text"))?;
    let blank = |line: &str| !line.is_empty() && line.bytes().all(|b| b == b' ' || b == b'\t');
    let body = text.trim_end_matches('\n');
    let plain =
        body.chars().all(|c| matches!(c, ' '..='~' | '\n' | '\t') || c > '\u{a0}' && !quote::escaped(c));
    if body.is_empty() || body.starts_with('\n') || !plain || body.split('\n').any(blank) {
        return Ok(Value::from_safe_string(printed(kind(state), value)?));
    }
    let pad = " ".repeat(indent);
    let newlines = text.len() - body.len();
    let mut out = String::from("|");
    if body.starts_with([' ', '\t']) {
        out.push('2');
    }
    out.push_str(["-", "", "+"][newlines.min(2)]);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
    }
    out.push_str(&"\n".repeat(newlines.saturating_sub(1)));
    Ok(Value::from_safe_string(out))
}

/// A raw addition as block YAML, `indent` spaces deep; nothing for an empty one.
fn tree(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
    let mut out = String::new();
    block(kind(state), value, indent, &mut out, 0)?;
    Ok(Value::from_safe_string(out))
}

fn block(kind: &str, value: &Value, indent: usize, out: &mut String, depth: usize) -> Result<(), Error> {
    if depth > 64 {
        return Err(refuse("nested too deep"));
    }
    let pad = " ".repeat(indent);
    let scalar = |v: &Value| -> Result<Option<String>, Error> {
        Ok(match v.kind() {
            ValueKind::Map if v.len() == Some(0) => Some("{}".into()),
            ValueKind::Seq if v.len() == Some(0) => Some("[]".into()),
            ValueKind::Map | ValueKind::Seq => None,
            ValueKind::None => Some("null".into()),
            ValueKind::Number => Some(v.to_string()),
            _ => Some(printed(kind, v)?),
        })
    };
    match value.kind() {
        ValueKind::Map => {
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                let key = quote::yaml(&key.to_string());
                match scalar(&item)? {
                    Some(text) => out.push_str(&format!("{pad}{key}: {text}\n")),
                    None => {
                        out.push_str(&format!("{pad}{key}:\n"));
                        block(kind, &item, indent + 2, out, depth + 1)?;
                    }
                }
            }
        }
        ValueKind::Seq => {
            for item in value.try_iter()? {
                match scalar(&item)? {
                    Some(text) => out.push_str(&format!("{pad}- {text}\n")),
                    None => {
                        let mut inner = String::new();
                        block(kind, &item, indent + 2, &mut inner, depth + 1)?;
                        out.push_str(&format!("{pad}- {}", inner.trim_start_matches(' ')));
                    }
                }
            }
        }
        _ => return Err(refuse("a raw addition is a map or a list")),
    }
    Ok(())
}
