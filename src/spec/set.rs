//! Overrides: `--set [SERVICE:]PATH=VALUE`, and the ones of an environment.

use super::load::{load, scalar};
use super::node::{Key, Kind, MAX_DEPTH, Node};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};

/// A part of a spec that overrides the specs of one service.
pub struct Override {
    /// The service; `None` if there is only one.
    pub service: Option<String>,
    pub tree: Node,
    /// The place of the service name, or of the path.
    pub place: Place,
    /// Whether the service may be missing: an environment may name services that this run does not
    /// compile.
    pub may_miss: bool,
}

/// Parses `[SERVICE:]PATH=VALUE`. `source` is the index of its text, `start` its first byte there.
pub fn assignment(text: &str, source: usize, start: usize) -> Result<Override, Box<Diagnostic>> {
    let whole = Place::new(source, start, start + text.len());
    let wrong = |message: &str| {
        let d = Diagnostic::error(Code::SetShape, whole, message);
        Box::new(d.fix("write", "--set SERVICE:members.count=3"))
    };
    if text.contains(['\n', '\r']) {
        return Err(wrong("an override must be one line"));
    }
    let (steps, equals, colon) = path(text).ok_or_else(|| wrong("this is not PATH=VALUE"))?;
    let value = &text[equals + 1..];
    let at = start + equals + 1;
    let mut node = if value.starts_with(['{', '[', '"', '\'']) {
        // An error in the value is shown for the whole option, because places inside a short value
        // do not help the user.
        load(source, "value.yaml", value).map_err(|fault| wrong(&fault.message))?.moved(source, at)
    } else if value.is_empty() {
        return Err(wrong("there is no value after `=`; `null` removes a value"));
    } else {
        scalar(value, Place::new(source, at, at + value.len()))?
    };
    for (name, from, until) in steps.into_iter().rev() {
        let place = Place::new(source, start + from, start + until);
        node = Node { place, kind: Kind::Map(vec![(Key { name, place }, node)]) };
    }
    let service = colon.map(|c| text[..c].to_owned());
    let place = match colon {
        Some(colon) => Place::new(source, start, start + colon),
        None => whole,
    };
    Ok(Override { service, tree: node, place, may_miss: false })
}

/// A key of a path, with its start and end.
type Step = (String, usize, usize);

/// Returns the keys before the first `=`, the place of that `=`, and the place of the colon after
/// the service. Keys that contain dots are in quotes: `env."node.name"`.
fn path(text: &str) -> Option<(Vec<Step>, usize, Option<usize>)> {
    let (mut steps, mut colon) = (Vec::new(), None);
    let (mut key, mut from, mut quote) = (String::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) if key.is_empty() => quote = Some(c),
            (':', None) if colon.is_none() && steps.is_empty() => {
                colon = Some(i).filter(|_| !key.is_empty());
                colon?;
                key.clear();
                from = i + 1;
            }
            ('.' | '=', None) => {
                if key.is_empty() {
                    return None;
                }
                steps.push((std::mem::take(&mut key), from, i));
                if c == '=' {
                    return Some((steps, i, colon)).filter(|(s, ..)| s.len() < MAX_DEPTH / 2);
                }
                from = i + 1;
            }
            (c, _) => key.push(c),
        }
    }
    None
}
