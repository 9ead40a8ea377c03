//! What holds what on fleet.

use super::{Expect, Found, Hazard, Resource, Shape};
use crate::emit::Tree;
use crate::target::Gap;

/// What ought to hold a cell.
pub fn expect(_shape: &Shape<'_>, _resource: Resource, _hazard: Hazard) -> Expect {
    Expect::AsData
}

/// What the text carries.
pub fn found(_shape: &Shape<'_>, _tree: &Tree) -> Found {
    Found::new()
}

/// What happens where nothing holds.
pub fn story(shape: &Shape<'_>, _resource: Resource, _hazard: Hazard) -> Gap {
    Gap::new("", shape.service.key(&crate::route!["exclusive"]), "nothing holds", "nothing")
}
