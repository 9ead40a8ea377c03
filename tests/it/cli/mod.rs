//! Tests of the program: its commands, its output, its cache.

mod check;
mod known;
mod output;
mod terminal;
mod usage;
mod verify;
