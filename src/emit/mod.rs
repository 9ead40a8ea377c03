//! Prints plans through the templates. It makes no decision.
//!
//! Every value is quoted for the place where it is printed. The name of the template gives the kind
//! of file, the kind of file gives the quoting, and only the filters below print the marks of
//! run-time parts.
//!
//! | templates | a printed value | with a filter |
//! |---|---|---|
//! | `kubernetes/*.yaml.j2` | YAML scalar | `expand`: `$(BERTH_…)`, `$` doubled where it would expand; `literal`: a block |
//! | `swarm/*.yml.j2` | YAML scalar, `$` doubled | `expand`: `{{.Node.Hostname}}`, `{{` as text |
//! | `fleet/*.j2` | option value, `%` doubled | `exec`: a word of an Exec line, `%H`; `setting`: as it is |
//! | `*.md.j2` | Markdown text | `code`: a code span, `plain`: a line of a code block |

mod filters;
mod templates;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde::Serialize;

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::options::Options;
use crate::text::quote;
use crate::value::{has_mark, is_mark};
use filters::{comment, exec, expand, kind, literal, printed, setting, tree};
pub use filters::{exec_word, go_template, run_variable, secret_variable};
pub use templates::templates;

/// Texts by path. Paths are relative to the output folder.
pub type Tree = BTreeMap<String, String>;

/// A file to print.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path below the output folder.
    pub path: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Template(&'static str, Value),
    Verbatim(String),
}

impl Page {
    /// Makes a file from `plan` and the template `name`.
    pub fn new<P: Serialize>(path: impl Into<String>, name: &'static str, plan: &P) -> Self {
        Self {
            path: path.into(),
            content: Content::Template(name, Value::from(minijinja::value::Serde(plan))),
        }
    }

    /// Makes a file with this text.
    pub fn verbatim(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), content: Content::Verbatim(text.into()) }
    }
}

/// Maximum number of template steps for one file, so that a custom template cannot hang a build.
const FUEL: u64 = 50_000_000;

/// The loaded templates.
pub struct Printer {
    env: Environment<'static>,
    /// Whether there are custom templates.
    overridden: bool,
}

fn fault(message: String) -> Diagnostic {
    Diagnostic::error(Code::Template, Place::NOWHERE, message)
}

impl Printer {
    /// Loads the templates. Reports a custom template whose name berthc does not know.
    pub fn new(options: &Options, out: &mut Vec<Diagnostic>) -> Self {
        for name in options.templates.keys() {
            if !templates().any(|(known, _)| known == name) {
                let known: Vec<&str> = templates().map(|(n, _)| n).collect();
                out.push(
                    fault(format!("there is no template `{name}` to replace"))
                        .fix("the templates are", known.join(", ")),
                );
            }
        }
        Self { env: environment(&options.templates), overridden: !options.templates.is_empty() }
    }

    /// Prints `pages`. A page whose template fails is reported and left out.
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

/// Makes the error for printed text that is not valid.
pub fn unreadable(path: &str, why: &str) -> Diagnostic {
    fault(format!("berthc cannot read back {path}, which the templates produced: {why}"))
}

fn failure(e: &Error, page: &str) -> String {
    let name = e.name().unwrap_or(page);
    let line = e.line().map_or_else(String::new, |l| format!(", line {l}"));
    let why = e.detail().map_or_else(|| e.kind().to_string(), ToOwned::to_owned);
    format!("the template {name}{line} fails: {why}")
}

/// Returns why the printed text must not be written, if a custom template broke it.
fn broken(path: &str, text: &str, overridden: bool) -> Option<String> {
    if has_mark(text)
        && let Some(c) = text.chars().find(|c| is_mark(*c))
    {
        return Some(format!("a run-time part was printed without its filter (U+{:04X})", c as u32));
    }
    // go-systemd, the parser of fleet, refuses longer lines (unit/deserialize.go).
    if path.ends_with(".service")
        && overridden
        && let Some(long) = text.lines().find(|l| l.len() >= 2048)
    {
        return Some(format!("a line of a unit may have at most 2047 bytes, but one has {}", long.len()));
    }
    None
}

fn environment(overrides: &BTreeMap<String, String>) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL).filter(|_| !overrides.is_empty()));
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
        let written = match value.as_str().filter(|_| value.is_safe()) {
            Some(text) => out.write_str(text),
            None => out.write_str(&printed(kind(state), value)?),
        };
        written.map_err(Error::from)
    });
    env.add_filter("expand", expand);
    env.add_filter("exec", exec);
    env.add_filter("setting", setting);
    env.add_filter("tree", tree);
    env.add_filter("code", |text: &str| Value::from_safe_string(quote::code(text)));
    env.add_filter("plain", |text: &str| {
        // A tab is part of a command and does not end a code block.
        let lines: Vec<String> = text.split('\t').map(|line| quote::one_line(line).into_owned()).collect();
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
