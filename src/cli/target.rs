//! A target as an argument.

use berthc::Target;
use clap::ValueEnum;

/// The name of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetName {
    Kubernetes,
    Fleet,
    Swarm,
}

/// Returns the target of a name.
pub fn target(name: TargetName) -> Target {
    match name {
        TargetName::Kubernetes => Target::Kubernetes,
        TargetName::Fleet => Target::Fleet,
        TargetName::Swarm => Target::Swarm,
    }
}
