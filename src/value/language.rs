//! The language of expressions: what they may contain, and which names they use.

use std::collections::BTreeSet;

use minijinja::machinery::ast::{BinOp, BinOpKind, Call, CallArg, CallType, Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::words::FILTERS;
use super::{Fault, NEXT, is_forbidden};
use crate::code::Code;

/// Maximum length of a value in the spec, in bytes.
const MAX_WRITTEN: usize = 64 << 10;

/// The names that a value uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The fields of `member`. `{{ member }}` counts as `address`.
    pub member: BTreeSet<String>,
    /// The fields of `member` that are used in a larger expression, not alone in `{{ … }}`.
    pub computed: BTreeSet<String>,
    /// Whether it uses `members`.
    pub members: bool,
    /// The services in `peers(…)`.
    pub peers: BTreeSet<String>,
    /// The secrets in `secret(…)`.
    pub secrets: BTreeSet<String>,
    /// The ports in `ports.…`.
    pub ports: BTreeSet<String>,
}

/// Returns whether `text` contains an expression.
pub fn is_plain(text: &str) -> bool {
    !["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Parses `text` and returns the names that it uses.
///
/// # Errors
/// [`Code::ValueSyntax`] for a syntax error, [`Code::ValueForbidden`] for syntax that is not part
/// of the language, [`Code::ValueName`] for an unknown name.
pub fn uses(text: &str) -> Result<Uses, Fault> {
    uses_of(text, "value", "an expression")
}

/// Returns the same for the text of a file.
///
/// # Errors
/// As [`uses`].
pub fn uses_of_file(text: &str) -> Result<Uses, Fault> {
    uses_of(text, "rendered file", "an expression of a file")
}

fn uses_of(text: &str, whole: &str, part: &str) -> Result<Uses, Fault> {
    let mut uses = Uses::default();
    if is_plain(text) {
        return Ok(uses);
    }
    if text.len() > MAX_WRITTEN {
        return Err(Fault::new(
            Code::ValueTooLong,
            format!("a {whole} may have at most {MAX_WRITTEN} bytes"),
        ));
    }
    bounded(text, whole, part)?;
    let tree = parse(text, "value", syntax(false)).map_err(|e| syntax_fault(&e))?;
    Walk { uses: &mut uses, bound: vec!["loop".to_owned()] }.statement(&tree)?;
    Ok(uses)
}

/// Returns the value that makes one word `arg` for each member `it` of `list`; `None` if `list` is no
/// list of members. [`super::Text::words`] splits what it renders to.
///
/// # Errors
/// [`Code::ValueSyntax`] or [`Code::ValueTooLong`] if `arg` alone cannot be parsed.
pub fn each(list: &str, arg: &str) -> Option<Result<String, Fault>> {
    let (list, only) = match list {
        "members" => ("members", ""),
        "peers" => ("members", " if it.id != member.id"),
        _ => {
            let name = list.strip_prefix("peers('")?.strip_suffix("')")?;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            (!name.is_empty() && name.chars().all(plain)).then_some((list, ""))?
        }
    };
    // An `arg` that ends the loop and starts another must not pass for one that is whole.
    let whole = match is_plain(arg) {
        true => Ok(()),
        false => bounded(arg, "value", "an expression")
            .and_then(|()| parse(arg, "value", syntax(false)).map(drop).map_err(|e| syntax_fault(&e))),
    };
    Some(whole.map(|()| format!("{{% for it in {list}{only} %}}{arg}{NEXT}{{% endfor %}}")))
}

/// Maximum number of tokens in one expression, and of statements in one value. The parser is
/// recursive, and these limit its depth.
const MAX_WORDS: usize = 200;

fn bounded(text: &str, whole: &str, part: &str) -> Result<(), Fault> {
    // Every token has a byte.
    if text.len() <= MAX_WORDS {
        return Ok(());
    }
    let (mut words, mut statements) = (0, 0);
    for token in tokenize(text, false, syntax(false)) {
        match token.map_err(|e| syntax_fault(&e))?.0 {
            Token::VariableStart => words = 0,
            Token::BlockStart => {
                words = 0;
                statements += 1;
            }
            _ => words += 1,
        }
        let limit = match (words > MAX_WORDS, statements > MAX_WORDS) {
            (true, _) => format!("{part} may have at most {MAX_WORDS} tokens"),
            (_, true) => format!("a {whole} may have at most {MAX_WORDS} statements"),
            _ => continue,
        };
        return Err(Fault::new(Code::ValueTooLong, limit));
    }
    Ok(())
}

/// Returns a syntax that keeps the trailing newline. With `lines`, a line with only a statement leaves
/// no line.
pub(super) fn syntax(lines: bool) -> SyntaxConfig {
    let mut config = SyntaxConfig::builder();
    config.keep_trailing_newline(true).trim_blocks(lines).lstrip_blocks(lines);
    config.build().unwrap_or_default()
}

pub(super) fn syntax_fault(e: &minijinja::Error) -> Fault {
    let words = e.detail().map_or_else(|| e.kind().to_string(), ToOwned::to_owned);
    let line = e.line().filter(|line| *line > 1).map_or_else(String::new, |line| format!(" in line {line}"));
    Fault::new(Code::ValueSyntax, format!("the expression has a syntax error{line}: {words}"))
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
            Expr::Const(c) => c.value.as_str().map_or(Ok(()), printable),
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
            Expr::BinOp(b) => self.operator(b),
            Expr::Compare(c) => {
                self.expression(&c.expr)?;
                c.ops.iter().try_for_each(|op| self.expression(&op.expr))
            }
            Expr::IfExpr(i) => {
                self.expression(&i.test_expr)?;
                self.expression(&i.true_expr)?;
                match &i.false_expr {
                    Some(otherwise) => self.expression(otherwise),
                    None => Err(forbidden("`if` without `else` in an expression")
                        .fix("write the text for the other case", "{{ 'a' if service == 'b' else 'c' }}")),
                }
            }
            Expr::Filter(f) => {
                if !FILTERS.iter().any(|word| word.name == f.name) {
                    return Err(forbidden(&format!("the filter `{}`", f.name))
                        .fix("the filters are", FILTERS.map(|word| word.name).join(", ")));
                }
                self.maybe(f.expr.as_ref())?;
                self.arguments(&f.args)
            }
            Expr::Call(c) => self.call(c),
            _ => Err(forbidden("this expression")),
        }
    }

    /// Checks a calculation. Concatenation and repetition could grow without a limit, and adjacent text
    /// needs no operator.
    fn operator(&mut self, b: &BinOp<'_>) -> Result<(), Fault> {
        match b.op {
            BinOpKind::Concat | BinOpKind::Mul | BinOpKind::Pow => {
                Err(forbidden("`~`, `*` and `**`")
                    .fix("write the texts next to each other", "{{ a }}{{ b }}"))
            }
            BinOpKind::Add if !is_number(&b.left) && !is_number(&b.right) => {
                Err(forbidden("`+` without a number"))
            }
            _ => {
                self.expression(&b.left)?;
                self.expression(&b.right)
            }
        }
    }

    /// Checks `peers('NAME')` or `secret('NAME')`.
    fn call(&mut self, c: &Call<'_>) -> Result<(), Fault> {
        let CallType::Function(name @ ("peers" | "secret")) = c.identify_call() else {
            return Err(forbidden("a call other than peers(…) and secret(…)"));
        };
        let text = match c.args.as_slice() {
            [CallArg::Pos(Expr::Const(arg))] => arg.value.as_str(),
            _ => None,
        };
        let Some(text) = text else {
            return Err(forbidden(&format!("{name}() without one name in quotes")));
        };
        let set = if name == "peers" { &mut self.uses.peers } else { &mut self.uses.secrets };
        set.insert(text.to_owned());
        Ok(())
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
                let fault = Fault::new(Code::ValueName, format!("unknown name `{id}`"));
                return Err(match crate::text::nearest::nearest(id, &known) {
                    Some(near) => fault.fix("did you mean", near),
                    None => fault.fix("the names are", known.join(", ")),
                });
            }
        }
        Ok(())
    }
}

/// Checks the characters of a text in quotes.
fn printable(text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| is_forbidden(*c)) {
        Some(c) => Err(Fault::new(
            Code::CharacterForbidden,
            format!("a value must not contain the character U+{:04X}", c as u32),
        )),
        None => Ok(()),
    }
}

/// Returns the field if `e` is `member.field`, `member['field']` or `member`.
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

fn is_number(e: &Expr<'_>) -> bool {
    matches!(e, Expr::Const(c) if c.value.is_integer())
}

fn forbidden(what: &str) -> Fault {
    Fault::new(Code::ValueForbidden, format!("not allowed in a value: {what}"))
}
