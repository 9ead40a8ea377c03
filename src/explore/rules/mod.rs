//! The rules of each orchestrator, one file each.

mod common;
pub mod fleet;
pub mod kubernetes;
pub mod swarm;

use super::search::Rules;
use crate::target::Target;

/// Returns the rules of a target.
pub fn of(target: Target) -> &'static dyn Rules {
    match target {
        Target::Kubernetes => &kubernetes::Kubernetes,
        Target::Fleet => &fleet::Fleet,
        Target::Swarm => &swarm::Swarm,
    }
}
