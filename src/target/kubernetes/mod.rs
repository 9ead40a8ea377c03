//! kubernetes.

mod plan;

use super::Context;
use crate::emit::Page;

/// The templates of this target: name and text.
pub const TEMPLATES: &[(&str, &str)] = &[];

/// Plans the group of `context` and says what to print where.
pub fn pages(_context: &mut Context<'_>) -> Vec<Page> {
    Vec::new()
}
