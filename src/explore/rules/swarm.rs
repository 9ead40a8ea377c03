//! The behaviour of Docker Swarm (swarmkit's orchestrators, scheduler and agent).
//!
//! Swarm has two notions of "occupied": `max_replicas_per_node` counts desired states, host ports
//! and cluster volumes count observed states (swarmkit manager/scheduler/nodeinfo.go).

use crate::hazard::Hazard;
use crate::world::{Kind, Order};

use super::common;
use crate::explore::facts::{Facts, Mount, holds};
use crate::explore::search::{Action, Next, Rules, Step};
use crate::explore::state::{Container, Link, NOWHERE, Phase, State};

/// Docker Swarm.
pub struct Swarm;

/// Returns the strikes for each hazard.
fn strikes(hazard: Hazard) -> &'static [Action] {
    match hazard {
        Hazard::Colocate | Hazard::Neighbour => &[],
        Hazard::Update | Hazard::Revisions => &[Action::Update, Action::Rollback],
        Hazard::Relabel => &[Action::Unlabel, Action::MoveLabel, Action::FlipLabel],
        Hazard::Partition => &[Action::Cut],
        Hazard::Reboot => &[
            Action::KillAgent,
            Action::PowerOff,
            Action::Unmount,
            Action::Remove,
            Action::Drain,
            Action::Update,
            Action::ManagerRestart,
        ],
        Hazard::Move => &[Action::Crash, Action::PowerOff, Action::Unmount, Action::LoseVolume],
        Hazard::Force => &[Action::Cut, Action::Force],
    }
}

impl Rules for Swarm {
    fn next(&self, facts: &Facts, state: &State, next: &mut Next) {
        let mut turn = Turn { facts, state, next };
        for actor in 0..facts.actors.len() as u8 {
            turn.create(actor);
        }
        for container in state.containers() {
            turn.replace(container);
            turn.release(container);
            turn.place(container);
            turn.start(container);
            turn.stop(container);
        }
        turn.notice();
        turn.heal();
        // Without a restart policy no task follows one that ends by itself or with its node.
        let follows = |w: &&Action| {
            let ends = matches!(
                w,
                Action::Crash
                    | Action::PowerOff
                    | Action::KillAgent
                    | Action::Cut
                    | Action::Drain
                    | Action::Unlabel
                    | Action::MoveLabel
                    | Action::FlipLabel
            );
            !ends || facts.actors.iter().all(|a| a.restarts)
        };
        // A second deploy of one service needs no second service.
        let twice = facts.hazard == Hazard::Revisions && facts.actors.len() > 1;
        let strikes = strikes(facts.hazard).iter().filter(|w| !twice && common::may_strike(state, **w));
        for action in strikes.filter(follows) {
            turn.strike(*action);
        }
    }

    fn settled(&self, facts: &Facts, state: &State) -> bool {
        common::calm(facts, state) && common::runs_as_wanted(facts, state)
    }
}

struct Turn<'t> {
    facts: &'t Facts,
    state: &'t State,
    next: &'t mut Next,
}

