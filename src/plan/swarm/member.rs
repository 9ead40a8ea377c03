//! Plans the services of a stack for one member and its helpers.

use serde_json::Map;

use super::carried::{self, Config};
use super::naming::Names;
use super::service::SwarmService;
use super::stack::{Deploy, Healthcheck, Published, Resources, Service, Variable};
use super::storage;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::run_variable;
use crate::gap::{Gap, GapId};
use crate::model::{self, Check, Health, Helper, Program, Stop, Swarm, Template, Update, User, Workload};
use crate::plan::context::Context;
use crate::plan::docker::{self, Command, GUARD};
use crate::plan::scope::{For, Values};
use crate::target::Target;
use crate::text::units::{cores, docker_bytes};
use crate::value::{Part, Run, Text};

/// The longest interval of checks in the time of the start, in seconds: the engine's own
/// (moby `daemon/health.go`, `defaultStartInterval`). A shorter `every` holds there too.
const LONGEST_START_INTERVAL: u32 = 5;

/// Plans the services of one member.
pub struct Maker<'a> {
    subject: SwarmService<'a>,
    id: Option<u32>,
    /// Whether this is the first member: what is the same for all members is reported only once.
    first: bool,
}

impl Maker<'_> {
    /// Makes the state for member `id`, or for the member of any node.
    pub fn new(subject: SwarmService<'_>, id: Option<u32>, first: bool) -> Maker<'_> {
        Maker { subject, id, first }
    }

    fn whom(&self) -> For {
        self.id.map_or(For::Any, For::Member)
    }

    /// Plans the service of the member.
    pub fn member(&self, context: &mut Context<'_>, configs: &[Config]) -> Service {
        let w = self.subject.workload;
        let Workload {
            program,
            files: _,
            secrets,
            ulimits,
            tmpfs: _,
            annotations,
            members: _,
            data: _,
            ports: _,
            id: _,
            hostname: _,
            node_network,
            writer: _,
            guard,
            stop,
            health,
            update,
            bootstrap: _,
            helpers: _,
            apart_from: _,
            lists_members: _,
            peers: _,
        } = w;
        let Stop { before: _, signal, grace } = stop;
        let Update { pause, healthy: _ } = update;
        let name = self.subject.name(self.id);
        let first_start = context.options.bootstrap.contains(&self.subject.service.name);
        let env = variables(program, if first_start { w.first_env(self.id) } else { &[] });
        let mut environment = self.environment(context, &env);
        if configs.iter().any(|config| config.carried.driver.is_some()) {
            // A config has no name of its node: `.Node.Hostname` is empty there on 20.10 and 26.1.
            let node = Text(vec![Part::Run(Run::Node)]);
            environment.insert(0, Variable { name: run_variable(Run::Node).to_owned(), value: node });
        }
        let (mut entrypoint, mut command) = self.words(context, program);
        if *guard && let Some(first) = w.data.first() {
            entrypoint.append(&mut command);
            command = entrypoint;
            entrypoint = ["/bin/sh", "-c", GUARD, &first.mount].map(str::to_owned).to_vec();
        }
        let mut deploy =
            Deploy::new(self.id.is_some(), self.constraints(), *pause, resources(&program.resources));
        deploy.labels.extend(annotations.iter().map(|(key, text)| (key.clone(), text.clone().into())));
        Service {
            image: program.image.clone(),
            user: program.user.map(user),
            hostname: self.id.filter(|_| !node_network).map(|_| name.clone()),
            entrypoint,
            command,
            environment,
            networks: self.networks(),
            ports: self.subject.published().into_iter().map(Published::from).collect(),
            lock: self.subject.lock().is_some(),
            mounts: storage::mounts(self.subject, self.id),
            configs: configs.iter().map(|c| c.grant.clone()).collect(),
            secrets: carried::grants(secrets.iter(), program.user),
            ulimits: ulimits.clone(),
            stop_signal: signal.clone(),
            stop_grace_period: Some(*grace),
            healthcheck: self.healthcheck(context, health),
            labels: self.subject.service.labels.clone(),
            added: Map::new(),
            deploy,
            name,
        }
    }

    /// Plans the service of a helper: on the node of its member if that is fixed, on the same
    /// network, without the lock.
    pub fn helper(&self, context: &mut Context<'_>, helper: &Helper) -> Service {
        let Helper { name, program, ports } = helper;
        let w = self.subject.workload;
        let (entrypoint, command) = self.words(context, program);
        let texts = program.command.iter().chain(&program.args).chain(program.env.iter().map(|(_, t)| t));
        let named: Vec<&String> =
            texts.filter_map(|t| t.uses.as_ref().ok()).flat_map(|uses| &uses.secrets).collect();
        let secrets = w.secrets.iter().filter(|s| named.contains(&&s.name));
        Service {
            name: format!("{}-{name}", self.subject.name(self.id)),
            image: program.image.clone(),
            user: program.user.map(user),
            hostname: None,
            entrypoint,
            command,
            environment: self.environment(context, &program.env),
            networks: self.networks(),
            ports: ports.iter().filter(|_| w.node_network).map(|port| port.socket.into()).collect(),
            lock: false,
            mounts: Vec::new(),
            configs: Vec::new(),
            secrets: carried::grants(secrets, program.user),
            ulimits: Vec::new(),
            stop_signal: None,
            stop_grace_period: None,
            healthcheck: Healthcheck::Disabled { hides: false },
            labels: self.subject.service.labels.clone(),
            added: Map::new(),
            deploy: Deploy::new(self.id.is_some(), self.constraints(), 0, resources(&program.resources)),
        }
    }

    fn networks(&self) -> Vec<String> {
        match &self.subject.swarm.network {
            _ if self.subject.workload.node_network => vec!["host".to_owned()],
            network => network.iter().cloned().collect(),
        }
    }

    fn constraints(&self) -> Vec<String> {
        let demands = self.subject.demands(self.id).into_iter();
        demands.map(|(label, value)| format!("node.labels.{label} == {value}")).collect()
    }

    /// Renders entrypoint and command. Swarm expands nothing in them, and it provides secrets only
    /// as files.
    fn words(&self, context: &mut Context<'_>, program: &Program) -> (Vec<String>, Vec<String>) {
        let Program { image: _, command, args, env: _, user: _, resources: _ } = program;
        (self.literals(context, command, "a command"), self.literals(context, args, "arguments"))
    }

    fn literals(&self, context: &mut Context<'_>, all: &[Template], holder: &str) -> Vec<String> {
        let values = Values::new(&Names, self.subject.service);
        let mut words = Vec::new();
        for template in all {
            for text in values.words(context, template, self.whom()) {
                match text.secrets().next() {
                    Some(secret) => self.no_secret(context, template, secret, holder),
                    None => words.push(values.written(context, template, &text, holder)),
                }
            }
        }
        words
    }

    fn no_secret(&self, context: &mut Context<'_>, template: &Template, secret: &str, holder: &str) {
        let place = self.subject.service.place(&template.route);
        let message = format!("Swarm cannot put a secret into {holder}, only into a file");
        context.fault(
            Diagnostic::error(Code::RuntimeNotHere, place, message)
                .fix("read it from its file", format!("{{{{ secret('{secret}').path }}}}")),
        );
    }

    /// Renders variables. A variable with a secret is a gap, and left out.
    fn environment(&self, context: &mut Context<'_>, env: &[(String, Template)]) -> Vec<Variable> {
        let values = Values::new(&Names, self.subject.service);
        let mut all = Vec::new();
        for (name, template) in env {
            let value = values.text(context, template, self.whom());
            if value.secrets().next().is_some() {
                self.secret(context, name, template, &value);
                continue;
            }
            self.subject.no_address(context, &value, &template.route);
            all.push(Variable { name: name.clone(), value });
        }
        all
    }

    fn secret(&self, context: &mut Context<'_>, name: &str, template: &Template, value: &Text) {
        let service = self.subject.service;
        for secret in value.secrets().filter(|_| self.first) {
            let gap = Gap::new(
                GapId::field(Target::Swarm, format!("secrets.{secret}")),
                service.place(&template.route),
                "Swarm provides secrets only as files",
                "berthc leaves the variable out",
            );
            let line = format!("{name}_FILE: \"{{{{ secret('{secret}').path }}}}\"");
            context.gap(service, gap.fix("if the image can read it from a file", line));
        }
    }

    fn healthcheck(&self, context: &mut Context<'_>, health: &Health) -> Healthcheck {
        let Health { tool: _, ready: _, live, start } = health;
        if self.subject.own_check() {
            return Healthcheck::Own;
        }
        let hides = self.subject.hides_names();
        let Some(check) = live.as_ref().filter(|_| !hides) else { return Healthcheck::Disabled { hides } };
        let Check { probe: _, run, every, timeout, failures, route: _ } = check;
        let run = self.literals(context, run, "a check");
        let w = self.subject.workload;
        let test = match docker::command(self.subject.service, w, health, check, run) {
            Ok(Command::Exec(words)) => [vec!["CMD".to_owned()], words].concat(),
            Ok(Command::Shell(line)) => vec!["CMD-SHELL".to_owned(), line],
            Err(fault) => {
                context.fault(*fault);
                Vec::new()
            }
        };
        Healthcheck::Live {
            test,
            interval: *every,
            timeout: *timeout,
            retries: *failures,
            start_period: *start,
            start_interval: start
                .filter(|_| self.subject.swarm.engine >= Swarm::START_INTERVAL)
                .map(|_| LONGEST_START_INTERVAL.min(*every)),
        }
    }
}

/// Returns the variables of a member. Those of the first start replace or extend the others.
fn variables(program: &Program, first: &[(String, Template)]) -> Vec<(String, Template)> {
    let mut all = program.env.clone();
    for (name, value) in first {
        match all.iter_mut().find(|(n, _)| n == name) {
            Some(same) => same.1 = value.clone(),
            None => all.push((name.clone(), value.clone())),
        }
    }
    all
}

fn user(user: User) -> String {
    let User { uid, gid } = user;
    gid.map_or_else(|| uid.to_string(), |gid| format!("{uid}:{gid}"))
}

fn resources(given: &model::Resources) -> Resources {
    let model::Resources { cpu, memory } = given;
    Resources { cpus: cpu.map(cores), memory: memory.map(docker_bytes), generic: Vec::new() }
}
