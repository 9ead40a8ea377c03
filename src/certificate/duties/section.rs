//! A section of duties, and the texts that all orchestrators share.

use std::fmt::Write;

use serde::Serialize;

use crate::model::{Model, Service, Template, Workload};
use crate::plan::spoken;
use crate::spec::Founders;
use crate::target::Target;
use crate::text::quote;
use crate::text::quote::shell_quote;

/// Duties of one kind.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// The duties, in order.
    pub items: Vec<Item>,
}

/// One duty.
#[derive(Debug, Serialize)]
pub struct Item {
    /// What to do, and when.
    pub text: String,
    /// Commands, one a line; may be empty.
    pub commands: Vec<String>,
}

impl Section {
    /// Makes a section without duties.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), items: Vec::new() }
    }

    /// Adds a duty. A command of several lines keeps its lines, because in one line it would be
    /// another command.
    pub fn add(&mut self, text: impl Into<String>, commands: Vec<String>) {
        let lines = commands.iter().flat_map(|c| c.split('\n')).map(ToOwned::to_owned).collect();
        self.items.push(Item { text: text.into(), commands: lines });
    }
}

/// Returns `text` as one word of a shell, in characters that a page can show.
pub fn word(text: &str) -> String {
    let odd = |c: char| quote::escaped(c) && c != '\n' && c != '\t';
    if !text.chars().any(odd) {
        return shell_quote(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '%' => out.push_str("%%"),
            c if odd(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
            c => out.push(c),
        }
    }
    format!("\"$(printf {})\"", shell_quote(&out))
}

/// The commands that an operator runs in members on one target.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub model: &'a Model,
    pub service: &'a Service,
    pub target: Target,
}

impl Words<'_> {
    /// Returns the command that runs `template` in member `id`.
    fn run(&self, exec: &str, template: &Template, id: Option<u32>) -> Option<String> {
        let text = spoken(self.target, self.model, self.service, template, id)?;
        Some(format!("{exec} sh -c {}", word(&text)))
    }

    /// Returns the pause after a member, and then the gate in that member.
    pub fn gate(&self, w: &Workload, exec: &str, id: Option<u32>) -> Vec<String> {
        let pause = (w.update.pause > 0).then(|| format!("sleep {}", w.update.pause));
        let gate = w.update.healthy.as_ref().and_then(|t| self.run(exec, t, id));
        pause.into_iter().chain(gate).collect()
    }
}

/// Each command runs only if the one before has succeeded.
pub fn chain(commands: Vec<String>) -> String {
    commands.join(" &&\n")
}

/// Returns the sentence about the pause and the gate.
pub fn then(w: &Workload) -> String {
    let pause = match w.update.pause {
        0 => String::new(),
        seconds => format!("wait {seconds} s, then "),
    };
    match w.update.healthy {
        Some(_) => format!("{pause}go on only when the last command succeeds"),
        None => format!("{pause}go on"),
    }
}

pub fn members(w: &Workload) -> Vec<Option<u32>> {
    if w.per_node() { vec![None] } else { w.ids().map(Some).collect() }
}

/// Returns the owner of a host directory, as options of `install`.
pub fn owner(w: &Workload) -> String {
    match w.program.user {
        Some(user) => format!("-o {} -g {} ", user.uid, user.gid.unwrap_or(user.uid)),
        None => String::new(),
    }
}

pub fn labels(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
}

pub fn revision(group: &[&Service], service: &Service) -> Option<(String, String)> {
    let first = group.first()?.revision.clone()?;
    Some((service.revision_label(), first))
}

/// How the members of a service start for the first time.
pub struct FirstStart<'a> {
    pub words: Words<'a>,
    pub w: &'a Workload,
    /// The commands that deploy all members.
    pub deploy: Vec<String>,
    /// The words before a command in the first member.
    pub exec: String,
    /// The commands that restart the members without the variables of the first start.
    pub again: Vec<String>,
    /// What these commands do, as the end of a sentence.
    pub restarts: String,
}

impl FirstStart<'_> {
    /// Adds the first start. A member that keeps the variables of the first start may found one more
    /// cluster after a crash, so they go at once.
    pub fn add(self, section: &mut Section) {
        let Self { words, w, mut deploy, exec, mut again, restarts } = self;
        let first = w.ids().next();
        let member = first.map_or("one member".to_owned(), |id| format!("{}-{id}", words.service.name));
        let founds = !w.bootstrap.env.is_empty();
        let compile = "berthc compile SPECS -o OUT";
        if founds {
            let who = if w.bootstrap.founders == Founders::All { "all members" } else { &member };
            deploy.insert(0, format!("{compile} --bootstrap {}", words.service.name));
            let text = format!("The very first start: {who} with the variables that found the cluster.");
            section.add(text, deploy);
        } else {
            section.add("Deploy.", deploy);
        }
        if let Some(run) = w.bootstrap.once.as_ref().and_then(|t| words.run(&exec, t, first)) {
            section.add(format!("Once, after the first start, in {member}."), vec![run]);
        }
        if founds {
            again.insert(0, compile.to_owned());
            let text = format!(
                "When the members run as one cluster: compile without these variables, then {restarts}. A member that keeps them may found another cluster when it crashes."
            );
            section.add(text, again);
        }
    }
}