impl Turn<'_> {
    fn up(&self, n: u8) -> bool {
        let node = &self.state.nodes[usize::from(n)];
        node.link == Link::Up && !node.drained
    }

    fn fits(&self, actor: u8, n: u8) -> bool {
        self.state.nodes[usize::from(n)].takes(actor)
    }

    fn nodes(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.facts.nodes as u8
    }

    /// Creates a task for a slot, or for a node of a global service, without a task that should
    /// run. It waits for nothing (manager/orchestrator/replicated/services.go, global/global.go).
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
            let task = Container::wanted(actor, desired.version, node);
            self.push(&mut after, task);
            self.next.add(Step::new(Action::Create, actor, node, desired.version), after);
        }
    }

    fn push(&mut self, state: &mut State, container: Container) {
        if !state.push(container) {
            self.next.full = true;
        }
    }

    /// Lets the updater replace a task (manager/orchestrator/update/updater.go).
    fn replace(&mut self, old: &Container) {
        let wanted = self.state.desired[usize::from(old.actor)];
        if !wanted.deployed || old.retired {
            return;
        }
        let order = self.order(old.actor);
        let mut after = *self.state;
        let slot = |c: &Container| c.actor == old.actor && (c.node == old.node || !self.global(c.actor));
        if old.version == wanted.version {
            // Of a slot where a task of the wanted version runs, the others stop: the old one of a
            // start-first update, the new one of an update that is rolled back (useExistingTask).
            let late = |c: &Container| slot(c) && c.version != old.version && !c.retired;
            if old.phase == Phase::Running && self.state.containers().any(late) {
                after.each(late, |c| c.retired = true);
                self.next.add(Step::of(Action::Replace, old), after);
            }
            return;
        }
        // It waits for nothing but the other task of its slot.
        let there = |c: &Container| slot(c) && c.version == wanted.version && !c.retired;
        if self.state.containers().any(there) {
            return;
        }
        let node = if self.global(old.actor) { old.node } else { NOWHERE };
        // It waits for the task that it replaces, which may never have run: a third generation does not
        // see the first (removeOldTasks, DelayStart).
        let new = Container {
            waits: order == Order::StopFirst && old.runs(),
            ..Container::wanted(old.actor, wanted.version, node)
        };
        if order == Order::StartFirst {
            if old.phase == Phase::Running {
                self.push(&mut after, new);
                self.next.add(Step::new(Action::Create, new.actor, new.node, new.version), after);
            }
            return;
        }
        after.set(old, old.runs().then_some(Container { retired: true, ..*old }));
        self.push(&mut after, new);
        self.next.add(Step::of(Action::Replace, old), after);
    }

    fn global(&self, actor: u8) -> bool {
        self.facts.actors[usize::from(actor)].kind == Kind::Global
    }

    fn order(&self, actor: u8) -> Order {
        let actor = &self.facts.actors[usize::from(actor)];
        if self.state.struck & Action::Rollback.bit() != 0 { actor.back } else { actor.order }
    }

    /// Starts a replacement after the old task has stopped or its node is down, or after 60 s: too
    /// short for a grace period above 55 s.
    fn release(&mut self, container: &Container) {
        if !container.waits {
            return;
        }
        let holds = |o: &Container| {
            let down = self.state.node(o).is_some_and(|n| n.noticed);
            o.actor == container.actor
                && o.retired
                && o.runs()
                && !down
                && (o.node == container.node || !self.global(o.actor))
        };
        let ended = !self.state.containers().any(holds);
        if ended || self.facts.actor(container).slow {
            let mut after = *self.state;
            after.set(container, Some(Container { waits: false, ..*container }));
            let action = if ended { Action::Release } else { Action::Timeout };
            self.next.add(Step::of(action, container), after);
        }
    }

    /// Schedules a task (manager/scheduler/filter.go).
    fn place(&mut self, container: &Container) {
        if container.phase != Phase::Waiting || container.waits {
            return;
        }
        let nodes: Vec<u8> =
            if container.node == NOWHERE { self.nodes().collect() } else { vec![container.node] };
        for n in nodes {
            if self.up(n) && self.fits(container.actor, n) && !self.taken(container, n) {
                let mut after = *self.state;
                after.set(container, Some(Container { node: n, phase: Phase::Placed, ..*container }));
                self.next.add(Step::new(Action::Place, container.actor, n, container.version), after);
            }
        }
    }

    fn taken(&self, container: &Container, n: u8) -> bool {
        let own = self.facts.actor(container);
        let others = || self.state.containers().filter(|o| *o != container && o.phase != Phase::Waiting);
        // A rejected task is no longer counted (nodeinfo.go, removeTask).
        if others().any(|o| o.node == n && !o.forgotten && holds(&self.facts.port, container, o)) {
            return true;
        }
        let desired =
            others().filter(|o| o.node == n && !o.retired && holds(&self.facts.same, container, o)).count();
        if own.max_per_node.is_some_and(|most| desired >= most as usize) {
            return true;
        }
        // A global service never reserves (scheduler.go, taskFitNode).
        let reserved = |m: &&Mount| m.reserved && own.kind != Kind::Global;
        own.mounts.iter().filter(reserved).any(|m| {
            others().any(|o| !o.forgotten && self.facts.actor(o).mounts.iter().any(|t| t.place == m.place))
        })
    }

    fn start(&mut self, container: &Container) {
        if container.phase != Phase::Placed || self.state.nodes[usize::from(container.node)].link != Link::Up
        {
            return;
        }
        let mut after = *self.state;
        if self.facts.refused(self.state, container) {
            // The task is rejected, and another one is tried on any node.
            if !self.global(container.actor) && self.facts.nodes > 1 {
                after.set(container, Some(Container::wanted(container.actor, container.version, NOWHERE)));
                self.next.add(Step::of(Action::Refuse, container), after);
            }
            return;
        }
        let breach = self.facts.run(&mut after, container);
        self.next.steps.push((Step::of(Action::Start, container), after, breach));
    }

    fn stop(&mut self, container: &Container) {
        let mut after = *self.state;
        if container.phase == Phase::Stopping {
            after.set(container, None);
            self.next.add(Step::of(Action::End, container), after);
            return;
        }
        let hears = self.state.node(container).is_none_or(|n| n.link == Link::Up);
        // A removed node gets no more updates.
        let removed = container.forgotten && self.state.struck & Action::Force.bit() != 0;
        if container.retired && hears && !removed {
            after.set(
                container,
                container.runs().then_some(Container { phase: Phase::Stopping, ..*container }),
            );
            self.next.add(Step::of(Action::Tell, container), after);
        }
    }

    /// Declares a node down after three missed heartbeats (manager/dispatcher). Its tasks are
    /// wanted elsewhere, but those of global services are not.
    fn notice(&mut self) {
        for n in self.nodes() {
            let node = self.state.nodes[usize::from(n)];
            if node.link != Link::Up && !node.noticed {
                let mut after = *self.state;
                after.nodes[usize::from(n)].noticed = true;
                after.each(|c| c.node == n && c.runs(), |c| c.retired = true);
                after.drop_if(|c| c.node == n && !c.runs());
                self.next.add(Step::new(Action::Notice, 0, n, 0), after);
            }
        }
    }

    fn heal(&mut self) {
        for (step, mut after) in common::heals(self.facts, self.state) {
            match step.action {
                // A dockerd that starts kills the containers that the last one left (observed).
                Action::AgentBack => after.drop_if(|c| c.node == step.node && c.runs()),
                Action::Label => self.enforce(&mut after),
                _ => {}
            }
            self.next.add(step, after);
        }
    }

    fn strike(&mut self, action: Action) {
        let mut struck = *self.state;
        struck.struck |= action.bit();
        match action {
            Action::Update if self.state.desired[0].version == 0 => {
                struck.desired[0].version = 1;
                self.next.add(Step::new(action, 0, NOWHERE, 1), struck);
            }
            // That the first generation comes back while it still stops belongs to `revisions`.
            Action::Rollback
                if self.state.struck & Action::Update.bit() != 0
                    && (self.facts.hazard == Hazard::Revisions
                        || !self.state.containers().any(|c| c.waits)) =>
            {
                struck.desired[0].version = 0;
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::Remove => {
                struck.desired[0].deployed = false;
                struck.each(|c| c.actor == 0, |c| c.retired = true);
                struck.drop_if(|c| c.actor == 0 && !c.runs());
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::ManagerRestart if self.state.containers().any(|c| c.waits) => {
                // The new manager no longer waits (manager/orchestrator/taskinit/init.go).
                struck.each(|c| c.waits, |c| c.waits = false);
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::Unlabel | Action::MoveLabel | Action::FlipLabel => {
                for (node, mut after) in common::relabel(self.facts, &struck, action) {
                    self.enforce(&mut after);
                    self.next.add(Step::new(action, 0, node, 0), after);
                }
            }
            Action::Drain => {
                let up: Vec<u8> = self.nodes().filter(|n| self.up(*n)).collect();
                for n in up {
                    let mut after = struck;
                    after.nodes[usize::from(n)].drained = true;
                    for old in self.state.containers().filter(|c| c.node == n && !c.retired) {
                        after.set(old, old.runs().then_some(Container { retired: true, ..*old }));
                        if !self.global(old.actor) {
                            let new = Container {
                                waits: true,
                                ..Container::wanted(old.actor, old.version, NOWHERE)
                            };
                            self.push(&mut after, new);
                        }
                    }
                    self.next.add(Step::new(action, 0, n, 0), after);
                }
            }
            Action::Crash => {
                for container in self.state.containers().filter(|c| c.phase == Phase::Running && !c.retired) {
                    let mut after = struck;
                    after.set(container, None);
                    self.next.add(Step::of(action, container), after);
                }
            }
            Action::Cut | Action::KillAgent | Action::PowerOff => {
                common::disconnect(self.facts, &struck, self.next, action)
            }
            Action::Unmount => common::unmount(self.facts, &struck, self.next),
            Action::LoseVolume => common::lose(self.facts, &struck, self.next),
            Action::Force => {
                // `docker node rm --force` of a node that is down (manager/controlapi/node.go).
                for n in self.nodes().filter(|n| self.state.nodes[usize::from(*n)].noticed) {
                    let mut after = struck;
                    after.each(|c| c.node == n, |c| (c.retired, c.forgotten) = (true, true));
                    self.next.add(Step::new(action, 0, n, 0), after);
                }
            }
            _ => {}
        }
    }

    /// Lets the constraint enforcer reject a task that no longer matches while it still runs.
    /// Nothing waits until it has ended (manager/orchestrator/constraintenforcer).
    fn enforce(&self, state: &mut State) {
        let nodes = state.nodes;
        let unfit =
            |c: &Container| c.node != NOWHERE && !nodes[usize::from(c.node)].takes(c.actor) && !c.retired;
        state.drop_if(|c| unfit(c) && !c.runs());
        state.each(unfit, |c| (c.retired, c.forgotten) = (true, true));
    }
}
