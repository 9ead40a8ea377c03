//! The cells of the matrix: one resource under one hazard each, and what protects it.

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
    /// What protects it.
    pub verdict: Verdict,
}

/// What protects a cell.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Mechanisms prevent every way to a second container.
    Held {
        /// The mechanisms, the strongest first.
        by: Vec<&'static Mechanism>,
        /// The mechanisms that the table also requires, but the text lacks.
        lost: Vec<&'static Mechanism>,
    },
    /// The mechanisms of the member's data protect it.
    AsData,
    /// The hazard cannot happen.
    Never(&'static str),
    /// Only a person can prevent it.
    Duty,
    /// No mechanism prevents at least one way.
    Gap {
        /// The ways that no mechanism prevents.
        open: Vec<&'static str>,
        /// The mechanisms that prevent the other ways.
        by: Vec<&'static Mechanism>,
        /// The mechanisms that the table requires and the text lacks.
        lost: Vec<&'static Mechanism>,
    },
}

/// The certificate of one service on one target.
#[derive(Debug, Clone)]
pub struct Part {
    /// The target.
    pub target: Target,
    /// The title with the version: `Kubernetes 1.34`.
    pub title: String,
    /// The cells by resource and hazard, only for resources that the spec claims.
    pub cells: Vec<Cell>,
    /// The lines that carry each mechanism of the cells.
    pub carriers: Carried,
}
