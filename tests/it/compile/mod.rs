//! Tests of a whole compile, through the library.

pub mod hostile;
mod large;
mod notes;
mod pipeline;
mod split;
