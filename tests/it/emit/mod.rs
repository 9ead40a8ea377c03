//! The emitted text.

mod golden;
