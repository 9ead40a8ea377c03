//! Breaches that are notes: the software itself keeps two processes apart, a person has to move a label,
//! or the lost data is a copy.
//!
//! Only `verify` asks: a compile treats each of them as a gap.

use super::facts::{Breach, BreachKind, Mount, Place};
use super::scenario::{Actor, Scenario, key};
use super::search::{Action, Step};
use super::state::State;
use super::story::named;
use crate::backend::Fences;
use crate::finding::{Finding, Level, codes};
use crate::hazard::Hazard;
use crate::target::Target;
use crate::world::{Kind, Missing, Mount as WorldMount, Order, Source, Workload};

/// Returns the finding of a breach, as a note if the breach is less than a violation.
pub fn eased(
    scenario: &Scenario<'_>,
    breach: &Breach,
    trace: &[(Step, State)],
    mut finding: Finding,
) -> Finding {
    let own = &scenario.actors[usize::from(breach.actor)];
    if let Some(lock) = locked(scenario, breach) {
        let software = own.workload.software.as_ref().map_or("its software", |s| s.name.as_str());
        let thing =
            breach.mount.and_then(|m| own.mounts.get(usize::from(m))).map_or_else(String::new, |m| named(m));
        let theirs = &scenario.actors[usize::from(breach.other)].member.name;
        let who = match own.member.name == *theirs {
            true => format!("two containers of {theirs}"),
            false => format!("{} and {theirs}", own.member.name),
        };
        finding.message = format!(
            "{who} open {thing} at once: {software} locks {lock} there, so the second waits or fails"
        );
        if let Some(last) = finding.story.last_mut() {
            last.words = format!("now the second does not get the lock on {lock}");
        }
        finding.level = Level::Note;
    } else if breach.kind == BreachKind::Two && breach.actor == breach.other && waits(scenario, breach) {
        let why = "until the old one has ended: only a pod that is deleted gets a second one beside it";
        finding.message = format!("{}, {why}", finding.message);
        finding.level = Level::Note;
    } else if breach.kind == BreachKind::Two
        && let Some(why) = chosen(scenario, breach)
    {
        finding.message = format!("{}, {why}", finding.message);
        finding.level = Level::Note;
    } else if breach.kind == BreachKind::Two
        && let Some(why) = on_purpose(scenario, breach)
    {
        finding.message = format!("{}, {why}", finding.message);
        finding.level = Level::Note;
    } else if breach.kind == BreachKind::Two && brief(scenario, breach, trace) {
        let why = "as long as the old one takes to end: if a cut node comes back, or somebody deploys or labels again meanwhile";
        finding.message = format!("{}, {why}", finding.message);
        finding.level = Level::Note;
    } else if crashed(scenario, breach) {
        finding.code = codes::ENGINE_CRASH.into();
        finding.message = format!("{}, if dockerd crashes and its plugins outlive it", finding.message);
        finding.level = Level::Note;
    } else if breach.kind != BreachKind::Two
        && let Some(why) = less(scenario, breach, trace)
    {
        finding.message = format!("{}{why}", finding.message);
        finding.level = Level::Note;
    }
    finding
}

/// Returns the finding of a directory that is lost only if it has a disk of its own, which no file shows.
pub fn of_a_disk(finding: Finding) -> Finding {
    let message = format!("{}, if that is on a disk of its own", finding.message);
    Finding { level: Level::Note, message, ..finding }
}

/// Returns the finding of a state that is stuck, as a note if systemd alone is stuck, and only after its docker
/// client was killed: the container serves on, and nobody moves the unit.
pub fn stuck(scenario: &Scenario<'_>, trace: &[(Step, State)], finding: Finding) -> Finding {
    let local = scenario.facts.target == Target::Fleet && scenario.actors[0].workload.kind == Kind::Local;
    let killed = trace.iter().any(|(step, _)| step.action == Action::Crash);
    if !local || !killed {
        return finding;
    }
    let message = format!("{}, if its docker client is killed", finding.message);
    Finding { level: Level::Note, message, ..finding }
}

/// Returns whether a member starts on an empty folder in place of a volume that a start never creates.
fn crashed(scenario: &Scenario<'_>, breach: &Breach) -> bool {
    let own = &scenario.actors[usize::from(breach.actor)];
    let mount = breach.mount.and_then(|m| own.mounts.get(usize::from(m)));
    let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { missing: Missing::Crashed, .. }));
    breach.kind == BreachKind::Empty && volume
}

