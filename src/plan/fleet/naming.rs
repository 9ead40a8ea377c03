//! The addresses of members.

use crate::model::{Pin, Service, Workload};
use crate::plan::scope::{Naming, no_address};
use crate::target::Target;
use crate::value::Fault;

/// The addresses on fleet. fleet has no names of its own: addresses come from the table of the pin,
/// or from the operator's DNS.
pub struct Addresses;

impl Naming for Addresses {
    fn target(&self) -> Target {
        Target::Fleet
    }

    fn address(&self, _from: &Service, of: &Service, id: u32) -> Result<String, Fault> {
        let listed = of.workload().and_then(|w| pin(of, w)).and_then(|pin| pin.at.get(&id));
        let domain = of.targets.fleet.as_ref().and_then(|f| f.domain.as_ref());
        match (listed, domain) {
            (Some(address), _) => Ok(address.clone()),
            (None, Some(domain)) => Ok(format!("{}-{id}.{domain}", of.name)),
            (None, None) => {
                Err(no_address(of, id, Target::Fleet, "targets: { fleet: { domain: example.com } }"))
            }
        }
    }
}

/// Returns the pin of the members on fleet.
pub fn pin<'s>(service: &'s Service, w: &'s Workload) -> Option<&'s Pin> {
    let here = || service.targets.fleet.as_ref().and_then(|f| f.pin.as_ref());
    w.pin().or_else(here)
}
