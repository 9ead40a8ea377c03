//! What Docker Swarm does (`docs`: swarmkit's orchestrators, scheduler and agent).
//!
//! Tasks are judged by two notions of "occupied": `max_replicas_per_node` counts what is desired,
//! host ports and cluster volumes what is observed (swarmkit manager/scheduler/nodeinfo.go).

use crate::finding::{At, Hazard};
use crate::world::{Kind, Order, Source};

use super::facts::{Breach, Facts, How, Mount, holds};
use super::scene::Scene;
use super::search::{Next, Rules, Step, What};
use super::state::{Copy, Link, NOWHERE, Phase, State};
use super::story::{self, Told};

/// Seconds that a replacement waits for the old task
/// (swarmkit manager/orchestrator/restart/restart.go, `defaultOldTaskTimeout`).
pub const WAITS: u32 = 60;

/// Docker Swarm.
pub struct Swarm;

/// What may strike under each hazard.
fn strikes(hazard: Hazard) -> &'static [What] {
    match hazard {
        Hazard::Colocate | Hazard::Neighbour | Hazard::Revisions => &[],
        Hazard::Update => &[What::Update, What::Rollback],
        Hazard::Relabel => &[What::Unlabel, What::MoveLabel, What::FlipLabel],
        Hazard::Partition => &[What::Cut],
        Hazard::Reboot => &[
            What::KillAgent,
            What::PowerOff,
            What::Unmount,
            What::Remove,
            What::Drain,
            What::Update,
            What::ManagerRestart,
        ],
        Hazard::Move => &[What::Crash, What::PowerOff, What::Unmount, What::LoseVolume],
        Hazard::Force => &[What::Cut, What::Force],
    }
}

impl Rules for Swarm {
    fn next(&self, facts: &Facts, state: &State, next: &mut Next) {
        let mut turn = Turn { facts, state, next };
        for actor in 0..facts.actors.len() as u8 {
            turn.create(actor);
        }
        for copy in state.copies() {
            turn.replace(copy);
            turn.release(copy);
            turn.place(copy);
            turn.start(copy);
            turn.stop(copy);
        }
        turn.notice();
        turn.heal();
        for what in strikes(facts.hazard).iter().filter(|w| super::may_strike(state, **w)) {
            turn.strike(*what);
        }
    }

    fn settled(&self, facts: &Facts, state: &State) -> bool {
        super::calm(facts, state) && super::runs_as_wanted(facts, state)
    }

