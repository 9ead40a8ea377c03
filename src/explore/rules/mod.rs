//! The rules of each orchestrator, one file each.

mod common;
pub mod fleet;
pub mod kubernetes;
pub mod swarm;

use super::facts::Facts;
use super::search::Rules;
use crate::target::Target;

/// Returns the rules of a scenario. On one machine docker compose does what systemd does for a unit: it
/// starts a container when the one before has ended.
pub fn of(facts: &Facts) -> &'static dyn Rules {
    match facts.target {
        Target::Swarm if facts.composed() => &fleet::Fleet,
        Target::Kubernetes => &kubernetes::Kubernetes,
        Target::Fleet => &fleet::Fleet,
        Target::Swarm => &swarm::Swarm,
    }
}