/// Returns whether only a person who deletes and makes again can bring two containers, of one description
/// whose update waits for the old one: a Deployment with `strategy: Recreate` on a claim that one node mounts,
/// and a DaemonSet on the directory of its node. A StatefulSet on the same claim has the note
/// `volume-one-node`.
fn waits(scenario: &Scenario<'_>, breach: &Breach) -> bool {
    let own = &scenario.facts.actors[usize::from(breach.actor)];
    let mount = breach.mount.and_then(|m| own.mounts.get(usize::from(m)));
    match own.kind {
        Kind::Replicas => {
            let claim = |m: &Mount| matches!(m.place, Place::Volume(_)) && m.fences != Fences::Never;
            own.order == Order::StopFirst && mount.is_some_and(claim)
        }
        Kind::DaemonSet => {
            own.order != Order::StartFirst
                && scenario.facts.hazard == Hazard::Revisions
                && mount.is_some_and(|m| matches!(m.place, Place::Directory(_)))
        }
        _ => false,
    }
}

/// Returns whether two containers of one task meet on one node of a swarm only while the old one is ending: its
/// updates wait for the old one, but a node that comes back, a second deploy or a label does not.
fn brief(scenario: &Scenario<'_>, breach: &Breach, trace: &[(Step, State)]) -> bool {
    const HASTE: [Action; 8] = [
        Action::Again,
        Action::Cut,
        Action::FlipLabel,
        Action::Label,
        Action::MoveLabel,
        Action::Remove,
        Action::Rollback,
        Action::Unlabel,
    ];
    let own = &scenario.facts.actors[usize::from(breach.actor)];
    let swarm = scenario.facts.target == Target::Swarm && matches!(own.kind, Kind::Replicated | Kind::Global);
    let waits = own.order != Order::StartFirst && own.back != Order::StartFirst;
    let mount = breach.mount.and_then(|m| own.mounts.get(usize::from(m)));
    let local = mount.is_some_and(|m| matches!(m.place, Place::Directory(_)));
    // Two processes of a store destroy its data in seconds, and so may software that nobody knows.
    let software = scenario.actors[usize::from(breach.actor)].workload.software.as_ref();
    let bears = software.is_some_and(|s| s.meets);
    let count = |action: Action| trace.iter().filter(|(step, _)| step.action == action).count();
    let hasty = HASTE.into_iter().any(|action| count(action) > 0) || count(Action::Update) > 1;
    // The scheduler keeps two running tasks of one service apart, but counts none that is ending.
    let [one, other] = [breach.actor, breach.other].map(|a| scenario.actors[usize::from(a)].workload);
    let scheduled = one.max_per_node.as_ref().is_some_and(|(most, _)| *most == 1)
        || one.ports.iter().any(|port| port.scheduled);
    let meets = match breach.actor == breach.other {
        true => hasty,
        false => one.name == other.name && scheduled,
    };
    swarm && waits && local && bears && meets && count(Action::Timeout) == 0
}

/// Returns why two services of docker compose need not run at once: somebody has to ask for a profile.
fn chosen(scenario: &Scenario<'_>, breach: &Breach) -> Option<String> {
    let [own, theirs] = [breach.actor, breach.other].map(|a| scenario.actors[usize::from(a)].workload);
    let both = own.profiles.iter().any(|profile| theirs.profiles.contains(profile));
    let (profile, other) = (own.profiles.first()?, theirs.profiles.first()?);
    (breach.actor != breach.other && !both)
        .then(|| format!("if the profiles {profile} and {other} run at once"))
}

/// Returns the file that the software of both containers locks, where they meet on one node. A lock does not
/// reach over nodes.
pub fn locked<'w>(scenario: &Scenario<'w>, breach: &Breach) -> Option<&'w str> {
    let [own, theirs] = [breach.actor, breach.other].map(usize::from);
    let local =
        |a: usize| scenario.facts.actors[a].mounts.iter().all(|m| matches!(m.place, Place::Directory(_)));
    // The old container goes when the new one is ready, and the new one waits for the lock of the old one.
    let facts = &scenario.facts.actors[own];
    let first = facts.order == Order::StartFirst || facts.back == Order::StartFirst;
    if first && matches!(scenario.facts.hazard, Hazard::Update | Hazard::Revisions) {
        return None;
    }
    // Of two members the second never gets the lock as long as the first runs.
    if breach.actor != breach.other
        || breach.kind != BreachKind::Two
        || breach.mount.is_none()
        || !local(own)
        || !local(theirs)
    {
        return None;
    }
    let (own, theirs) = (&scenario.actors[own], &scenario.actors[theirs]);
    let lock = own.workload.software.as_ref()?.own_lock.as_deref()?;
    let same = theirs.workload.software.as_ref().is_some_and(|s| s.own_lock.as_deref() == Some(lock));
    (same && kept(own).any(|place| kept(theirs).any(|other| place == other))).then_some(lock)
}

