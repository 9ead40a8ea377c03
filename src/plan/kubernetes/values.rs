//! Renders values for Kubernetes: variables hold what only a running pod knows.

use std::collections::BTreeSet;

use super::naming::{self, Names};
use super::objects::{SecretKey, Variable};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::{run_variable, secret_variable};
use crate::model::{File, Kubernetes, Program, Secret, Service, Template, Workload};
use crate::plan::context::Context;
use crate::plan::scope::{For, Values};
use crate::text::units::Version;
use crate::value::{Part, Run, Text};

/// The first version that labels the pods of a StatefulSet with their index (feature gate
/// `PodIndexLabel`, on by default).
const POD_INDEX: Version = Version::new(1, 28);

/// The script that starts a member of which only one founds the cluster. `$0` is the name of the pod and
/// `$1` that of the founder; then come variables, `--` and the command. It sets no variable of its own.
const FOUNDER: &str = concat!(
    r#"if [ "$0" = "$1" ]; then shift; while [ "$1" != -- ]; do export "$1"; shift; done; fi; "#,
    r#"while [ "$1" != -- ]; do shift; done; shift; exec "$@""#
);

/// A renderer for the values of one service.
pub struct Words<'a> {
    service: &'a Service,
    version: Version,
    values: Values<'a, Names>,
    /// The parts of `member.address`.
    address: Vec<Part>,
    /// The field for [`Run::Address`].
    address_field: &'static str,
    secrets: &'a [Secret],
}

/// The rendered values of a program.
pub struct Rendered {
    /// The command that replaces the entrypoint.
    pub command: Vec<Text>,
    /// The arguments.
    pub args: Vec<Text>,
    /// The environment, in order.
    pub env: Vec<(String, Text)>,
}

impl Rendered {
    /// Returns all values.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.command.iter().chain(&self.args).chain(self.env.iter().map(|(_, text)| text))
    }

    /// Lets only the pod `founder` get the variables of `env`: all pods of a StatefulSet have one template.
    pub fn found(&mut self, founder: &str, env: Vec<(String, Text)>) {
        let mut command = ["/bin/sh", "-c", FOUNDER].map(Text::literal).to_vec();
        command.push(Text(vec![Part::Run(Run::Name)]));
        command.push(Text::literal(founder));
        command.extend(env.into_iter().map(|(name, mut text)| {
            text.0.insert(0, Part::Literal(format!("{name}=")));
            text
        }));
        command.push(Text::literal("--"));
        command.append(&mut self.command);
        self.command = command;
    }
}

impl<'a> Words<'a> {
    /// Makes a renderer for the workload `w` of `service`.
    pub fn new(service: &'a Service, w: &'a Workload, settings: &Kubernetes) -> Self {
        Self {
            service,
            version: settings.version,
            values: Values::new(&Names, service),
            address: naming::own_address(&service.name, &settings.namespace, w),
            address_field: naming::address_field(w),
            secrets: &w.secrets,
        }
    }

    /// Renders a value that Kubernetes expands: of `env`, `command` or `args`.
    fn text(&self, context: &mut Context<'_>, template: &Template) -> Text {
        let text = self.values.text(context, template, For::Any);
        self.checked(context, template, &text)
    }

    /// Renders the words of `command` or `args`.
    fn texts(&self, context: &mut Context<'_>, templates: &[Template]) -> Vec<Text> {
        let mut all = Vec::new();
        for template in templates {
            let words = self.values.words(context, template, For::Any);
            all.extend(words.iter().map(|word| self.checked(context, template, word)));
        }
        all
    }

    fn checked(&self, context: &mut Context<'_>, template: &Template, text: &Text) -> Text {
        if self.version < POD_INDEX && text.runs().any(|run| run == Run::Id) {
            context.fault(
                Diagnostic::error(
                    Code::VersionTooOld,
                    self.service.place(&template.route),
                    format!("Kubernetes {} does not tell a pod its id", self.version),
                )
                .why(format!("the label apps.kubernetes.io/pod-index exists since {POD_INDEX}"))
                .fix("let the program read it from its name", "{{ member.name }}")
                .fix("or require a newer version", format!("version: \"{POD_INDEX}\"")),
            );
        }
        text.with(Run::Address, &self.address)
    }

