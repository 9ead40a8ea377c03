//! Tests of specs: their layers, what is rejected, and the schema for editors.

mod bad;
mod overlays;
mod schema;
