//! Tests of a whole compile, through the library.

pub mod hostile;
mod pipeline;
mod split;
