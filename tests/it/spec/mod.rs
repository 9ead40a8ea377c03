//! Specs and what lies over them; what is refused, and the schema for editors.

mod bad;
mod overlays;
mod schema;
