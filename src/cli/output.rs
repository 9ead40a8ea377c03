//! Prints the result of a command: messages to stderr, data to stdout.

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal as _, Write as _};

use berthc::{Diagnostic, Input, Severity};
use clap::{Args, ValueEnum};
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::drift::State;
use super::finding::{self, Finding};
use super::stdout::{Outside, print, written};
use super::{github, report, sarif};

#[derive(Debug, Args)]
pub struct Output {
    /// The format of messages
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For humans, on stderr
    #[default]
    Text,
    /// One JSON object on stdout
    Json,
    /// A SARIF 2.1.0 log on stdout, for code scanning
    Sarif,
    /// Annotations of GitHub Actions on stdout
    Github,
}

/// The result of a command, besides its diagnostics.
#[derive(Default)]
pub struct Report<'a> {
    /// Text for stdout.
    pub data: String,
    /// The differences, as text and as `drift` in JSON.
    pub drift: Option<Rows<'a>>,
    /// Whether notes are printed in full.
    pub verbose: bool,
    /// A summary in one line; may be empty.
    pub summary: String,
    /// Findings, for formats that only have findings.
    pub findings: Vec<Finding>,
    /// The JSON object; the diagnostics are added to it.
    pub json: serde_json::Map<String, Value>,
}

/// A file that differs.
#[derive(Serialize)]
pub struct Row<'a> {
    pub diff: String,
    pub file: &'a str,
    pub state: State,
}

/// Rows that are computed one by one while they are printed.
pub struct Rows<'a> {
    pub count: usize,
    pub row: &'a dyn Fn(usize) -> Result<Row<'a>, Outside>,
}

impl Rows<'_> {
    fn each(&self) -> impl Iterator<Item = Result<Row<'_>, Outside>> {
        (0..self.count).map(|at| (self.row)(at))
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut list = s.serialize_seq(Some(self.count))?;
        for row in self.each() {
            list.serialize_element(&row.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// A value of the JSON object.
#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Value(Value),
    Rows(Rows<'a>),
}

impl Output {
    /// Prints everything. `sources` are the texts that the places of `diagnostics` point into.
    ///
    /// # Errors
    /// The data could not be written. A closed pipe is no error.
    pub fn report(
        &self,
        sources: &[Input],
        diagnostics: &[Diagnostic],
        report: Report<'_>,
    ) -> Result<(), Outside> {
        match self.format {
            Format::Text => {
                let mut err = anstream::stderr();
                let _ = err
                    .write_all(report::text(sources, &self.wanted(diagnostics), report.verbose).as_bytes());
                print(&report.data)?;
                for row in report.drift.iter().flat_map(Rows::each) {
                    print(&row?.diff)?;
                }
                if !self.quiet && !report.summary.is_empty() {
                    let _ = writeln!(err, "{}", report.summary);
                }
                Ok(())
            }
            Format::Json => {
                let found = diagnostics.iter().map(|d| report::json(sources, d)).collect();
                let rows = report.drift.map(|rows| ("drift".to_owned(), Field::Rows(rows)));
                let own = report.json.into_iter().map(|(key, value)| (key, Field::Value(value)));
                let all = own.chain(rows).chain([("diagnostics".to_owned(), Field::Value(found))]);
                let object = all.collect::<BTreeMap<_, _>>();
                if std::io::stdout().is_terminal() {
                    return print(&format!(
                        "{}\n",
                        serde_json::to_string_pretty(&object).map_err(|e| e.to_string())?
                    ));
                }
                let mut out = BufWriter::new(std::io::stdout().lock());
                let done = serde_json::to_writer_pretty(&mut out, &object).map_err(std::io::Error::from);
                written(done.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
            }
            Format::Sarif => {
                let mut all = finding::of(sources, diagnostics);
                all.extend(report.findings);
                print(&format!("{:#}\n", sarif::log(&all)))
            }
            Format::Github => {
                let mut all = finding::of(sources, &self.wanted(diagnostics));
                all.extend(report.findings);
                print(&github::annotations(&all))
            }
        }
    }

    fn wanted(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let wanted = |d: &&Diagnostic| !self.quiet || d.severity == Severity::Error;
        diagnostics.iter().filter(wanted).cloned().collect()
    }
}
