//! The behaviour of fleet, with systemd and docker under it.
//!
//! fleet compares what is wanted, not what still runs. It places the next unit milliseconds after a
//! stop request (agent/agent.go), and moves units off an unreachable machine while they keep
//! running (engine/reconciler.go). Only docker's names, locks and the storage see what runs.

use crate::hazard::Hazard;
use crate::world::Kind;

use super::common;
use crate::explore::facts::{Facts, holds};
use crate::explore::search::{Action, Next, Rules, Step};
use crate::explore::state::{Container, Link, NOWHERE, Phase, State};

/// CoreOS fleet.
pub struct Fleet;

/// Returns the strikes for each hazard. `Crash` is a killed docker client: its container keeps
/// running. `KillAgent` is fleetd that stops, as in a reboot: it tells its units to stop, does not
/// wait, and removes its machine.
fn strikes(facts: &Facts) -> &'static [Action] {
    let local = facts.one_machine();
    match facts.hazard {
        Hazard::Reboot if local => &[Action::PowerOff, Action::Unmount, Action::Remove, Action::Crash],
        // A unit that stops makes room at once for the unit that its `Conflicts` excluded.
        Hazard::Colocate | Hazard::Neighbour | Hazard::Revisions if facts.actors.len() > 1 => {
            &[Action::Remove]
        }
        Hazard::Colocate | Hazard::Neighbour | Hazard::Revisions => &[],
        Hazard::Update => &[Action::Update, Action::Rollback, Action::Crash],
        Hazard::Relabel => &[Action::Unlabel, Action::MoveLabel, Action::FlipLabel, Action::Crash],
        Hazard::Partition => &[Action::Cut],
        Hazard::Reboot => {
            &[Action::KillAgent, Action::PowerOff, Action::Unmount, Action::Remove, Action::Crash]
        }
        Hazard::Move => &[Action::PowerOff, Action::Unmount, Action::LoseVolume],
        Hazard::Force => &[Action::Crash, Action::KillAgent],
    }
}

impl Rules for Fleet {
    fn next(&self, facts: &Facts, state: &State, next: &mut Next) {
        let mut turn = Turn { facts, state, next };
        for actor in 0..facts.actors.len() as u8 {
            turn.create(actor);
        }
        for container in state.containers() {
            turn.replace(container);
            turn.start(container);
            turn.stop(container);
        }
        turn.notice();
        turn.heal();
        for action in strikes(facts).iter().filter(|w| common::may_strike(state, **w)) {
            turn.strike(*action);
        }
        // A unit that does not run and is not wanted any more has no effect.
        let gone = |c: &Container| c.retired && !c.runs();
        for (_, after, _) in next.steps.iter_mut().filter(|(_, after, _)| after.containers().any(gone)) {
            after.drop_if(gone);
        }
    }

    fn settled(&self, facts: &Facts, state: &State) -> bool {
        // A container that a killed client left behind belongs to no unit. If it blocks a unit, no
        // member runs.
        let mut units = *state;
        units.drop_if(|c| c.forgotten);
        common::calm(facts, state) && common::runs_as_wanted(facts, &units)
    }
}

struct Turn<'t> {
    facts: &'t Facts,
    state: &'t State,
    next: &'t mut Next,
}

