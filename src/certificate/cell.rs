//! What holds each cell of the matrix.

use serde::Serialize;

use crate::hazard::{Hazard, Resource};
use crate::mechanism::{Carried, Mechanism};
use crate::target::Target;

/// One cell of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The resource.
    pub resource: Resource,
    /// The hazard.
    pub hazard: Hazard,
    /// What holds it.
    pub verdict: Verdict,
}

/// What holds a cell.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every way is kept off.
    Held {
        /// By these, strongest first.
        by: Vec<&'static Mechanism>,
        /// These ought to as well, and the text lacks them.
        lost: Vec<&'static Mechanism>,
    },
    /// As the data of the member.
    AsData,
    /// It cannot happen.
    Never(&'static str),
    /// Nothing but a person.
    Duty,
    /// One way at least is open.
    Gap {
        /// The ways that nothing keeps off.
        open: Vec<&'static str>,
        /// What keeps the others off.
        by: Vec<&'static Mechanism>,
        /// What ought to be there, and is not.
        lost: Vec<&'static Mechanism>,
    },
}

/// The certificate of one service on one target.
#[derive(Debug, Clone)]
pub struct Part {
    /// The target.
    pub target: Target,
    /// `Kubernetes 1.34`.
    pub title: String,
    /// Its cells, by resource and hazard; only resources that the spec claims.
    pub cells: Vec<Cell>,
    /// Where the text carries each mechanism that some cell names.
    pub carriers: Carried,
}
