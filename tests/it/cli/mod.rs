//! Tests of the program: its commands, its output, its cache.

mod check;
mod fix;
mod known;
mod kustomize;
mod output;
mod safe;
mod terminal;
mod usage;
mod verify;
