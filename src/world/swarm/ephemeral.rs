//! Finds data that is deleted with its task.

use super::page::Page;
use crate::finding::{Level, codes};
use crate::images::{Life, Loss, Seen, Software, Why};
use crate::target::SWARM_LONGEST_GRACE;
use crate::text::path::within;
use crate::text::yaml::Value;
use crate::world::{Kind, Member, Mount, Source, Want, Workload, data_mounts};

/// Reports the data of `software` that is deleted with the tasks of `workload`, and returns whether
/// there is any.
pub fn judge(
    page: &mut Page<'_, '_>,
    service: &Value<'_>,
    software: &Software,
    workload: &mut Workload,
) -> bool {
    let image = service.get("image").unwrap_or(*service);
    let network = workload.node_network.is_some();
    let mut losses: Vec<Option<Loss>> = Vec::new();
    for (i, member) in workload.members.iter().enumerate() {
        // Most members differ only in their sources.
        let same = i.checked_sub(1).filter(|before| alike(&workload.members[*before], member));
        losses.push(match same {
            Some(before) => losses[before].clone(),
            None => lost(software, network, member),
        });
    }
    let mut first: Option<(Loss, String)> = None;
    for (member, loss) in workload.members.iter_mut().zip(losses) {
        let Some(loss) = loss else { continue };
        for path in &loss.paths {
            if !member.mounts.iter().any(|m| m.target == *path) {
                let mount = Mount {
                    target: path.clone(),
                    source: Source::Ephemeral,
                    volume: None,
                    at: page.at(&image),
                };
                member.mounts.push(mount);
            }
        }
        first.get_or_insert((loss, member.name.clone()));
    }
    let Some((loss, member)) = first else { return false };
    // This is often intended.
    let memory = service.get("tmpfs").map(|v| [vec![v], v.items()].concat()).unwrap_or_default();
    let memory: Vec<String> = memory.iter().filter_map(Page::quiet).collect();
    let in_memory =
        |path: &String| memory.iter().any(|m| m.split(':').next().is_some_and(|m| within(path, m)));
    let meant = software.cache && loss.bare || !loss.paths.is_empty() && loss.paths.iter().all(in_memory);
    let less = meant || loss.premise.is_some() || software.copy;
    let level = if less { Level::Note } else { Level::Violation };
    let target = match &loss.why {
        Why::Over { mount, .. } | Why::Fades { mount, .. } => Some(mount),
        Why::Nothing | Why::Hostname => None,
    };
    let volumes = service.get("volumes").map(|v| v.items()).unwrap_or_default();
    let names = |v: &Value<'_>, target: &str| {
        let own = v.get("target").and_then(|t| Page::quiet(&t)).or_else(|| Page::quiet(v));
        own.is_some_and(|t| t.split(':').any(|part| part.trim_end_matches('/') == target))
    };
    let line = target.and_then(|target| volumes.into_iter().find(|v| names(v, target)));
    page.found(
        (codes::EPHEMERAL, level),
        &[&line.unwrap_or(image)],
        loss.says(&workload.name),
        loss.fix(|targets| fix(&loss, workload, &member, targets)),
    );
    true
}

/// Returns whether two members lose the same data.
fn alike(a: &Member, b: &Member) -> bool {
    let named = |m: &Member| m.hostname.as_ref().map(|(name, _)| name.contains("{{.Task."));
    data_mounts::seen(&a.mounts, true).eq(data_mounts::seen(&b.mounts, true))
        && data_mounts::seen(&a.others, false).eq(data_mounts::seen(&b.others, false))
        && named(a) == named(b)
}

fn lost(software: &Software, network: bool, member: &Member) -> Option<Loss> {
    let seen = data_mounts::seen(&member.mounts, true).chain(data_mounts::seen(&member.others, false));
    let seen: Vec<Seen<'_>> = seen.collect();
    // A mount at an unknown path may hold the data.
    if seen.iter().any(|m| m.target.is_empty() && m.life == Life::Durable) {
        return None;
    }
    let named = member.hostname.as_ref().is_some_and(|(name, _)| !name.contains("{{.Task."));
    software.lost(&seen, named || network)
}

/// Returns the lines that keep the data, with a separate place for each member.
fn fix(loss: &Loss, workload: &Workload, member: &str, targets: &[String]) -> String {
    match &loss.why {
        Why::Over { volume, .. } => return format!("target: {volume}"),
        Why::Hostname => return format!("hostname: {member}"),
        Why::Nothing | Why::Fades { .. } => {}
    }
    let member = member.replace('.', "-");
    let volume = |target: &String| {
        let last = if targets.len() > 1 { target.rsplit('/').next().unwrap_or_default() } else { "data" };
        // Swarm refuses a missing directory, and makes a missing volume wherever the task comes.
        match workload.kind {
            Kind::Global | Kind::Local => format!("\"{member}-{last}:{target}\""),
            _ => format!("\"/srv/{member}/{last}:{target}\""),
        }
    };
    let volumes: Vec<String> = targets.iter().map(volume).collect();
    let mut fix = format!("volumes: [{}]", volumes.join(", "));
    if let Some(software) = &workload.software {
        // A port of the routing mesh belongs to no node, and keeps no second task off one.
        if let Some((port, free)) = workload.free_port.filter(|_| workload.ports.is_empty()) {
            fix.push_str(&format!(", ports: [{{ target: {port}, published: {free}, mode: host }}]"));
        }
        let named = workload.members.iter().all(|m| m.hostname.is_some());
        if software.by_hostname() && !named && workload.members.len() == 1 {
            fix.push_str(&format!(", hostname: {member}"));
        }
        if workload.grace < software.grace.min(SWARM_LONGEST_GRACE) {
            fix.push_str(", stop_grace_period: 55s");
        }
    }
    if workload.members.len() > 1 {
        fix = format!("a service for each member, the first with {fix}");
    }
    // Each node has its own volumes of docker.
    if workload.kind == Kind::Replicated && !workload.wants.iter().any(Want::pins) {
        fix.push_str(&format!(", and deploy.placement.constraints: [\"node.labels.{member} == 1\"]"));
    }
    fix
}
