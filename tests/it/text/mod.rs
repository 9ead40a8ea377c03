//! The formats of text.

mod unit;
mod yaml;
