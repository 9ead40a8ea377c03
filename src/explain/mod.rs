//! Pages on codes, gaps, hazards, resources and layers.

/// The page of `name`.
pub fn page(_name: &str) -> Option<&'static str> {
    None
}

/// The name that was most likely meant.
pub fn nearest(_name: &str) -> Option<&'static str> {
    None
}
