//! The command line of berthc.

fn main() {}
