//! The input of every plan: the services of one name, and where to report errors and gaps.

use std::hash::{BuildHasher as _, Hash};

use rustc_hash::FxBuildHasher;
use serde::Serialize;

use crate::diag::{Diagnostic, Place};
use crate::gap::{Gap, GapId};
use crate::model::{Model, Service};
use crate::options::Options;
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// The services of one name (one service, or its revisions) and where to report.
pub struct Context<'a> {
    /// All services of the batch and the services that they name.
    pub model: &'a Model,
    /// The services of one name.
    pub group: &'a [&'a Service],
    /// The options of the compile.
    pub options: &'a Options,
    /// The errors found so far.
    pub faults: &'a mut Vec<Diagnostic>,
    /// The gaps found so far, each with the index of its service in `group`.
    pub gaps: &'a mut Vec<(usize, Gap)>,
}

impl Context<'_> {
    /// Reports an error.
    pub fn fault(&mut self, diagnostic: Diagnostic) {
        self.faults.push(diagnostic);
    }

    /// Reports a gap of `service`.
    pub fn gap(&mut self, service: &Service, gap: Gap) {
        let index = self.group.iter().position(|s| std::ptr::eq(*s, service)).unwrap_or_default();
        self.gaps.push((index, gap));
    }

    /// Returns the file names of the specs in the group, for the header of emitted files.
    pub fn origin(&self) -> String {
        self.group.iter().map(|s| s.file.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A waiver that `berthc verify` can also find in the emitted file, as a comment.
#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    /// The gap, `TARGET/RESOURCE/HAZARD`, or the code that `berthc verify` has for it.
    pub gap: String,
    /// The reason.
    pub because: String,
}

impl Accepted {
    /// Returns the waivers of `service` for `target`.
    pub fn of(service: &Service, target: Target) -> Vec<Self> {
        let own = service.accept.iter().filter_map(|accept| match &accept.gap {
            GapId::Cell(cell) if cell.target == target => Some((cell, &accept.because)),
            _ => None,
        });
        own.map(|(cell, because)| Self { gap: cell.to_string(), because: because.clone() }).collect()
    }
}

/// Returns a hash of `thing` that is stable across machines. Different values may collide.
pub fn key(thing: impl Hash) -> u64 {
    FxBuildHasher.hash_one(thing)
}

/// The part of a spec that determines the end of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin<'m> {
    /// The name of the service.
    Service,
    /// The revision.
    Revision,
    /// A data directory, by its route.
    Data(&'m Route),
    /// A helper, by its name.
    Helper(&'m str),
}

impl Origin<'_> {
    /// Returns its place in the spec of `service`.
    pub fn place(self, service: &Service) -> Place {
        match self {
            Self::Service => service.place(&route!["service"]),
            Self::Revision => service.place(&route!["revision"]),
            Self::Data(route) => service.key(route),
            Self::Helper(name) => service.key(&route!["helpers", name]),
        }
    }
}
