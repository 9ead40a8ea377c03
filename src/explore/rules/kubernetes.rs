//! The behaviour of Kubernetes: its controllers, scheduler and kubelets.
//!
//! If an object is gone, its containers have stopped, except after a forced deletion. Components
//! differ in what a terminating pod excludes: the scheduler counts it for ports, anti-affinity and
//! ReadWriteOncePod, and its own StatefulSet or DaemonSet counts it; a ReplicaSet and another
//! DaemonSet do not.

use crate::hazard::{Hazard, Resource};
use crate::world::{Kind, Missing, Order};

use super::common;
use crate::explore::facts::{Breach, BreachKind, Facts, Place, Rolling, holds};
use crate::explore::search::{Action, Next, Rules, Step};
use crate::explore::state::{Container, Data, Link, NOWHERE, Phase, State};

/// Kubernetes.
pub struct Kubernetes;

/// Returns the strikes for each hazard. `Crash` is a pod that is deleted or evicted.
fn strikes(hazard: Hazard) -> &'static [Action] {
    match hazard {
        Hazard::Colocate | Hazard::Neighbour => &[Action::Crash],
        Hazard::Update => &[Action::Update, Action::Rollback],
        Hazard::Revisions => &[Action::Again],
        Hazard::Relabel => &[Action::Unlabel, Action::MoveLabel, Action::FlipLabel, Action::Crash],
        Hazard::Partition => &[Action::Cut],
        Hazard::Reboot => &[
            Action::KillAgent,
            Action::PowerOff,
            Action::Unmount,
            Action::Remove,
            Action::Drain,
            Action::Crash,
        ],
        Hazard::Move => &[Action::Crash, Action::PowerOff, Action::Unmount, Action::Drain],
        Hazard::Force => &[Action::Cut, Action::Force],
    }
}

impl Rules for Kubernetes {
    fn next(&self, facts: &Facts, state: &State, next: &mut Next) {
        let mut turn = Turn { facts, state, next };
        for actor in 0..facts.actors.len() as u8 {
            turn.create(actor);
        }
        for container in state.containers() {
            turn.replace(container);
            turn.place(container);
            turn.start(container);
            turn.available(container);
            turn.stop(container);
        }
        turn.notice();
        turn.heal();
        for action in strikes(facts.hazard).iter().filter(|w| common::may_strike(state, **w)) {
            turn.strike(*action);
        }
    }

    fn settled(&self, facts: &Facts, state: &State) -> bool {
        // A deleted pod without a controller is not created again.
        let bare = facts.actors.iter().any(|a| a.kind.once());
        bare || common::calm(facts, state) && common::runs_as_wanted(facts, state)
    }
}

struct Turn<'t> {
    facts: &'t Facts,
    state: &'t State,
    next: &'t mut Next,
}

