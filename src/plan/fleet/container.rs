//! Plans the `docker run` of a member and of its helpers, one option on each physical line.

use std::collections::BTreeSet;

use super::maker::Maker;
use super::names;
use super::shell::{self, DOCKER, Lines};
use super::storage::{Bind, Storage, Volume};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{
    Check, Health, Helper, Port, Program, Resources, Secret, Template, User, Users, Workload,
};
use crate::plan::docker::{self, GUARD};
use crate::route;
use crate::spec::source::Route;
use crate::text::units::{cores, docker_bytes};
use crate::value::{Part, Text};

/// The length in bytes after which a line gets no more words.
const FILL: usize = 100;

/// Plans the `docker run` of the member.
pub fn member(maker: &mut Maker<'_, '_>, w: &Workload, unit: &str, storage: &Storage) -> Lines {
    let Program { image: _, command: _, args: _, env, user: _, resources: _ } = &w.program;
    let root = Route::default();
    let mut run = Run::new(maker, unit, &storage.container);
    run.labels();
    for (key, text) in &w.annotations {
        let place = run.maker.service.place(&route!["annotations", key]);
        run.maker.check_characters(&Text::literal(text), place);
        run.add(place, ["--label", &format!("{key}={text}")]);
    }
    run.network(w, &w.ports, &route!["exclusive", "ports"]);
    if let Some(id) = run.maker.id.filter(|_| !w.node_network) {
        let name = names::member(run.maker.service, Some(id));
        run.add(run.here(&route!["service"]), ["--hostname", &name]);
    }
    run.limits(&w.program, &root);
    run.stop_and_memory(w);
    run.storage(storage);
    for file in &w.files {
        run.bind(run.here(&file.route), &run.maker.file(&file.path), &file.path, true);
    }
    run.secrets(&w.secrets, None);
    let env = run.maker.with_bootstrap(env, w.first_env(run.maker.id));
    run.env(&env, &w.secrets);
    run.health(w);
    let guard = w.data.first().filter(|_| w.guard).map(|d| d.mount.as_str());
    run.image(&w.program, guard, &root);
    run.finish()
}

/// Plans the `docker run` of a helper.
pub fn helper(maker: &mut Maker<'_, '_>, w: &Workload, helper: &Helper, unit: &str) -> Lines {
    let Helper { name, program, ports } = helper;
    let root = route!["helpers", name];
    let container = names::helper_container(maker.service, name, maker.id);
    let mut run = Run::new(maker, unit, &container);
    run.labels();
    run.network(w, ports, &root.at("ports"));
    run.limits(program, &root);
    run.secrets(secrets_of(helper, w), Some(name));
    run.env(&program.env, &w.secrets);
    run.image(program, None, &root);
    run.finish()
}

/// Returns the secrets of the member that `helper` names.
pub fn secrets_of<'w>(helper: &Helper, w: &'w Workload) -> Vec<&'w Secret> {
    let program = &helper.program;
    let all = program.command.iter().chain(&program.args).chain(program.env.iter().map(|(_, t)| t));
    let used: BTreeSet<&String> = all.filter_map(|t| t.uses.as_ref().ok()).flat_map(|u| &u.secrets).collect();
    w.secrets.iter().filter(|s| used.contains(&s.name)).collect()
}

/// The options of one `docker run`.
struct Run<'m, 'a, 'c> {
    maker: &'m mut Maker<'a, 'c>,
    lines: Lines,
    /// The words before docker: shells that read secrets.
    exports: Lines,
}

impl<'m, 'a, 'c> Run<'m, 'a, 'c> {
    /// Starts the options. The unit finds its container by the label; docker refuses a second
    /// container with the same name.
    fn new(maker: &'m mut Maker<'a, 'c>, unit: &str, container: &str) -> Self {
        let mut run = Self { maker, lines: Vec::new(), exports: Vec::new() };
        let label = format!("berth.unit={unit}");
        run.add(
            run.here(&route!["exclusive", "data"]),
            [DOCKER, "run", "--rm", "--name", container, "--label", &label],
        );
        run
    }

    fn here(&self, route: &Route) -> Place {
        self.maker.service.key(route)
    }

    fn add<S: Into<String>>(&mut self, place: Place, words: impl IntoIterator<Item = S>) {
        self.words(place, words.into_iter().map(Text::literal).collect());
    }

