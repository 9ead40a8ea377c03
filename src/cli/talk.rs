//! How a command says what it found: messages go to stderr, data to stdout.

use std::io::Write as _;

use berthc::{Diagnostic, Input, Severity};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::finding::{self, Finding};
use super::{Outside, github, print, report, sarif};

#[derive(Debug, Args)]
pub struct Talk {
    /// How messages are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on stderr
    #[default]
    Text,
    /// One JSON object on stdout
    Json,
    /// A log of SARIF 2.1.0 on stdout, for code scanning
    Sarif,
    /// Annotations of GitHub Actions on stdout
    Github,
}

/// What a command has besides its diagnostics.
#[derive(Default)]
pub struct Told {
    /// Data for people.
    pub data: String,
    /// One line for people; empty when there is nothing to say.
    pub summary: String,
    /// Findings beside the diagnostics, for machines that know findings only.
    pub findings: Vec<Finding>,
    /// The object for machines, to which the diagnostics are added.
    pub json: serde_json::Map<String, Value>,
}

impl Talk {
    /// Says it all; `sources` are the texts that the places of `diagnostics` point into.
    ///
    /// # Errors
    /// Data could not be written; a reader that went away is no error.
    pub fn tell(&self, sources: &[Input], diagnostics: &[Diagnostic], told: Told) -> Result<(), Outside> {
        match self.format {
            Format::Text => {
                let mut err = anstream::stderr();
                let _ = err.write_all(report::text(sources, &self.wanted(diagnostics)).as_bytes());
                print(&told.data)?;
                if !self.quiet && !told.summary.is_empty() {
                    let _ = writeln!(err, "{}", told.summary);
                }
                Ok(())
            }
            Format::Json => {
                let mut object = told.json;
                let found = diagnostics.iter().map(|d| report::json(sources, d)).collect();
                object.insert("diagnostics".into(), found);
                print(&format!("{:#}\n", Value::Object(object)))
            }
            Format::Sarif => {
                let mut all = finding::of(sources, diagnostics);
                all.extend(told.findings);
                print(&format!("{:#}\n", sarif::log(&all)))
            }
            Format::Github => {
                let mut all = finding::of(sources, &self.wanted(diagnostics));
                all.extend(told.findings);
                print(&github::annotations(&all))
            }
        }
    }

    fn wanted(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let wanted = |d: &&Diagnostic| !self.quiet || d.severity == Severity::Error;
        diagnostics.iter().filter(wanted).cloned().collect()
    }
}