impl Turn<'_> {
    fn global(&self, actor: u8) -> bool {
        self.facts.actors[usize::from(actor)].kind == Kind::GlobalUnit
    }

    fn nodes(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.facts.nodes as u8
    }

    /// Schedules units. The engine gives a unit one machine (engine/scheduler.go), and each agent
    /// takes global units by itself (agent/reconcile.go). Both use the metadata and what is wanted
    /// on the machine.
    fn create(&mut self, actor: u8) {
        let desired = self.state.desired[usize::from(actor)];
        let (state, global) = (self.state, self.global(actor));
        let wanted = |n: u8| state.of(actor).any(|c| !c.retired && (!global || c.node == n));
        if !desired.deployed {
            return;
        }
        for n in self.nodes() {
            let node = &self.state.nodes[usize::from(n)];
            let open = node.link == Link::Up && node.takes(actor);
            let conflict = self.state.containers().any(|o| {
                o.node == n
                    && !o.retired
                    && o.actor != actor
                    && self.facts.apart[usize::from(actor)][usize::from(o.actor)]
            });
            if !open || wanted(n) || conflict {
                continue;
            }
            let mut after = *self.state;
            let container =
                Container { phase: Phase::Placed, ..Container::wanted(actor, desired.version, n) };
            if after.push(container) {
                self.next.add(Step::new(Action::Create, actor, n, desired.version), after);
            } else {
                self.next.full = true;
            }
        }
    }

    /// Updates units. If the content changed, the agent stops the unit, rewrites it and starts it.
    /// `destroy` returns before the unit has stopped.
    fn replace(&mut self, old: &Container) {
        let desired = self.state.desired[usize::from(old.actor)];
        if desired.deployed && !old.retired && old.version != desired.version {
            let mut after = *self.state;
            after.set(old, Some(Container { retired: true, ..*old }));
            self.next.add(Step::of(Action::Replace, old), after);
        }
    }

    fn start(&mut self, container: &Container) {
        let up = self.state.node(container).is_some_and(|n| n.link == Link::Up);
        if container.phase != Phase::Placed || container.retired || !up {
            return;
        }
        // systemd has one unit with a name: it starts after its own stop is done.
        let stops_leftovers = self.facts.actor(container).stops_leftovers;
        let busy = |o: &Container| {
            o.actor == container.actor
                && o.node == container.node
                && o.runs()
                && (stops_leftovers || !o.forgotten)
        };
        if self.state.containers().any(|o| o != container && busy(o)) {
            return;
        }
        let mut after = *self.state;
        if self.facts.actor(container).kills {
            // The start kills any container with its name, and takes the name.
            after.drop_if(|o| o.node == container.node && o.runs() && holds(&self.facts.name, o, container));
        }
        if self.facts.refused(&after, container) {
            return;
        }
        let breach = self.facts.run(&mut after, container);
        self.next.steps.push((Step::of(Action::Start, container), after, breach));
    }

    fn stop(&mut self, container: &Container) {
        let node = self.state.node(container);
        let mut after = *self.state;
        if container.phase == Phase::Stopping {
            after.set(container, None);
            self.next.add(Step::of(Action::End, container), after);
            return;
        }
        let own = self.facts.actor(container);
        let cut = node.is_some_and(|n| n.link != Link::Up);
        if !container.retired || container.forgotten && !own.stops_leftovers || cut {
            return;
        }
        let outlives = own.outlives && !own.stops_leftovers;
        let left = match outlives {
            true => Container { forgotten: true, ..*container },
            false => Container { phase: Phase::Stopping, ..*container },
        };
        after.set(container, container.runs().then_some(left));
        self.next.add(Step::of(Action::Tell, container), after);
    }

    /// Lets the key of a lost machine expire, after 30 s. Its own agent stops nothing
    /// (agent/reconcile.go).
    fn notice(&mut self) {
        for n in self.nodes() {
            let node = self.state.nodes[usize::from(n)];
            if node.link != Link::Up && !node.noticed {
                let mut after = *self.state;
                after.nodes[usize::from(n)].noticed = true;
                self.gone(&mut after, n);
                self.next.add(Step::new(Action::Notice, 0, n, 0), after);
            }
        }
    }

    /// Moves the units of a lost machine, except global units, which stay with it.
    fn gone(&self, state: &mut State, n: u8) {
        state.drop_if(|c| c.node == n && !c.runs() && !self.global(c.actor));
        state.each(|c| c.node == n && !self.global(c.actor), |c| c.retired = true);
    }

    fn heal(&mut self) {
        for (step, mut after) in common::heals(self.facts, self.state) {
            match step.action {
                Action::Label => self.unfit(&mut after),
                // No unit of fleet survives a stop of its agent: all units start again.
                Action::AgentBack => after.drop_if(|c| c.node == step.node && !c.runs()),
                _ => {}
            }
            self.next.add(step, after);
        }
    }

    fn unfit(&self, state: &mut State) {
        let nodes = state.nodes;
        state.each(|c| c.node != NOWHERE && !nodes[usize::from(c.node)].takes(c.actor), |c| c.retired = true);
    }

    fn strike(&mut self, action: Action) {
        let mut struck = *self.state;
        struck.struck |= action.bit();
        match action {
            Action::Update => {
                struck.desired[0].version = 1;
                self.next.add(Step::new(action, 0, NOWHERE, 1), struck);
            }
            Action::Rollback if self.state.struck & Action::Update.bit() != 0 => {
                struck.desired[0].version = 0;
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::Remove => {
                for actor in 0..self.facts.actors.len() as u8 {
                    let mut after = struck;
                    after.desired[usize::from(actor)].deployed = false;
                    after.each(|c| c.actor == actor, |c| c.retired = true);
                    self.next.add(Step::new(action, actor, NOWHERE, 0), after);
                }
            }
            Action::Unlabel | Action::MoveLabel | Action::FlipLabel => {
                for (node, mut after) in common::relabel(self.facts, &struck, action) {
                    self.unfit(&mut after);
                    self.next.add(Step::new(action, 0, node, 0), after);
                }
            }
            Action::KillAgent => {
                for n in self
                    .nodes()
                    .filter(|n| self.state.nodes[usize::from(*n)].link == Link::Up)
                    .collect::<Vec<_>>()
                {
                    let mut after = struck;
                    let node = &mut after.nodes[usize::from(n)];
                    (node.link, node.noticed) = (Link::Deaf, true);
                    self.gone(&mut after, n);
                    after.each(
                        |c| c.node == n && c.runs() && !c.forgotten,
                        |c| {
                            (c.retired, c.phase) = (true, Phase::Stopping);
                        },
                    );
                    self.next.add(Step::new(action, 0, n, 0), after);
                }
            }
            Action::Crash => {
                let client = |c: &&Container| c.runs() && !c.forgotten && !self.facts.actor(c).clientless;
                for container in self.state.containers().filter(client) {
                    let mut after = struck;
                    // The unit is tried again on the same machine, unless a stop was requested.
                    let again = Container { phase: Phase::Placed, ..*container };
                    after.set(
                        container,
                        Some(Container {
                            forgotten: true,
                            retired: true,
                            phase: Phase::Running,
                            ..*container
                        }),
                    );
                    if !container.retired && !after.push(again) {
                        self.next.full = true;
                    }
                    self.next.add(Step::of(action, container), after);
                }
            }
            Action::Cut | Action::PowerOff => common::disconnect(self.facts, &struck, self.next, action),
            Action::Unmount => common::unmount(self.facts, &struck, self.next),
            Action::LoseVolume => common::lose(self.facts, &struck, self.next),
            _ => {}
        }
    }
}