    fn tell<'w>(&self, scene: &Scene<'w>, step: &Step, before: &State) -> Option<Told<'w>> {
        let actor = &scene.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scene, step);
        let order =
            if before.struck & What::Rollback.bit() != 0 { &workload.rollback } else { &workload.update };
        let constraint = scene.want(actor);
        let told = match step.what {
            What::Update => ("a new description is deployed".to_owned(), Some(&workload.at)),
            What::Rollback => ("the deploy is rolled back".to_owned(), Some(&workload.at)),
            What::Create if order.order == Order::StartFirst && before.of(step.actor).any(|c| !c.retired) => {
                ("start-first: Swarm starts the new task beside the old one".to_owned(), order.at.as_ref())
            }
            What::Create => {
                (format!("Swarm makes a new task of {name} at once: nothing runs that is still wanted"), None)
            }
            What::Replace if order.order == Order::StopFirst => (
                "stop-first: Swarm asks the old task to stop, and the new one waits".to_owned(),
                order.at.as_ref(),
            ),
            What::Replace => ("the old task is told to stop".to_owned(), None),
            What::Timeout => (
                format!(
                    "after {WAITS} s Swarm waits no longer; the old task has {} s to stop",
                    workload.grace
                ),
                workload.grace_at.as_ref().or(Some(&workload.at)),
            ),
            What::Place => (format!("the scheduler gives it {node}"), constraint),
            What::Start => (format!("its container starts on {node}"), None),
            What::Refuse => (format!("{node} refuses it, and it is tried elsewhere"), None),
            What::Tell => (
                format!("the agent of {node} asks the old container of {name} to stop; it takes its time"),
                None,
            ),
            What::End => (format!("the container of {name} on {node} ends"), None),
            What::Notice if workload.kind == Kind::Global => (
                format!("after three missed heartbeats {node} counts as down; no task is wanted there"),
                None,
            ),
            What::Notice => (
                format!(
                    "after three missed heartbeats {node} counts as down; its tasks are wanted elsewhere"
                ),
                None,
            ),
            What::Remove => (format!("{name} is scaled to 0, or its stack removed"), None),
            What::Deploy => (format!("{name} is deployed again before its container has ended"), None),
            What::Unlabel => (
                format!(
                    "a label is taken from {node}: its task is rejected at once, and runs until it has stopped"
                ),
                constraint,
            ),
            What::MoveLabel => (format!("the label is moved away from {node}"), constraint),
            What::FlipLabel => (format!("the label of {node} takes the other value"), constraint),
            What::Label => (format!("the label of {node} is set again"), constraint),
            What::KillAgent => (format!("dockerd on {node} is killed; its containers run on"), None),
            What::AgentBack => (format!("dockerd on {node} starts again, and kills what was left"), None),
            What::Drain => (format!("{node} is drained"), None),
            What::Undrain => (format!("{node} is active again"), None),
            What::ManagerRestart => {
                ("the manager restarts, and forgets what was waited for".to_owned(), None)
            }
            What::Force => (format!("docker node rm --force {node}: its containers never hear of it"), None),
            What::PowerOff => (format!("{node} is switched off: its tasks are wanted elsewhere"), None),
            What::Release => return None,
            _ => (story::common(scene, step)?, None),
        };
        Some(told)
    }

    fn mend<'w>(&self, scene: &Scene<'w>, breach: &Breach, way: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scene.actors[usize::from(breach.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let came = |what| way.iter().any(|(s, _)| s.what == what);
        let moved = breach.how != How::Two
            || way.last().is_some_and(|(start, after)| {
                after.copies().any(|c| c.runs() && c.actor == breach.other && c.node != start.node)
            });
        if scene.facts.hazard == Hazard::Neighbour
            || scene.actors.len() > 1 && breach.how == How::Two && !scene.facts.excluded
        {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (at, "give each a path or volume of its own".to_owned());
        }
        if workload.update.order == Order::StartFirst && matches!(scene.facts.hazard, Hazard::Update) {
            let at = workload.update.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        if workload.rollback.order == Order::StartFirst && came(What::Rollback) {
            let at = workload.rollback.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
        if came(What::LoseVolume) || came(What::Unmount) {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (
                at,
                "type: bind, with a directory inside the mount as source: Swarm makes none that is missing"
                    .to_owned(),
            );
        }
        if moved && !scene.facts.actors[usize::from(breach.actor)].pinned {
            let pin = format!(
                "deploy.placement.constraints: [\"node.labels.{} == {}\"], on one node only",
                workload.family,
                actor.member.ordinal.unwrap_or(1)
            );
            let more = if volume { ", or a volume whose driver refuses a second node" } else { "" };
            return (&workload.at, format!("{pin}{more}"));
        }
        if moved {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (
                at,
                format!("a source that carries the member's own name ({name}), so that no other node has it"),
            );
        }
        if workload.node_network.is_some() {
            return (&workload.at, "an entrypoint that holds flock on its data directory: on the node's network a published port binds nothing".to_owned());
        }
        (
            &workload.at,
            "publish a port with `mode: host`: Docker keeps it until the old container has ended".to_owned(),
        )
    }

    fn unstick<'w>(&self, scene: &Scene<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        let workload = scene.actors[0].workload;
        let first = workload.update.order == Order::StartFirst;
        let at = workload.update.at.as_ref().filter(|_| first).unwrap_or(&workload.at);
        (at, "order: stop-first".to_owned())
    }
}

struct Turn<'t> {
    facts: &'t Facts,
    state: &'t State,
    next: &'t mut Next,
}