    fn words(&mut self, place: Place, words: Vec<Text>) {
        self.maker.check_line_length(&words, place);
        self.lines.push(words);
    }

    fn finish(self) -> Lines {
        let Self { mut lines, mut exports, maker: _ } = self;
        exports.append(&mut lines);
        exports
    }

    fn network(&mut self, w: &Workload, ports: &[Port], root: &Route) {
        if w.node_network {
            return self.add(self.here(root), ["--net", "host"]);
        }
        for Port { name, socket, users } in ports {
            let address = if *users == Users::Node { "127.0.0.1:" } else { "" };
            self.add(self.here(&root.at(name)), ["-p", &format!("{address}{}:{socket}", socket.number)]);
        }
    }

    fn limits(&mut self, program: &Program, root: &Route) {
        if let Some(User { uid, gid }) = program.user {
            let gid = gid.map_or_else(String::new, |gid| format!(":{gid}"));
            self.add(self.here(&root.at("user")), ["--user", &format!("{uid}{gid}")]);
        }
        let Resources { cpu, memory } = program.resources;
        let here = self.here(&root.at("resources"));
        if let Some(milli) = cpu {
            self.add(here, ["--cpus", &cores(milli)]);
        }
        if let Some(bytes) = memory {
            // Without `--memory-swap`, docker allows the same amount of swap in addition.
            let bytes = docker_bytes(bytes);
            self.add(here, ["--memory", &bytes, "--memory-swap", &bytes]);
        }
    }

    fn stop_and_memory(&mut self, w: &Workload) {
        for (name, soft, hard) in &w.ulimits {
            self.add(self.here(&route!["ulimits", name]), ["--ulimit", &format!("{name}={soft}:{hard}")]);
        }
        let here = self.here(&route!["stop"]);
        if let Some(signal) = &w.stop.signal {
            self.add(here, ["--stop-signal", signal]);
        }
        // The grace period that the daemon gives when it is stopped without systemd.
        self.add(here, ["--stop-timeout", &w.stop.grace.to_string()]);
        for (path, bytes) in &w.tmpfs {
            let (here, size) = (self.here(&route!["tmpfs", path]), docker_bytes(*bytes));
            match path.as_str() {
                "/dev/shm" => self.add(here, ["--shm-size", &size]),
                path => self.add(here, ["--mount", &format!("type=tmpfs,target={path},tmpfs-size={size}")]),
            }
        }
    }

    /// Adds the mounts. `--mount` of a missing directory fails; `-v` would create an empty one.
    fn storage(&mut self, storage: &Storage) {
        for Bind { source, target, place } in &storage.binds {
            self.bind(*place, source, target, false);
        }
        for Volume { name, driver, target, place } in &storage.volumes {
            let mount =
                format!("type=volume,volume-driver={driver},source={name},target={target},volume-nocopy");
            self.add(*place, ["--mount", &mount]);
        }
    }

    fn bind(&mut self, place: Place, source: &str, target: &str, readonly: bool) {
        let end = if readonly { ",readonly" } else { "" };
        self.add(place, ["--mount", &format!("type=bind,source={source},target={target}{end}")]);
    }