/// Returns why two containers share a directory on purpose, which is no data of a store: their software is
/// made for it, or the files of a single machine give it to both.
fn on_purpose(scenario: &Scenario<'_>, breach: &Breach) -> Option<String> {
    let (own, theirs) =
        (&scenario.actors[usize::from(breach.actor)], &scenario.actors[usize::from(breach.other)]);
    let mount = own.mounts.get(usize::from(breach.mount?)).copied()?;
    let place = key(mount);
    let other = theirs.mounts.iter().copied().find(|m| key(m) == place)?;
    // A container without a name has another one each time, and its data is in a directory of that name.
    let apart = |actor: &Actor<'_>, mount: &WorldMount| {
        let software = actor.workload.software.as_ref();
        let named = actor.workload.kind == Kind::StatefulSet || actor.member.hostname.is_some();
        software.is_some_and(|s| s.by_hostname() && s.keeps(&mount.target))
            && !named
            && actor.workload.node_network.is_none()
    };
    if apart(own, mount) && apart(theirs, other) {
        return Some("each in a directory with the name of its host".to_owned());
    }
    let shares = |actor: &Actor<'_>| actor.workload.software.as_ref().is_some_and(|s| s.shared);
    let stores = |actor: &Actor<'_>, mount: &WorldMount| {
        actor.workload.software.as_ref().is_some_and(|s| !s.shared && s.keeps(&mount.target))
    };
    if stores(own, mount) || stores(theirs, other) {
        return None;
    }
    if let Some(software) = [own, theirs].into_iter().find(|a| shares(a)) {
        let name = software.workload.software.as_ref().map_or("", |s| s.name.as_str());
        return Some(format!("as {name} is made for"));
    }
    let (file, other) = (&*own.workload.at.file, &*theirs.workload.at.file);
    let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let image = own.workload.image == theirs.workload.image;
    // Of units, two processes of one program; the instances of a template are numbered.
    let together = match scenario.facts.target {
        Target::Swarm => file == other && own.workload.name != theirs.workload.name,
        _ => file != other && folder(file) == folder(other) && image,
    };
    (scenario.facts.one_machine() && together)
        .then(|| "as their files say, and neither is a known store".to_owned())
}

/// Returns the directories of the node that hold the data of an actor's software.
fn kept<'a>(actor: &'a Actor<'_>) -> impl Iterator<Item = &'a str> {
    let software = actor.workload.software.as_ref();
    let data = actor.member.mounts.iter().filter(move |m| software.is_some_and(|s| s.keeps(&m.target)));
    data.filter(|m| matches!(m.source, Source::Host { .. })).filter_map(|m| Some(key(m)?.1))
}

/// Returns why a member that starts without its data loses little.
fn less(scenario: &Scenario<'_>, breach: &Breach, trace: &[(Step, State)]) -> Option<&'static str> {
    let own = usize::from(breach.actor);
    let workload: &Workload = scenario.actors[own].workload;
    if workload.software.as_ref().is_some_and(|s| s.copy) {
        return Some("; it copies all data from its master again");
    }
    if workload.by_machine && breach.kind == BreachKind::Empty {
        return Some("; there it joins as a new member, because its name is that of the machine");
    }
    // What a command prints is known only on the machine.
    let mount = breach.mount.and_then(|m| scenario.actors[own].mounts.get(usize::from(m)));
    if mount.and_then(|m| key(m)).is_some_and(|(_, name)| name.starts_with("$(")) {
        return Some(", if that is a directory of the machine");
    }
    let machine = |actor: &Actor<'_>| -> Option<Vec<String>> {
        let mut wants = actor.workload.wants.iter().chain(&actor.member.wants);
        wants.find(|want| want.one_node && !want.not).map(|want| want.values.clone())
    };
    let place = machine(&scenario.actors[own]);
    if breach.kind == BreachKind::Other
        && place.is_some()
        && place == machine(&scenario.actors[usize::from(breach.other)])
    {
        return Some("; both have the one directory of one machine, and only one of them runs at a time");
    }
    let label = [Action::Unlabel, Action::MoveLabel, Action::FlipLabel, Action::Label];
    let by_hand = trace.iter().any(|(step, _)| label.contains(&step.action));
    let pinned = scenario.facts.actors.iter().all(|a| a.pinned);
    // Of unknown software nobody knows what starting empty means.
    let known = workload.software.is_some();
    (scenario.facts.hazard == Hazard::Relabel && by_hand && pinned && known)
        .then_some(", if a person moves its label")
}
