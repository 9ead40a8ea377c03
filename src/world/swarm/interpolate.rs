//! Fills in the variables of a stack file as `docker stack deploy` does (docker/cli
//! `cli/compose/template`): `$$`, `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:?x}`, `${A?x}`, and
//! nothing else.

/// A text with those variables filled in whose value the file gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// The text with defaults filled in. A variable without one stays, written `${A}`.
    pub text: String,
    /// The variables without a default.
    pub unset: Vec<String>,
}

/// Fills in the defaults of `text` unchanged: docker does not expand variables inside a default.
///
/// `None` for what docker refuses: `${A:+x}`, `${A`, a lone `$`.
pub fn interpolate(text: &str) -> Option<Filled> {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.text.push('$');
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let inner = braced.unwrap_or(rest);
        let name = name(inner);
        if name == 0 {
            return None;
        }
        // A variable without braces also takes a default, up to the next brace.
        let end = name + default(&inner[name..]);
        filled.put(&inner[..end]);
        rest = &inner[end..];
        if braced.is_some() {
            rest = rest.strip_prefix('}')?;
        }
    }
    filled.text.push_str(rest);
    Some(filled)
}

/// Returns the length of the name at the start of `text`.
fn name(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Returns the length of the default or the message at the start of `text`.
fn default(text: &str) -> usize {
    let marked = text.strip_prefix(':').unwrap_or(text).starts_with(['-', '?']);
    if marked { text.find('}').unwrap_or(text.len()) } else { 0 }
}

impl Filled {
    /// Fills in `A`, `A:-x`, `A-x`, `A:?x` or `A?x`. docker looks for the separators in this order.
    fn put(&mut self, inner: &str) {
        if let Some((_, default)) = inner.split_once(":-").or_else(|| inner.split_once('-')) {
            self.text.push_str(default);
            return;
        }
        let name = inner.split([':', '?']).next().unwrap_or(inner);
        self.text.push_str(&format!("${{{name}}}"));
        self.unset.push(name.to_owned());
    }
}
