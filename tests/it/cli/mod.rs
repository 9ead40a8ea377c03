//! Tests of the program: its commands, its output, its cache.

mod check;
mod known;
mod output;
mod usage;
mod verify;
