//! What every plan is made with: the services of one name, where to report, and the names that
//! their objects take.

use std::hash::{BuildHasher as _, Hash};

use rustc_hash::FxBuildHasher;
use serde::Serialize;

use crate::diag::{Diagnostic, Place};
use crate::gap::Gap;
use crate::model::{Model, Service};
use crate::options::Options;
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// What a plan is made in: the services of one name (several revisions, or one) and where to
/// report.
pub struct Context<'a> {
    /// Every service of the compile.
    pub model: &'a Model,
    /// The services of one name.
    pub group: &'a [&'a Service],
    /// What was asked for.
    pub options: &'a Options,
    /// Faults.
    pub faults: &'a mut Vec<Diagnostic>,
    /// Gaps, each with the index of its service in `group`.
    pub gaps: &'a mut Vec<(usize, Gap)>,
}

impl Context<'_> {
    /// Reports a fault.
    pub fn fault(&mut self, diagnostic: Diagnostic) {
        self.faults.push(diagnostic);
    }

    /// Reports a gap of `service`.
    pub fn gap(&mut self, service: &Service, gap: Gap) {
        let index = self.group.iter().position(|s| std::ptr::eq(*s, service)).unwrap_or_default();
        self.gaps.push((index, gap));
    }

    /// Names of the specs behind the group, for headers.
    pub fn origin(&self) -> String {
        self.group.iter().map(|s| s.file.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A waiver of what `berthc verify` can find in the files themselves, for a comment in them.
#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    /// `TARGET/RESOURCE/HAZARD`.
    pub gap: String,
    /// Why it is taken.
    pub because: String,
}

impl Accepted {
    /// Those of `service` for `target`.
    pub fn of(service: &Service, target: Target) -> Vec<Self> {
        let own = |gap: &str| {
            let mut parts = gap.split('/');
            parts.next() == Some(target.name()) && parts.count() == 2
        };
        let accept = service.accept.iter().filter(|a| own(&a.gap));
        accept.map(|a| Self { gap: a.gap.clone(), because: a.because.clone() }).collect()
    }
}

/// Stands for something that can be compared; it is the same on every machine. Two things that
/// differ may have one key.
pub fn key(thing: impl Hash) -> u64 {
    FxBuildHasher.hash_one(thing)
}

/// What of a spec a name is made of last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin<'m> {
    /// The service's name.
    Service,
    /// Its revision.
    Revision,
    /// Data, by its route.
    Data(&'m Route),
    /// A helper, by its name.
    Helper(&'m str),
}

impl Origin<'_> {
    /// Where it stands in the spec of `service`.
    pub fn place(self, service: &Service) -> Place {
        match self {
            Self::Service => service.place(&route!["service"]),
            Self::Revision => service.place(&route!["revision"]),
            Self::Data(route) => service.key(route),
            Self::Helper(name) => service.key(&route!["helpers", name]),
        }
    }
}
