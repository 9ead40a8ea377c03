//! Checks that the data directories of a service hold the data of its image, and that the image has
//! the tools that the service uses.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::Fix;
use crate::images::{By, Container, Life, Premise, Seen, Tool, Why};
use crate::model::{Data, DataAt, Workload};
use crate::route;
use crate::spec;
use crate::target::Target;
use crate::text::units;

/// Reports data of the image that no data directory of the service holds. A service without data
/// directories declares that it keeps no data.
pub(super) fn data(checker: &mut Checker<'_>, service: &str, w: &Workload) {
    let program = &w.program;
    let paths = w.data.iter().map(|d| &d.mount).chain(w.files.iter().map(|f| &f.path));
    let container = Container {
        image: &program.image,
        whole: false,
        command: program.command.iter().chain(&program.args).map(|t| t.text.as_str()).collect(),
        env: program.env.iter().map(|(name, t)| (name.as_str(), Some(t.text.as_str()))).collect(),
        more_env: false,
        ports: w.ports.iter().map(|port| port.socket.number).collect(),
        targets: paths.chain(w.tmpfs.iter().map(|(path, _)| path)).map(String::as_str).collect(),
        names: vec![service],
    };
    let Some(software) = checker.images.find(&container).filter(|s| s.by == By::Image) else { return };
    let data = w.data.iter().map(|d| Seen { target: &d.mount, life: Life::Durable, data: true });
    let tmpfs = w.tmpfs.iter().map(|(path, _)| Seen { target: path, life: Life::Container, data: true });
    let seen: Vec<Seen<'_>> = data.chain(tmpfs.clone()).collect();
    // Every member of every target has a hostname of its own.
    let Some(loss) = software.lost(&seen, true).filter(|loss| loss.premise != Some(Premise::Settings)) else {
        return;
    };
    let Some(first) = w.data.first() else { return };
    let hidden = match &loss.why {
        Why::Over { mount, .. } => w.data.iter().find(|d| d.mount == *mount),
        _ => None,
    };
    let place = hidden.unwrap_or(first).route.at("mount");
    let without = software.lost(&tmpfs.collect::<Vec<_>>(), true);
    let useless = without.is_some_and(|all| all.targets == loss.targets) && w.data.len() == 1;
    let fix = loss.fix(|targets| match (&loss.why, targets) {
        (Why::Over { volume, .. }, _) => format!("mount: {volume}"),
        (_, [target]) if useless => format!("mount: {target}"),
        (_, targets) => targets.iter().map(|target| beside(first, target)).collect::<Vec<_>>().join("\n"),
    });
    let message = loss.says(service);
    let image = checker.source.place(&route!["image"]);
    let d = checker.fault(Code::DataElsewhere, &place, message);
    d.related.push((image, "the image".into()));
    d.fixes.push(Fix { text: "write".into(), line: fix });
}

/// Reports tools that berthc runs in the image, and that the image does not have: the check then never
/// passes, and the lock is never taken.
pub(super) fn tools(checker: &mut Checker<'_>, w: &Workload) {
    let image = &w.program.image;
    let health = route!["health"];
    let has = |target: &Target| checker.source.has(&route!["targets", target.name()]);
    // Kubernetes probes ports from outside, and Swarm runs only `live`.
    let runs = |ready: bool| {
        Target::ALL.into_iter().filter(has).any(|target| match target {
            Target::Kubernetes => false,
            Target::Fleet => true,
            Target::Swarm => !ready,
        })
    };
    let (live, ready) = (runs(false), runs(true));
    let live = w.health.live.iter().filter(|_| live);
    let mut checks = live.chain(w.health.ready.iter().filter(|_| ready));
    let used = checks.any(|c| c.probe.is_some() && c.run.is_empty());
    if let Some((name, tool)) = w.health.tool.filter(|_| used).map(tool)
        && checker.images.lacks(image, tool)
    {
        let message = format!("the image has no `{name}`, so no check that uses it passes");
        let names = [spec::Tool::Bash, spec::Tool::Nc, spec::Tool::Curl, spec::Tool::Wget];
        let others = names.into_iter().map(self::tool).filter(|(_, t)| !checker.images.lacks(image, *t));
        let others: Vec<String> = others.map(|(name, _)| format!("tool: {name}")).collect();
        let d = checker.fault(Code::HealthNeedsCommand, &health.at("tool"), message);
        if !others.is_empty() {
            d.fixes.push(Fix {
                text: "name another tool that the image may have".into(),
                line: others.join("   "),
            });
        }
        let command = "or write the command that checks the member, under `run` of the check";
        d.fixes.push(Fix { text: command.into(), line: String::new() });
    }
    let lacking = [("sh", Tool::Sh), ("flock", Tool::Flock)];
    let lacking = lacking.into_iter().find(|(_, tool)| w.guard && checker.images.lacks(image, *tool));
    if let Some((name, _)) = lacking {
        let message = format!("`guard: lock` runs `{name}` in the image, but the image does not have it");
        let guard = route!["exclusive", "guard"];
        let d = checker.fault(Code::GuardShape, &guard, message);
        d.why.push("the lock would never be taken, so no member would start".into());
    }
}

/// Returns the name of a tool of a spec, and the tool in the table.
fn tool(tool: spec::Tool) -> (&'static str, Tool) {
    match tool {
        spec::Tool::Bash => ("bash", Tool::Bash),
        spec::Tool::Nc => ("nc", Tool::Nc),
        spec::Tool::Curl => ("curl", Tool::Curl),
        spec::Tool::Wget => ("wget", Tool::Wget),
    }
}

/// Returns the line of one more data directory, stored as `first` is, at `mount`.
fn beside(first: &Data, mount: &str) -> String {
    let name = mount.rsplit('/').next().unwrap_or_default();
    let at = match &first.at {
        DataAt::Host { path, size } => {
            let size = size.map_or_else(String::new, |s| format!(", size: {}", units::kubernetes_bytes(s)));
            format!("host: \"{}-{name}\"{size}", path.text)
        }
        DataAt::Volume(v) => {
            let class = v.class.as_ref().map_or_else(String::new, |class| format!(", class: {class}"));
            let zones = match v.zones.as_slice() {
                [] => String::new(),
                zones => format!(", zones: [{}]", zones.join(", ")),
            };
            format!("volume: {{ backend: {}, size: {}{class}{zones} }}", v.backend_name, v.size_text)
        }
    };
    format!("{name}: {{ mount: {mount}, {at} }}")
}
