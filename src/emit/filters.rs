//! Template filters. Each writes a value for the place where it is printed.

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Error, ErrorKind, State};

use crate::text::quote::{self, Piece};
use crate::value::{Part, Run, Text, has_mark};

/// Returns the kind of file that the template prints.
pub fn kind(state: &State<'_, '_>) -> &'static str {
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

/// Writes a value for a file of this kind.
pub fn printed(kind: &str, value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "an undefined value is printed")),
        ValueKind::Bool => Ok(if value.is_true() { "true".into() } else { "false".into() }),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if has_mark(text) {
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

/// Returns the environment variable that carries a run-time part on Kubernetes.
pub fn run_variable(run: Run) -> &'static str {
    match run {
        Run::Id => "BERTH_ID",
        Run::Name => "BERTH_NAME",
        Run::Node => "BERTH_NODE",
        Run::Address => "BERTH_ADDRESS",
    }
}

/// Writes a value whose run-time parts the orchestrator expands: `env`, and on Kubernetes also
/// `command` and `args`.
pub fn expand(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let text = Text::from_marked(value.as_str().ok_or_else(|| refuse("expand is for text"))?);
    let mut out = String::new();
    match kind(state) {
        // Kubernetes expands `$(NAME)`, turns `$$` into `$`, and keeps every other `$`.
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
        // Compose expands `$` first; then Swarm runs the value through Go templates.
        "swarm" => {
            if text.runs().any(|run| !on_node(run)) || text.secrets().next().is_some() {
                return Err(refuse("Swarm cannot expand this part"));
            }
            let out = go_template(&text, "{{.Node.Hostname}}").replace('$', "$$");
            Ok(Value::from_safe_string(quote::yaml(&out)))
        }
        _ => Err(refuse("expand is for Kubernetes and Swarm")),
    }
}

fn on_node(run: Run) -> bool {
    matches!(run, Run::Node | Run::Address)
}

/// Writes `text` as a Go template: braces as strings, and each run-time part as the action `node`.
pub fn go_template(text: &Text, node: &str) -> String {
    let mut out = String::new();
    for (i, part) in text.0.iter().enumerate() {
        match part {
            Part::Literal(s) => {
                let mut literal = s.replace("{{", "{{\"{{\"}}");
                // A brace before an action would become part of its opening.
                if literal.ends_with('{') && i + 1 < text.0.len() {
                    literal.pop();
                    literal.push_str("{{\"{\"}}");
                }
                out.push_str(&literal);
            }
            Part::Run(_) | Part::Secret(_) => out.push_str(node),
        }
    }
    out
}

/// Returns the environment variable that carries the secret `name` on Kubernetes and fleet.
/// Different names give different variables.
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

/// Writes a word of an Exec line.
pub fn exec(value: &Value) -> Result<Value, Error> {
    let text = Text::from_marked(value.as_str().ok_or_else(|| refuse("exec is for text"))?);
    let word = exec_word(&text).ok_or_else(|| refuse("systemd cannot expand this part"))?;
    Ok(Value::from_safe_string(word))
}

/// Quotes `text` as a word of an Exec line. Returns `None` if systemd cannot expand a part of it.
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

/// Writes the value of a unit option in the unit's own syntax.
pub fn setting(value: &Value) -> Result<Value, Error> {
    let text = value.as_str().and_then(quote::setting).filter(|t| !has_mark(t));
    Ok(Value::from_safe_string(text.ok_or_else(|| refuse("this is no value on one line"))?.to_owned()))
}

/// Writes text in a comment; quoted if it would not stay on one line.
pub fn comment(text: &str) -> Result<Value, Error> {
    if has_mark(text) {
        return Err(refuse("a run-time part is printed in a comment"));
    }
    let one_line = !text.chars().any(quote::escaped);
    Ok(Value::from_safe_string(if one_line { text.to_owned() } else { quote::yaml(text) }))
}

/// Writes text as a block scalar if YAML allows it, else as a quoted scalar. `indent` is the
/// indentation of the text: two more than that of the key.
pub fn literal(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
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

/// Writes a raw addition as block YAML, indented by `indent` spaces. An empty one prints nothing.
pub fn tree(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
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