    fn env(&mut self, env: &[(String, Template)], secrets: &[Secret]) {
        for (name, template) in env {
            let value = self.maker.secret_text(template);
            let place = self.maker.service.place(&template.route);
            if value.secrets().next().is_none() {
                let mut parts = vec![Part::Literal(format!("{name}="))];
                parts.extend(value.0);
                self.words(place, vec![Text::literal("-e"), Text(parts)]);
                continue;
            }
            if !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
                let place = self.here(&template.route);
                self.maker.context.fault(no_variable(place, name, &value));
                continue;
            }
            let words = shell::export(name, &value, secrets);
            self.maker.check_line_length(&words, place);
            self.exports.push(words);
            self.add(place, ["-e", name.as_str()]);
        }
    }

    fn secrets<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>, helper: Option<&str>) {
        for secret in secrets {
            let place = self.maker.service.key(&route!["secrets", secret.name]);
            self.bind(place, &self.maker.secret(secret, helper), &secret.path, true);
        }
    }

    fn labels(&mut self) {
        for (key, value) in &self.maker.service.labels {
            let place = self.maker.service.place(&route!["labels", key]);
            self.add(place, ["--label", &format!("{key}={value}")]);
        }
    }

    /// Renders the items of a command, each word of which stands on a line of its own.
    fn items(&mut self, templates: &[Template]) -> Vec<Text> {
        let mut all = Vec::new();
        for template in templates {
            let words = self.maker.item(template);
            let place = self.maker.service.place(&template.route);
            words.iter().for_each(|word| self.maker.check_line_length(std::slice::from_ref(word), place));
            all.extend(words);
        }
        all
    }

    /// Adds the image and its command. `guard` is the directory that the process locks first.
    fn image(&mut self, program: &Program, guard: Option<&str>, root: &Route) {
        let at = self.maker.service.key(&root.at("command"));
        let mut command = self.items(&program.command);
        let args = self.items(&program.args);
        if guard.is_some() {
            self.add(at, ["--entrypoint", "/bin/sh"]);
        } else if !command.is_empty() {
            let first = command.remove(0);
            self.words(at, vec![Text::literal("--entrypoint"), first]);
        }
        self.add(self.maker.service.place(&root.at("image")), [program.image.as_str()]);
        if let Some(mount) = guard {
            self.add(at, ["-c", GUARD, mount]);
        }
        self.lines.extend(fill(command));
        self.lines.extend(fill(args));
    }

    fn health(&mut self, w: &Workload) {
        let health = &w.health;
        let Some(check) = health.live.as_ref().or(health.ready.as_ref()) else { return };
        let run: Vec<String> = self.maker.words(&check.run).iter().map(Text::marked).collect();
        let service = self.maker.service;
        let command = match docker::command(service, w, health, check, run) {
            Ok(docker::Command::Shell(line)) => line,
            // `--health-cmd` always uses the shell of the image, and the spec does not say that
            // there is one.
            Ok(docker::Command::Exec(_)) if !has_shell(w) => return,
            Ok(docker::Command::Exec(words)) => docker::shell_line(&words),
            Err(fault) => return self.maker.context.fault(*fault),
        };
        let Check { probe: _, run: _, every, timeout, failures, route } = check;
        let place = service.key(route);
        self.words(place, vec![Text::literal("--health-cmd"), Text::from_marked(&command)]);
        let mut times = vec![
            ("--health-interval", format!("{every}s")),
            ("--health-timeout", format!("{timeout}s")),
            ("--health-retries", failures.to_string()),
        ];
        times.extend(health.start.map(|s| ("--health-start-period", format!("{s}s"))));
        self.add(place, times.iter().flat_map(|(option, value)| [*option, value.as_str()]));
    }
}

fn no_variable(place: Place, name: &str, value: &Text) -> Diagnostic {
    let secret = value.secrets().next().unwrap_or_default();
    Diagnostic::error(
        Code::BadName,
        place,
        format!("on fleet a shell sets `{name}`, which is not a valid shell variable"),
    )
    .why("the variable contains a secret, which must not appear in the process list")
    .fix("let the program read the file of the secret", format!("{{{{ secret('{secret}').path }}}}"))
}

/// Returns whether the spec shows that the image has a shell.
pub(super) fn has_shell(w: &Workload) -> bool {
    let Health { tool, ready, live, start: _ } = &w.health;
    let is_shell = |words: &[Template]| {
        let first = words.first().map_or("", |t| t.text.as_str());
        ["sh", "bash", "/bin/sh", "/bin/bash"].contains(&first)
    };
    let checks = [ready, live].into_iter().flatten().map(|c| c.run.as_slice());
    let before = w.stop.before.iter().map(|(run, _)| run.as_slice());
    tool.is_some()
        || w.guard
        || w.files.iter().any(|f| f.path.ends_with(".sh"))
        || w.update.healthy.is_some()
        || w.bootstrap.once.is_some()
        || checks.chain(before).chain([w.program.command.as_slice()]).any(is_shell)
}

/// Fills lines with words. A word that starts with a dash starts a new line, unless the line is
/// empty.
fn fill(words: Vec<Text>) -> Lines {
    let mut lines: Lines = Vec::new();
    let mut used = 0;
    for word in words {
        let width = word.marked().len() + 1;
        let dash = matches!(word.0.first(), Some(Part::Literal(t)) if t.starts_with('-') && t != "--");
        match lines.last_mut() {
            Some(line) if !dash && used + width <= FILL => {
                used += width;
                line.push(word);
            }
            _ => {
                used = width;
                lines.push(vec![word]);
            }
        }
    }
    lines
}
