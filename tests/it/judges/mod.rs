//! Second opinions from outside: simulators that know nothing of berthc.

pub mod fleet;