    /// Renders a list that Kubernetes does not expand: probes, hooks and the commands of an
    /// operator.
    pub fn literals(&self, context: &mut Context<'_>, all: &[Template], holder: &str) -> Vec<String> {
        self.values.literals(context, all, For::Any, holder)
    }

    /// Renders one value that Kubernetes does not expand.
    pub fn literal(&self, context: &mut Context<'_>, template: &Template, holder: &str) -> String {
        self.values.literal(context, template, For::Any, holder)
    }

    /// Renders one value that Kubernetes does not expand, for a member with a known id.
    pub fn literal_of(&self, context: &mut Context<'_>, template: &Template, id: u32, holder: &str) {
        self.values.literal(context, template, For::Member(id), holder);
    }

    /// Renders the values of `program`. Variables in `further` replace those with the same names.
    pub fn program(
        &self,
        context: &mut Context<'_>,
        program: &Program,
        further: Vec<(String, Text)>,
    ) -> Rendered {
        let mut env = self.env(context, &program.env);
        for (name, text) in further {
            match env.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = text,
                None => env.push((name, text)),
            }
        }
        Rendered {
            command: self.texts(context, &program.command),
            args: self.texts(context, &program.args),
            env,
        }
    }

    /// Renders the values of an environment.
    pub fn env(&self, context: &mut Context<'_>, env: &[(String, Template)]) -> Vec<(String, Text)> {
        env.iter().map(|(name, t)| (name.clone(), self.text(context, t))).collect()
    }

    /// Renders a file of the ConfigMap; `None` if it has an error, which is reported.
    pub fn file(&self, context: &mut Context<'_>, file: &File, whom: For) -> Option<String> {
        let text = self.values.file(context, file, whom)?;
        let holder = "a rendered file, which is the same on every node";
        let written = self.values.written(context, &file.content, &text, holder);
        text.as_literal().map(|_| written)
    }

    /// Returns the environment of a container, with a variable for `further`. Variables that other
    /// variables use come first, because `$(NAME)` sees only the variables before it.
    pub fn variables(&self, rendered: &Rendered, further: Option<Run>) -> Vec<Variable> {
        let mut runs: BTreeSet<Run> = further.into_iter().collect();
        let mut secrets = BTreeSet::new();
        let whole = |text: &Text| matches!(text.0.as_slice(), [Part::Run(_) | Part::Secret(_)]);
        let in_env = rendered.env.iter().map(|(_, text)| text).filter(|text| !whole(text));
        for text in rendered.command.iter().chain(&rendered.args).chain(in_env) {
            runs.extend(text.runs());
            secrets.extend(text.secrets().map(ToOwned::to_owned));
        }
        let runs = runs.into_iter().map(|run| self.variable(run_variable(run).to_owned(), Part::Run(run)));
        let secrets = secrets.into_iter().map(|s| self.variable(secret_variable(&s), Part::Secret(s)));
        let own = rendered.env.iter().map(|(name, text)| match text.0.as_slice() {
            [part @ (Part::Run(_) | Part::Secret(_))] => self.variable(name.clone(), part.clone()),
            _ => Variable { name: name.clone(), value: text.clone(), ..Variable::default() },
        });
        runs.chain(secrets).chain(own).collect()
    }

    /// Makes a variable that consists of a single part.
    fn variable(&self, name: String, part: Part) -> Variable {
        let mut variable = Variable { name, ..Variable::default() };
        match part {
            Part::Literal(text) => variable.value = Text::literal(text),
            Part::Run(run) => variable.field = Some(self.field(run)),
            Part::Secret(name) => {
                variable.secret = self
                    .secrets
                    .iter()
                    .find(|s| s.name == name)
                    .map(|s| SecretKey { object: s.object.clone(), key: s.key.clone() });
            }
        }
        variable
    }

    /// Returns the field of the pod for a run-time part (`fieldRef` of the API, class
    /// `EnvVarSource`).
    fn field(&self, run: Run) -> &'static str {
        match run {
            Run::Id => "metadata.labels['apps.kubernetes.io/pod-index']",
            Run::Name => "metadata.name",
            Run::Node => "spec.nodeName",
            Run::Address => self.address_field,
        }
    }
}
