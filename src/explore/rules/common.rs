//! The events that can strike a cluster and the heals, which are the same for every orchestrator.

use crate::explore::facts::{Facts, Place};
use crate::explore::search::{Action, Next, Step};
use crate::explore::state::{Container, Data, Link, NOWHERE, Phase, State};

/// The highest number of strikes in one trace.
const STRIKES: u32 = 3;

/// Returns whether `action` may still happen: each strike at most once, at most `STRIKES` in a
/// trace.
pub fn may_strike(state: &State, action: Action) -> bool {
    state.struck & action.bit() == 0 && state.struck.count_ones() < STRIKES
}

/// Returns whether nothing is broken any more.
pub fn calm(facts: &Facts, state: &State) -> bool {
    let node = |n: usize| state.nodes[n] == facts.node(n);
    let deployed = state.desired[..facts.actors.len()].iter().all(|d| d.deployed);
    (0..facts.nodes).all(node) && deployed && !state.volumes.contains(&Data::Absent)
}

/// Returns whether each member runs in the desired version, and nothing else runs.
pub fn runs_as_wanted(facts: &Facts, state: &State) -> bool {
    (0..facts.actors.len() as u8).all(|a| {
        let version = state.desired[usize::from(a)].version;
        let all = state.of(a).count();
        let good =
            |c: &&Container| c.phase == Phase::Running && !c.retired && !c.forgotten && c.version == version;
        let wanted = match facts.actors[usize::from(a)].kind.per_node() {
            true => (0..facts.nodes).filter(|n| state.nodes[*n].takes(a)).count(),
            false => 1,
        };
        state.of(a).filter(good).count() == wanted && all == wanted
    })
}

/// Returns every possible heal, with the state after it.
pub fn heals(facts: &Facts, state: &State) -> Vec<(Step, State)> {
    let mut heals = Vec::new();
    for n in 0..facts.nodes {
        let node = state.nodes[n];
        let mut add = |action, change: &dyn Fn(&mut State)| {
            let mut after = *state;
            change(&mut after);
            heals.push((Step { action, actor: 0, node: n as u8, version: 0 }, after));
        };
        let up = |s: &mut State| (s.nodes[n].link, s.nodes[n].noticed) = (Link::Up, false);
        match node.link {
            Link::Up => {}
            Link::Cut => add(Action::Heal, &up),
            Link::Deaf => add(Action::AgentBack, &up),
            Link::Off => add(Action::PowerOn, &up),
        }
        if !node.mounted {
            add(Action::Mount, &|s| s.nodes[n].mounted = true);
        }
        if node.drained {
            add(Action::Undrain, &|s| s.nodes[n].drained = false);
        }
    }
    let fits = |n: usize| facts.node(n).fits;
    if let Some(n) = (0..facts.nodes).find(|n| state.nodes[*n].fits != fits(*n)) {
        let mut after = *state;
        for n in 0..facts.nodes {
            after.nodes[n].fits = fits(n);
        }
        heals.push((Step { action: Action::Label, actor: 0, node: n as u8, version: 0 }, after));
    }
    for a in 0..facts.actors.len() {
        if !state.desired[a].deployed {
            let mut after = *state;
            after.desired[a].deployed = true;
            let version = after.desired[a].version;
            heals.push((Step { action: Action::Deploy, actor: a as u8, node: NOWHERE, version }, after));
        }
    }
    // A claim that was deleted is gone for good.
    if state.volumes.contains(&Data::Absent) && state.struck & Action::LoseVolume.bit() != 0 {
        let mut after = *state;
        let owner = facts.actors.first().map_or(0, |a| a.owner);
        for volume in after.volumes.iter_mut().filter(|v| **v == Data::Absent) {
            *volume = Data::Of(owner);
        }
        heals.push((Step { action: Action::Mount, actor: 0, node: NOWHERE, version: 0 }, after));
    }
    heals
}

/// Returns the ways in which labels may change, with the node where they do.
pub fn relabel(facts: &Facts, state: &State, action: Action) -> Vec<(u8, State)> {
    let mut states = Vec::new();
    let labelled = |a: usize| facts.actors[a].labelled;
    for n in 0..facts.nodes {
        let fits = state.nodes[n].fits;
        for a in (0..facts.actors.len()).filter(|a| labelled(*a) && fits & 1 << a != 0) {
            let mut after = *state;
            match action {
                Action::Unlabel => {
                    after.nodes[n].fits &= !(1 << a);
                    states.push((n as u8, after));
                }
                Action::MoveLabel if facts.actors[a].pinned => {
                    for m in (0..facts.nodes).filter(|m| *m != n) {
                        let mut after = *state;
                        after.nodes[n].fits &= !(1 << a);
                        let others = if facts.excluded { 0 } else { after.nodes[m].fits };
                        after.nodes[m].fits = others | 1 << a;
                        states.push((n as u8, after));
                    }
                }
                Action::FlipLabel if facts.excluded && !facts.actors[a].pinned => {
                    after.nodes[n].fits ^= 0b11;
                    states.push((n as u8, after));
                }
                _ => {}
            }
        }
    }
    states
}

/// Adds a partition, a killed agent or a node without power, for each node in turn.
pub fn disconnect(facts: &Facts, struck: &State, next: &mut Next, action: Action) {
    let link = match action {
        Action::Cut => Link::Cut,
        Action::KillAgent => Link::Deaf,
        _ => Link::Off,
    };
    for n in (0..facts.nodes as u8).filter(|n| struck.nodes[usize::from(*n)].link == Link::Up) {
        let mut after = *struck;
        after.nodes[usize::from(n)].link = link;
        if link == Link::Off {
            after.drop_if(|c| c.node == n && c.runs());
        }
        next.add(Step { action, actor: 0, node: n, version: 0 }, after);
    }
}

/// Adds a node that was off and comes back without its disk.
pub fn unmount(facts: &Facts, struck: &State, next: &mut Next) {
    for n in (0..facts.nodes as u8).filter(|n| struck.nodes[usize::from(*n)].link == Link::Off) {
        let mut after = *struck;
        let node = &mut after.nodes[usize::from(n)];
        (node.link, node.noticed, node.mounted) = (Link::Up, false, false);
        next.add(Step { action: Action::Unmount, actor: 0, node: n, version: 0 }, after);
    }
}

/// Adds the loss of a volume that nobody uses: it was deleted, or a node looks for it in the wrong
/// place.
pub fn lose(facts: &Facts, struck: &State, next: &mut Next) {
    if struck.containers().any(Container::runs) {
        return;
    }
    for mount in facts.actors.iter().flat_map(|a| &a.mounts) {
        if let Place::Volume(v) = mount.place
            && let v = usize::from(v)
            && matches!(struck.volumes[v], Data::Of(_))
        {
            let mut after = *struck;
            after.volumes[v] = Data::Absent;
            next.add(Step { action: Action::LoseVolume, actor: 0, node: NOWHERE, version: 0 }, after);
        }
    }
}
