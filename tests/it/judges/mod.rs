//! Second opinions: simulators that do not use berthc.

pub mod fleet;