impl Turn<'_> {
    fn kind(&self, actor: u8) -> Kind {
        self.facts.actors[usize::from(actor)].kind
    }

    fn fits(&self, actor: u8, n: u8) -> bool {
        self.state.nodes[usize::from(n)].takes(actor)
    }

    fn nodes(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.facts.nodes as u8
    }

    /// Lets the controllers create pods.
    fn create(&mut self, actor: u8) {
        let desired = self.state.desired[usize::from(actor)];
        let objects = || self.state.of(actor).filter(|c| !c.forgotten);
        let surge = self.order(actor) == Order::StartFirst;
        // With a surge, a deleted pod is replaced at once, and an old pod while it still runs.
        let counts = |c: &&Container| !surge || !c.retired && c.version == desired.version;
        let places: Vec<u8> = match self.kind(actor) {
            _ if !desired.deployed => return,
            // It is created once, with everything else.
            Kind::Pod | Kind::Job => Vec::new(),
            // pkg/controller/daemon/daemon_controller.go, podsShouldBeOnNode: its own
            // terminating pods count; it does not know those of an older DaemonSet.
            Kind::DaemonSet => self
                .nodes()
                .filter(|n| self.fits(actor, *n))
                .filter(|n| !objects().filter(counts).any(|c| c.node == *n && !c.orphan))
                .collect(),
            // pkg/controller/statefulset/stateful_set_control.go: waits for the object with this
            // name.
            Kind::StatefulSet if objects().count() > 0 => Vec::new(),
            // pkg/controller/replicaset: does not count terminating pods; Recreate waits for old
            // pods only during a rollout.
            Kind::Replicas => {
                let waits = self.order(actor) == Order::StopFirst;
                let upgrade = waits && objects().any(|c| c.version != desired.version);
                let alive = objects().filter(|c| !c.retired).filter(counts).count();
                if alive > 0 || upgrade { Vec::new() } else { vec![NOWHERE] }
            }
            _ => vec![NOWHERE],
        };
        for node in places {
            let mut after = *self.state;
            if !after.push(Container::wanted(actor, desired.version, node)) {
                self.next.full = true;
                continue;
            }
            self.next.add(Step::new(Action::Create, actor, node, desired.version), after);
        }
    }

    fn order(&self, actor: u8) -> Order {
        self.facts.actors[usize::from(actor)].order
    }

    /// Rolls out: deletes the old pod, at once or after the new one runs.
    fn replace(&mut self, old: &Container) {
        let desired = self.state.desired[usize::from(old.actor)];
        if !desired.deployed || old.retired || old.version == desired.version || self.kind(old.actor).once() {
            return;
        }
        let local = self.kind(old.actor).per_node();
        let new =
            |c: &&Container| c.version == desired.version && !c.retired && (!local || c.node == old.node);
        let ready = self.state.of(old.actor).filter(new).any(|c| c.phase == Phase::Running);
        if self.order(old.actor) == Order::StartFirst && old.runs() && !ready {
            return;
        }
        if self.facts.rolling.is_some_and(|r| !self.rolls(old, r)) {
            return;
        }
        let mut after = *self.state;
        after.set(old, Some(Container { retired: true, ..*old }));
        let breach = self.loses_quorum(old);
        self.next.steps.push((Step::of(Action::Replace, old), after, breach));
    }

    /// Returns whether the roll-out over a quorum can delete `old` (pkg/controller/statefulset/
    /// stateful_set_control.go of 1.37, updateStatefulSetAfterInvariantEstablished): in a `Parallel`
    /// set first all old pods that are not available, then available pods within `maxUnavailable`, both
    /// from the highest ordinal down.
    fn rolls(&self, old: &Container, rolling: Rolling) -> bool {
        let available = |a: u8| self.state.of(a).any(|c| c.available && !c.retired);
        let missing = (0..self.facts.actors.len() as u8).filter(|a| !available(*a)).count();
        let before = |c: &Container| {
            c.actor > old.actor && c.version == old.version && !c.retired && c.available == old.available
        };
        let budget = missing < if rolling.many { 2 } else { 1 };
        (rolling.parallel && !old.available || budget) && !self.state.containers().any(before)
    }

    /// Returns whether another member of the quorum is stopped for the same roll-out while `old` runs.
    fn loses_quorum(&self, old: &Container) -> Option<Breach> {
        let runs = |a: u8| self.state.of(a).any(|c| c.runs() && !c.retired);
        let other = (0..self.facts.actors.len() as u8).find(|a| *a != old.actor && !runs(*a))?;
        let lost = self.facts.rolling.is_some() && old.runs();
        lost.then_some(Breach {
            resource: Resource::Data,
            kind: BreachKind::Quorum,
            actor: old.actor,
            other,
            mount: None,
        })
    }

    /// Returns whether a pod has been ready for `minReadySeconds`.
    fn available(&mut self, container: &Container) {
        if self.facts.rolling.is_some()
            && container.phase == Phase::Running
            && !container.retired
            && !container.available
        {
            let mut after = *self.state;
            after.set(container, Some(Container { available: true, ..*container }));
            self.next.add(Step::of(Action::Available, container), after);
        }
    }

    /// Schedules a pod (pkg/scheduler/framework/plugins).
    fn place(&mut self, container: &Container) {
        if container.phase != Phase::Waiting || container.retired {
            return;
        }
        let daemon = self.kind(container.actor) == Kind::DaemonSet;
        let nodes: Vec<u8> =
            if container.node == NOWHERE { self.nodes().collect() } else { vec![container.node] };
        for n in nodes {
            let node = &self.state.nodes[usize::from(n)];
            let open = node.link == Link::Up && (daemon || !node.drained);
            if open && self.fits(container.actor, n) && !self.kept_off(container, n) {
                let mut after = *self.state;
                after.set(container, Some(Container { node: n, phase: Phase::Placed, ..*container }));
                self.next.add(Step::new(Action::Place, container.actor, n, container.version), after);
            }
        }
    }

    fn kept_off(&self, container: &Container, n: u8) -> bool {
        let others =
            self.state.containers().filter(|o| *o != container && o.phase != Phase::Waiting && !o.forgotten);
        let mounts = |c: &Container| &self.facts.actor(c).mounts;
        others.into_iter().any(|o| {
            let here = o.node == n
                && (holds(&self.facts.port, container, o) || holds(&self.facts.apart, container, o));
            here || mounts(container)
                .iter()
                .any(|m| m.holds_one_pod(container, o) && mounts(o).iter().any(|t| t.place == m.place))
        })
    }

    /// Starts a pod. If the kubelet cannot start it, the pod stays on its node, and the kubelet
    /// tries again.
    fn start(&mut self, container: &Container) {
        let up = self.state.node(container).is_some_and(|n| n.link == Link::Up);
        if container.phase != Phase::Placed || container.retired || !up {
            return;
        }
        let mut after = *self.state;
        if self.facts.refused(self.state, container) {
            // Only an operator moves it.
            after.set(container, None);
            self.next.add(Step::of(Action::Refuse, container), after);
            return;
        }
        let breach = self.facts.run(&mut after, container);
        self.next.steps.push((Step::of(Action::Start, container), after, breach));
    }

    fn stop(&mut self, container: &Container) {
        // An unreachable kubelet learns nothing, and the object stays.
        if self.state.node(container).is_some_and(|n| n.link != Link::Up)
            || !(container.retired || container.forgotten)
        {
            return;
        }
        let mut after = *self.state;
        let (action, left) = match container.phase {
            Phase::Running => (Action::Tell, Some(Container { phase: Phase::Stopping, ..*container })),
            Phase::Stopping => (Action::End, None),
            Phase::Waiting | Phase::Placed => (Action::Tell, None),
        };
        after.set(container, left);
        if left.is_none() {
            self.forget(&mut after, container);
        }
        self.next.add(Step::of(action, container), after);
    }

    /// Deletes the claims with the last pod of a set that is scaled down or deleted, if its policy
    /// is `Delete` (pkg/controller/statefulset/stateful_set_utils.go,
    /// updateClaimOwnerRefForSetAndPod).
    fn forget(&self, state: &mut State, container: &Container) {
        let actor = self.facts.actor(container);
        let scaled = actor.forgets_scaled && !state.desired[usize::from(container.actor)].deployed;
        let deleted = actor.forgets_deleted && container.orphan;
        if !(scaled || deleted) || state.of(container.actor).next().is_some() {
            return;
        }
        for mount in actor.mounts.iter().filter(|m| m.missing == Missing::Created) {
            if let Place::Volume(v) = mount.place
                && state.volumes[usize::from(v)] == Data::Of(actor.owner)
            {
                state.volumes[usize::from(v)] = Data::Absent;
            }
        }
    }

    /// Runs the node lifecycle controller. Pods of a DaemonSet tolerate an unreachable node forever.
    fn notice(&mut self) {
        for n in self.nodes() {
            let node = self.state.nodes[usize::from(n)];
            if node.link != Link::Up && !node.noticed {
                let mut after = *self.state;
                after.nodes[usize::from(n)].noticed = true;
                let evicted = |c: &Container| c.node == n && self.kind(c.actor) != Kind::DaemonSet;
                after.each(evicted, |c| c.retired = true);
                self.next.add(Step::new(Action::Notice, 0, n, 0), after);
            }
        }
    }

    fn heal(&mut self) {
        for (step, mut after) in common::heals(self.facts, self.state) {
            if step.action == Action::Label {
                self.unfit(&mut after);
            }
            self.next.add(step, after);
        }
    }

    /// Deletes the pods of a DaemonSet from nodes that no longer match, at once (`manage`). All
    /// other pods stay.
    fn unfit(&self, state: &mut State) {
        let nodes = state.nodes;
        state.each(
            |c| {
                self.kind(c.actor) == Kind::DaemonSet
                    && c.node != NOWHERE
                    && !nodes[usize::from(c.node)].takes(c.actor)
            },
            |c| c.retired = true,
        );
    }

    /// Changes the template of the first member, and of all members of its quorum.
    fn apply(&mut self, mut struck: State, action: Action, version: u8) {
        let members = if self.facts.rolling.is_some() { self.facts.actors.len() } else { 1 };
        struck.desired.iter_mut().take(members).for_each(|d| d.version = version);
        self.next.add(Step::new(action, 0, NOWHERE, version), struck);
    }

    fn strike(&mut self, action: Action) {
        let mut struck = *self.state;
        struck.struck |= action.bit();
        match action {
            Action::Update => self.apply(struck, action, 1),
            Action::Rollback if self.state.struck & Action::Update.bit() != 0 => {
                self.apply(struck, action, 0);
            }
            Action::Again if !self.kind(0).once() => {
                struck.each(|c| c.actor == 0, |c| (c.retired, c.orphan) = (true, true));
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::Remove if self.kind(0) != Kind::DaemonSet => {
                struck.desired[0].deployed = false;
                struck.each(|c| c.actor == 0, |c| c.retired = true);
                self.next.add(Step::new(action, 0, NOWHERE, 0), struck);
            }
            Action::Unlabel | Action::MoveLabel | Action::FlipLabel => {
                for (node, mut after) in common::relabel(self.facts, &struck, action) {
                    self.unfit(&mut after);
                    self.next.add(Step::new(action, 0, node, 0), after);
                }
            }
            Action::Drain => {
                for n in
                    self.nodes().filter(|n| !self.state.nodes[usize::from(*n)].drained).collect::<Vec<_>>()
                {
                    let mut after = struck;
                    after.nodes[usize::from(n)].drained = true;
                    after
                        .each(|c| c.node == n && self.kind(c.actor) != Kind::DaemonSet, |c| c.retired = true);
                    self.next.add(Step::new(action, 0, n, 0), after);
                }
            }
            Action::Crash | Action::Force => {
                for container in self.state.containers().filter(|c| c.runs() && !c.forgotten) {
                    let mut after = struck;
                    let forgotten = action == Action::Force;
                    after.set(container, Some(Container { retired: true, forgotten, ..*container }));
                    self.next.add(Step::of(action, container), after);
                }
            }
            Action::PowerOff => {
                for n in self
                    .nodes()
                    .filter(|n| self.state.nodes[usize::from(*n)].link == Link::Up)
                    .collect::<Vec<_>>()
                {
                    let mut after = struck;
                    after.nodes[usize::from(n)].link = Link::Off;
                    // The object stays: the same pod starts again with its node.
                    after.drop_if(|c| c.node == n && c.forgotten);
                    after.each(|c| c.node == n && c.runs(), |c| c.phase = Phase::Placed);
                    self.next.add(Step::new(action, 0, n, 0), after);
                }
            }
            Action::Cut | Action::KillAgent => common::disconnect(self.facts, &struck, self.next, action),
            Action::Unmount => common::unmount(self.facts, &struck, self.next),
            _ => {}
        }
    }
}
