//! The state for planning the units of one member: its values, and where to report errors.

use super::names;
use super::naming::Addresses;
use super::shell;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::emit::exec_word;
use crate::model::{File, Secret, Service, Template};
use crate::plan::context::Context;
use crate::plan::scope::{For, Values};
use crate::value::{Part, Text};

/// The longest physical line in bytes: fleet refuses 2048 (go-systemd `unit/deserialize.go`), and
/// systemd before 233 reads 2046 and the newline.
const MAX_LINE: usize = 2046;
/// The length of the longest text before the first word of a line.
const LONGEST_KEY: usize = "ExecStartPre=-".len();
/// Plans the units of one member and reports errors.
pub struct Maker<'a, 'c> {
    /// Where to report errors.
    pub context: &'a mut Context<'c>,
    /// The service of the units.
    pub service: &'c Service,
    /// The id of the member; `None` for `per: node`.
    pub id: Option<u32>,
    values: Values<'c, Addresses>,
}

impl<'a, 'c> Maker<'a, 'c> {
    /// Makes the state for member `id` of `service`.
    pub fn new(context: &'a mut Context<'c>, service: &'c Service, id: Option<u32>) -> Self {
        Self { context, service, id, values: Values::new(&Addresses, service) }
    }

    fn whom(&self) -> For {
        self.id.map_or(For::Any, For::Member)
    }

    /// Renders a value that may contain secrets.
    pub fn secret_text(&mut self, template: &Template) -> Text {
        let text = self.values.text(self.context, template, self.whom());
        self.check_characters(&text, self.service.place(&template.route));
        text
    }

    /// Renders an item of a command, which must not contain a secret.
    pub fn item(&mut self, template: &Template) -> Vec<Text> {
        let words = self.values.words(self.context, template, self.whom());
        let place = self.service.place(&template.route);
        words
            .into_iter()
            .map(|word| {
                self.check_characters(&word, place);
                self.without_secret(template, word)
            })
            .collect()
    }

    /// Returns the text of a file for the container; `None` if it has an error, which is reported.
    pub fn file_text(&mut self, file: &File) -> Option<Text> {
        let text = self.values.file(self.context, file, self.whom())?;
        self.check_characters(&text, self.service.key(&file.route));
        Some(text)
    }

    /// Reports a character that systemd does not accept.
    pub fn check_characters(&mut self, text: &Text, place: Place) {
        let mut refused = text.0.iter().filter_map(|part| match part {
            Part::Literal(text) => refused_character(text),
            _ => None,
        });
        if let Some(c) = refused.next() {
            let message = format!("systemd does not accept the character U+{:04X} in a line", c as u32);
            self.context.fault(
                Diagnostic::error(Code::CharacterForbidden, place, message)
                    .why("it would drop the line and run the unit without it"),
            );
        }
    }

    /// Renders a value that every user of the machine can read, so it must not contain a secret.
    pub fn text(&mut self, template: &Template) -> Text {
        let text = self.secret_text(template);
        self.without_secret(template, text)
    }

    fn without_secret(&mut self, template: &Template, mut text: Text) -> Text {
        if text.secrets().next().is_some() {
            let name = text.secrets().next().unwrap_or_default();
            let message =
                "on fleet a secret must be a file or a variable: here every user of the machine would see it";
            let place = self.service.place(&template.route);
            self.context.fault(
                Diagnostic::error(Code::RuntimeNotHere, place, message)
                    .why("the arguments of `docker run` appear in the process list")
                    .fix(
                        "let the program read the file of the secret",
                        format!("{{{{ secret('{name}').path }}}}"),
                    ),
            );
            text.0.retain(|part| !matches!(part, Part::Secret(_)));
        }
        text
    }

    /// Renders several values.
    pub fn words(&mut self, templates: &[Template]) -> Vec<Text> {
        templates.iter().flat_map(|t| self.item(t)).collect()
    }

    /// Returns the environment. For a service that starts for the first time, this includes
    /// `bootstrap.env`.
    pub fn with_bootstrap(
        &self,
        env: &[(String, Template)],
        first: &[(String, Template)],
    ) -> Vec<(String, Template)> {
        let mut all = env.to_vec();
        if self.context.options.bootstrap.contains(&self.service.name) {
            for (name, template) in first {
                match all.iter_mut().find(|(n, _)| n == name) {
                    Some(entry) => entry.1 = template.clone(),
                    None => all.push((name.clone(), template.clone())),
                }
            }
        }
        all
    }

    /// Returns the path on the machine of a file for the container. It lies below a directory of
    /// the unit, so that a waiting unit does not change the files of a running one.
    pub fn file(&self, path: &str) -> String {
        format!("/run/berth/{}{path}", names::stem(self.service, None, self.id))
    }

    /// Returns the path on the machine of `secret` for a container of the member, or of `helper`.
    pub fn secret(&self, secret: &Secret, helper: Option<&str>) -> String {
        match secret.exact() {
            true => {
                format!("/run/berth-secrets/{}/{}", names::stem(self.service, helper, self.id), secret.name)
            }
            false => shell::secret_file(secret),
        }
    }

    /// Reports a line that fleet would refuse.
    pub fn check_line_length(&mut self, words: &[Text], place: Place) {
        let width: usize = words.iter().filter_map(exec_word).map(|w| w.len() + 1).sum();
        if LONGEST_KEY + width + " \\".len() <= MAX_LINE {
            return;
        }
        let start: String =
            words.iter().flat_map(|w| w.marked().chars().collect::<Vec<_>>()).take(40).collect();
        let start = start.replace(|c: char| c.is_control() || crate::value::is_mark(c), " ");
        self.context.fault(
            Diagnostic::error(
                Code::LineTooLong,
                place,
                format!("the line `{start}…` of the unit is too long"),
            )
            .why(format!(
                "fleet accepts lines of less than 2048 bytes, and this one does not fit into {MAX_LINE}"
            ))
            .advice("put a long text into a file, under `files`"),
        );
    }
}

/// Returns the first character that systemd does not accept in text (`src/basic/utf8.c`). It would
/// drop the line.
fn refused_character(text: &str) -> Option<char> {
    if text.is_ascii() {
        return None;
    }
    text.chars().find(|c| matches!(*c as u32, 0xFDD0..=0xFDEF) || *c as u32 & 0xFFFE == 0xFFFE)
}