fn step(what: What, actor: u8, node: u8, version: u8) -> Step {
    Step { what, actor, node, version }
}

impl Turn<'_> {
    fn of(what: What, copy: &Copy) -> Step {
        step(what, copy.actor, copy.node, copy.version)
    }

    fn up(&self, n: u8) -> bool {
        let node = &self.state.nodes[usize::from(n)];
        node.link == Link::Up && !node.drained
    }

    fn fits(&self, actor: u8, n: u8) -> bool {
        self.state.nodes[usize::from(n)].fits & 1 << actor != 0
    }

    fn nodes(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.facts.nodes as u8
    }

    /// A slot, or a node of a global service, without a task that is to run gets one; nothing is
    /// waited for (manager/orchestrator/replicated/services.go, global/global.go).
    fn create(&mut self, actor: u8) {
        let desired = self.state.desired[usize::from(actor)];
        if !desired.deployed {
            return;
        }
        let wanted =
            |n: Option<u8>| self.state.of(actor).any(|c| !c.retired && n.is_none_or(|n| c.node == n));
        let places: Vec<u8> = match self.facts.actors[usize::from(actor)].kind.per_node() {
            true => {
                self.nodes().filter(|n| self.up(*n) && self.fits(actor, *n) && !wanted(Some(*n))).collect()
            }
            false if wanted(None) => Vec::new(),
            false => vec![NOWHERE],
        };
        for node in places {
            let mut after = *self.state;
            let task = Copy::wanted(actor, desired.version, node);
            self.push(&mut after, task);
            self.next.add(step(What::Create, actor, node, desired.version), after);
        }
    }

    fn push(&mut self, state: &mut State, copy: Copy) {
        if !state.push(copy) {
            self.next.full = true;
        }
    }

    /// The updater (manager/orchestrator/update/updater.go).
    fn replace(&mut self, old: &Copy) {
        let wanted = self.state.desired[usize::from(old.actor)];
        if !wanted.deployed || old.retired {
            return;
        }
        let order = self.order(old.actor);
        let mut after = *self.state;
        if old.version == wanted.version {
            // The new task runs: with start-first the old one goes now.
            let late = |c: &Copy| {
                c.actor == old.actor
                    && c.version != old.version
                    && !c.retired
                    && (c.node == old.node || !self.global(c.actor))
            };
            if old.phase == Phase::Running && order == Order::StartFirst && self.state.copies().any(late) {
                after.each(late, |c| c.retired = true);
                self.next.add(Self::of(What::Replace, old), after);
            }
            return;
        }
        let node = if self.global(old.actor) { old.node } else { NOWHERE };
        let new = Copy { waits: order == Order::StopFirst, ..Copy::wanted(old.actor, wanted.version, node) };
        if order == Order::StartFirst {
            let there = |c: &Copy| {
                c.version == wanted.version && !c.retired && (c.node == old.node || !self.global(c.actor))
            };
            if old.phase == Phase::Running && !self.state.of(old.actor).any(there) {
                self.push(&mut after, new);
                self.next.add(step(What::Create, new.actor, new.node, new.version), after);
            }
            return;
        }
        after.set(old, old.runs().then_some(Copy { retired: true, ..*old }));
        self.push(&mut after, new);
        self.next.add(Self::of(What::Replace, old), after);
    }

    fn global(&self, actor: u8) -> bool {
        self.facts.actors[usize::from(actor)].kind == Kind::Global
    }

    fn order(&self, actor: u8) -> Order {
        let actor = &self.facts.actors[usize::from(actor)];
        if self.state.struck & What::Rollback.bit() != 0 { actor.back } else { actor.order }
    }

    /// A replacement waits until the old task has stopped or its node is down, and 60 s at most.
    fn release(&mut self, copy: &Copy) {
        if !copy.waits {
            return;
        }
        let holds = |o: &Copy| {
            let down = self.state.node(o).is_some_and(|n| n.noticed);
            o.actor == copy.actor
                && o.retired
                && o.runs()
                && !down
                && (o.node == copy.node || !self.global(o.actor))
        };
        let ended = !self.state.copies().any(holds);
        if ended || self.facts.of(copy).slow {
            let mut after = *self.state;
            after.set(copy, Some(Copy { waits: false, ..*copy }));
            let what = if ended { What::Release } else { What::Timeout };
            self.next.add(Self::of(what, copy), after);
        }
    }

    /// The scheduler (manager/scheduler/filter.go).
    fn place(&mut self, copy: &Copy) {
        if copy.phase != Phase::Waiting || copy.waits {
            return;
        }
        let nodes: Vec<u8> = if copy.node == NOWHERE { self.nodes().collect() } else { vec![copy.node] };
        for n in nodes {
            if self.up(n) && self.fits(copy.actor, n) && !self.taken(copy, n) {
                let mut after = *self.state;
                after.set(copy, Some(Copy { node: n, phase: Phase::Placed, ..*copy }));
                self.next.add(step(What::Place, copy.actor, n, copy.version), after);
            }
        }
    }

    fn taken(&self, copy: &Copy, n: u8) -> bool {
        let own = self.facts.of(copy);
        let others = || self.state.copies().filter(|o| *o != copy && o.phase != Phase::Waiting);
        // What was rejected is no longer counted (nodeinfo.go, removeTask).
        if others().any(|o| o.node == n && !o.forgotten && holds(&self.facts.port, copy, o)) {
            return true;
        }
        let desired =
            others().filter(|o| o.node == n && !o.retired && holds(&self.facts.same, copy, o)).count();
        if own.most.is_some_and(|most| desired >= most as usize) {
            return true;
        }
        // A global service never reserves (scheduler.go, taskFitNode).
        let reserved = |m: &&Mount| m.reserved && own.kind != Kind::Global;
        own.mounts.iter().filter(reserved).any(|m| {
            others().any(|o| !o.forgotten && self.facts.of(o).mounts.iter().any(|t| t.place == m.place))
        })
    }

    fn start(&mut self, copy: &Copy) {
        if copy.phase != Phase::Placed || self.state.nodes[usize::from(copy.node)].link != Link::Up {
            return;
        }
        let mut after = *self.state;
        if self.facts.refused(self.state, copy) {
            // The task is rejected and another one tried, on any node.
            if !self.global(copy.actor) && self.facts.nodes > 1 {
                after.set(copy, Some(Copy::wanted(copy.actor, copy.version, NOWHERE)));
                self.next.add(Self::of(What::Refuse, copy), after);
            }
            return;
        }
        let breach = self.facts.run(&mut after, copy);
        self.next.steps.push((Self::of(What::Start, copy), after, breach));
    }

    fn stop(&mut self, copy: &Copy) {
        let mut after = *self.state;
        if copy.phase == Phase::Stopping {
            after.set(copy, None);
            self.next.add(Self::of(What::End, copy), after);
            return;
        }
        let hears = self.state.node(copy).is_none_or(|n| n.link == Link::Up);
        // A node that was removed hears nothing any more.
        let removed = copy.forgotten && self.state.struck & What::Force.bit() != 0;
        if copy.retired && hears && !removed {
            after.set(copy, copy.runs().then_some(Copy { phase: Phase::Stopping, ..*copy }));
            self.next.add(Self::of(What::Tell, copy), after);
        }
    }

    /// A node is down after three missed heartbeats (manager/dispatcher): its tasks are to be
    /// elsewhere, and those of global services nowhere.
    fn notice(&mut self) {
        for n in self.nodes() {
            let node = self.state.nodes[usize::from(n)];
            if node.link != Link::Up && !node.noticed {
                let mut after = *self.state;
                after.nodes[usize::from(n)].noticed = true;
                after.each(|c| c.node == n && c.runs(), |c| c.retired = true);
                after.drop_if(|c| c.node == n && !c.runs());
                self.next.add(step(What::Notice, 0, n, 0), after);
            }
        }
    }

    fn heal(&mut self) {
        for (step, mut after) in super::heals(self.facts, self.state) {
            match step.what {
                // A dockerd that starts kills what the last one left (seen).
                What::AgentBack => after.drop_if(|c| c.node == step.node && c.runs()),
                What::Label => self.enforce(&mut after),
                _ => {}
            }
            self.next.add(step, after);
        }
    }

    fn strike(&mut self, what: What) {
        let mut struck = *self.state;
        struck.struck |= what.bit();
        match what {
            What::Update if self.state.desired[0].version == 0 => {
                struck.desired[0].version = 1;
                self.next.add(step(what, 0, NOWHERE, 1), struck);
            }
            What::Rollback if self.state.struck & What::Update.bit() != 0 => {
                struck.desired[0].version = 0;
                self.next.add(step(what, 0, NOWHERE, 0), struck);
            }
            What::Remove => {
                struck.desired[0].deployed = false;
                struck.each(|c| c.actor == 0, |c| c.retired = true);
                struck.drop_if(|c| c.actor == 0 && !c.runs());
                self.next.add(step(what, 0, NOWHERE, 0), struck);
            }
            What::ManagerRestart if self.state.copies().any(|c| c.waits) => {
                // The wait is forgotten (manager/orchestrator/taskinit/init.go).
                struck.each(|c| c.waits, |c| c.waits = false);
                self.next.add(step(what, 0, NOWHERE, 0), struck);
            }
            What::Unlabel | What::MoveLabel | What::FlipLabel => {
                for (node, mut after) in super::relabel(self.facts, &struck, what) {
                    self.enforce(&mut after);
                    self.next.add(step(what, 0, node, 0), after);
                }
            }
            What::Drain => {
                let up: Vec<u8> = self.nodes().filter(|n| self.up(*n)).collect();
                for n in up {
                    let mut after = struck;
                    after.nodes[usize::from(n)].drained = true;
                    for old in self.state.copies().filter(|c| c.node == n && !c.retired) {
                        after.set(old, old.runs().then_some(Copy { retired: true, ..*old }));
                        if !self.global(old.actor) {
                            let new = Copy { waits: true, ..Copy::wanted(old.actor, old.version, NOWHERE) };
                            self.push(&mut after, new);
                        }
                    }
                    self.next.add(step(what, 0, n, 0), after);
                }
            }
            What::Crash => {
                for copy in self.state.copies().filter(|c| c.phase == Phase::Running && !c.retired) {
                    let mut after = struck;
                    after.set(copy, None);
                    self.next.add(Self::of(what, copy), after);
                }
            }
            What::Cut | What::KillAgent | What::PowerOff => {
                super::unlink(self.facts, &struck, self.next, what)
            }
            What::Unmount => super::unmount(self.facts, &struck, self.next),
            What::LoseVolume => super::lose(self.facts, &struck, self.next),
            What::Force => {
                // `docker node rm --force` of a node that is down (manager/controlapi/node.go).
                for n in self.nodes().filter(|n| self.state.nodes[usize::from(*n)].noticed) {
                    let mut after = struck;
                    after.each(|c| c.node == n, |c| (c.retired, c.forgotten) = (true, true));
                    self.next.add(step(what, 0, n, 0), after);
                }
            }
            _ => {}
        }
    }

    /// The constraint enforcer: what no longer fits is rejected while it runs, and nothing waits
    /// for its end (manager/orchestrator/constraintenforcer).
    fn enforce(&self, state: &mut State) {
        let nodes = state.nodes;
        let unfit =
            |c: &Copy| c.node != NOWHERE && nodes[usize::from(c.node)].fits & 1 << c.actor == 0 && !c.retired;
        state.drop_if(|c| unfit(c) && !c.runs());
        state.each(unfit, |c| (c.retired, c.forgotten) = (true, true));
    }
}
