//! The addresses of members on Swarm: the name of their service on an overlay network, or the
//! address of the node on the node's network, which has no names.

use super::service::SwarmService;
use crate::code::Code;
use crate::model::Service;
use crate::plan::scope::{Naming, no_address};
use crate::target::Target;
use crate::value::Fault;

/// The names on Swarm.
pub struct Names;

impl Naming for Names {
    fn target(&self) -> Target {
        Target::Swarm
    }

    fn address(&self, _from: &Service, of: &Service, id: u32) -> Result<String, Fault> {
        let name = format!("{}-{id}", of.name);
        let Some(subject) = SwarmService::of(of).filter(|s| s.workload.node_network) else { return Ok(name) };
        let pin = subject.pin();
        pin.and_then(|pin| pin.at.get(&id)).cloned().ok_or_else(|| {
            let label = pin.map_or(of.name.as_str(), |pin| &pin.label);
            no_address(of, id, Target::Swarm, &addresses(label, &subject))
        })
    }

    fn unreachable(&self, from: &Service, of: &Service) -> Option<Fault> {
        let (from, of) = (SwarmService::of(from)?, SwarmService::of(of)?);
        if of.workload.node_network {
            return None;
        }
        let theirs = of.swarm.network.as_deref()?;
        let (name, other) = (&from.service.name, &of.service.name);
        let files = format!("{} and {}", from.service.file, of.service.file);
        if from.workload.node_network {
            let message = format!(
                "{name} uses its node's network and cannot resolve the names of {other} on the overlay network {theirs} ({files})"
            );
            return Some(
                Fault::new(Code::PeerOnOtherNetwork, message)
                    .fix(format!("add to {}", of.service.file), "exclusive: { address: node }"),
            );
        }
        let mine = from.swarm.network.as_deref()?;
        (mine != theirs).then(|| {
            let message = format!(
                "{name} is on the network {mine} and {other} on {theirs}: neither can resolve the names of the other ({files})"
            );
            Fault::new(Code::PeerOnOtherNetwork, message).fix(
                format!("add to {}", from.service.file),
                format!("targets: {{ swarm: {{ network: {theirs} }} }}"),
            )
        })
    }
}

/// Returns a line that gives each member an address, all of which the user replaces.
fn addresses(label: &str, subject: &SwarmService<'_>) -> String {
    let all = subject.workload.ids().zip(31..255).map(|(id, at)| format!("{id}: 10.0.0.{at}"));
    let all = all.collect::<Vec<_>>().join(", ");
    format!("members: {{ pin: {{ label: {label}, at: {{ {all} }} }} }}")
}
