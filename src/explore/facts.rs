//! A scenario without its names and files: the facts that the rules use. Scenarios with equal facts
//! are searched once.

use crate::backend::Fences;
use crate::hazard::{Hazard, Resource};
use crate::target::Target;
use crate::world::{Kind, Missing, Order};

use super::state::{ACTORS, Container, Data, Link, NOWHERE, Node, Phase, State};

/// A relation between actors `a` and `b`, indexed by both.
pub type Pairs = [[bool; ACTORS]; ACTORS];

/// The facts of one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The orchestrator.
    pub target: Target,
    /// The hazard to search.
    pub hazard: Hazard,
    /// The number of nodes.
    pub nodes: usize,
    /// One or two actors.
    pub actors: Vec<Actor>,
    /// Whether the scheduler knows of a node port that both use.
    pub port: Pairs,
    /// Whether the runtime binds a node port that both use.
    pub bound: Pairs,
    /// Whether their containers have the same name.
    pub name: Pairs,
    /// Whether both processes lock the same directory.
    pub lock: Pairs,
    /// Whether a rule of either keeps them off one node.
    pub apart: Pairs,
    /// Whether they belong to the same workload.
    pub same: Pairs,
    /// Whether no node can match the placement rules of both.
    pub excluded: bool,
    /// How a controller rolls an update over members of a quorum, of which the two actors are examples.
    pub rolling: Option<Rolling>,
}

/// How an update goes through members that form a quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rolling {
    /// Whether all old members that are not available stop at once.
    pub parallel: bool,
    /// Whether so many members may stop at once that the quorum is lost.
    pub many: bool,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The kind of its workload.
    pub kind: Kind,
    /// The number of its owner. Actors with the same owner take over each other's data on purpose:
    /// two revisions on one node, or two replicas without numbers.
    pub owner: u8,
    /// Whether exactly one node matches its placement rules, from the start.
    pub pinned: bool,
    /// Whether labels place it, and these labels can change.
    pub labelled: bool,
    /// The order of an update.
    pub order: Order,
    /// The order of a rollback.
    pub back: Order,
    /// Whether it may take longer to stop than Swarm waits.
    pub slow: bool,
    /// Whether a new container follows one that ended (Swarm's `restart_policy`).
    pub restarts: bool,
    /// The highest number of containers of its workload on one node.
    pub max_per_node: Option<u32>,
    /// Whether its start kills any container with the same name.
    pub kills: bool,
    /// Whether its start first stops its own leftover containers.
    pub stops_leftovers: bool,
    /// Whether its container keeps running after its unit has stopped.
    pub outlives: bool,
    /// Whether no client of docker can be killed beside its container.
    pub clientless: bool,
    /// Whether its spec says that at most one container may be it, although it has no data.
    pub single: bool,
    /// Its claims are deleted when it is scaled down.
    pub forgets_scaled: bool,
    /// Its claims are deleted when it is deleted.
    pub forgets_deleted: bool,
    /// Whether it has its own hostname.
    pub named: bool,
    /// Its mounts, without duplicates that differ only in name.
    pub mounts: Vec<Mount>,
}

impl Actor {
    /// Returns whether its claims may go with its pods.
    pub fn forgets(&self) -> bool {
        self.forgets_scaled || self.forgets_deleted
    }

    /// Returns whether at most one container can be this member: it has data, or its spec requires it.
    pub fn claims(&self) -> bool {
        !self.mounts.is_empty() || self.single || self.kind == Kind::StatefulSet
    }
}

/// A mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mount {
    /// The place of its data in a [`State`].
    pub place: Place,
    /// What happens if it does not exist.
    pub missing: Missing,
    /// Whether attaching it excludes another node.
    pub fences: Fences,
    /// Whether it is a ReadWriteOncePod claim.
    pub one_pod: bool,
    /// Whether it is a cluster volume that its task reserves.
    pub reserved: bool,
    /// Whether it is on the same disk as the state of the node, like docker's volumes. A node without
    /// this disk is not part of the cluster.
    pub rooted: bool,
}

impl Mount {
    /// Returns whether a ReadWriteOncePod claim keeps `a` and `b` apart. Two members can reach one
    /// directory by two claims.
    pub fn holds_one_pod(&self, a: &Container, b: &Container) -> bool {
        self.one_pod && (matches!(self.place, Place::Volume(_)) || a.actor == b.actor)
    }
}

/// The place of a mount's data in a [`State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// An index of `directories`.
    Directory(u8),
    /// An index of `volumes`.
    Volume(u8),
}

/// A breach that the start of a container causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Breach {
    /// The resource.
    pub resource: Resource,
    /// The kind.
    pub kind: BreachKind,
    /// The actor that starts.
    pub actor: u8,
    /// The actor of the container that already runs, or that owns the data.
    pub other: u8,
    /// The index of the mount of `actor`, if a mount is concerned.
    pub mount: Option<u8>,
}

/// The kinds of breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreachKind {
    /// Two running containers hold the resource.
    Two,
    /// The member starts without its data, which is elsewhere.
    Empty,
    /// The member starts on the data of another.
    Other,
    /// The roll-out stops so many members of a quorum at once that it is lost.
    Quorum,
}

/// Returns whether the relation holds between the actors of two containers.
pub fn holds(between: &Pairs, a: &Container, b: &Container) -> bool {
    between[usize::from(a.actor)][usize::from(b.actor)]
}

impl Facts {
    /// Returns the actor of a container.
    pub fn actor(&self, container: &Container) -> &Actor {
        &self.actors[usize::from(container.actor)]
    }

    /// Returns whether all run on one machine, and no orchestrator places them.
    pub fn one_machine(&self) -> bool {
        self.actors.iter().all(|actor| actor.kind == Kind::Local)
    }

    /// Returns whether docker compose runs them.
    pub fn composed(&self) -> bool {
        self.target == Target::Swarm && self.one_machine()
    }

    /// Returns the nodes.
    pub fn nodes(&self) -> std::ops::Range<u8> {
        0..self.nodes as u8
    }

    /// Returns the state in which the search starts. A single member already runs; of two, neither
    /// is placed yet.
    pub fn start(&self) -> State {
        let mut state = State::new();
        for n in 0..self.nodes {
            state.nodes[n] = self.node(n);
        }
        for (a, actor) in self.actors.iter().enumerate() {
            // If nothing creates a directory, the operator creates it on every node where the
            // member may run.
            for mount in actor.mounts.iter().filter(|m| m.missing == Missing::Refused) {
                if let Place::Directory(d) = mount.place {
                    for n in (0..self.nodes).filter(|n| state.nodes[*n].takes(a as u8)) {
                        state.directories[usize::from(d)][n] = Data::Empty;
                    }
                }
            }
            if actor.kind.once() && self.actors.len() > 1 {
                state.push(Container::wanted(a as u8, 0, NOWHERE));
            }
        }
        for desired in state.desired.iter_mut().skip(self.actors.len()) {
            desired.deployed = false;
        }
        if self.rolling.is_some() {
            // All members have been started for the first time.
            for a in 0..self.actors.len() {
                let n = a.min(self.nodes.saturating_sub(1));
                state.push(Container { phase: Phase::Running, ..Container::wanted(a as u8, 0, n as u8) });
                self.write(&mut state, a, n);
            }
        }
        if let [actor] = self.actors.as_slice() {
            let homes = if actor.kind.per_node() { self.nodes } else { 1 };
            for n in 0..homes {
                state.push(Container { phase: Phase::Running, ..Container::wanted(0, 0, n as u8) });
                self.write(&mut state, 0, n);
            }
        }
        state
    }

    /// Returns node `n` in the state in which the search starts.
    pub fn node(&self, n: usize) -> Node {
        Node::new(self.fits(n))
    }

    /// Returns the actors whose placement rules the labels of node `n` match at first. Each pin has
    /// its own node, and a node has one value of a label.
    fn fits(&self, n: usize) -> u8 {
        let mut fits = 0;
        for (a, actor) in self.actors.iter().enumerate() {
            let own = if a > 0 && self.excluded { a } else { 0 };
            let pinned = actor.pinned || actor.kind == Kind::Local;
            let fit = if pinned { n == own } else { own == 0 || n == own && self.nodes > 1 };
            fits |= u8::from(fit) << a;
        }
        fits
    }

    /// Marks the data that a running container of `actor` on node `n` writes to as its own.
    fn write(&self, state: &mut State, actor: usize, n: usize) {
        let owner = self.actors[actor].owner;
        for mount in &self.actors[actor].mounts {
            match mount.place {
                Place::Directory(d) => state.directories[usize::from(d)][n] = Data::Of(owner),
                Place::Volume(v) => state.volumes[usize::from(v)] = Data::Of(owner),
            }
        }
    }

    /// Returns whether something on the node, or the storage itself, refuses to start `container` on its
    /// node.
    pub fn refused(&self, state: &State, container: &Container) -> bool {
        let own = self.actor(container);
        let node = usize::from(container.node);
        let missing = own.mounts.iter().filter(|m| m.missing == Missing::Refused).any(|m| match m.place {
            Place::Directory(d) => {
                !state.nodes[node].mounted && !m.rooted
                    || state.directories[usize::from(d)][node] == Data::Absent
            }
            Place::Volume(v) => state.volumes[usize::from(v)] == Data::Absent,
        });
        missing
            || state.containers().filter(|o| o.runs() && *o != container).any(|other| {
                let here = other.node == container.node;
                let local = |between: &Pairs| here && holds(between, container, other);
                // fleetd does not attach volumes. A dead dockerd or kubelet takes its volume
                // plugins with it, or its node is considered gone.
                let reached = state.node(other).is_some_and(|n| {
                    n.link == Link::Up || n.link == Link::Deaf && self.target == Target::Fleet
                });
                local(&self.name)
                    || local(&self.bound)
                    || local(&self.lock)
                    || own.mounts.iter().any(|m| {
                        let refuses = match m.fences {
                            _ if here => m.holds_one_pod(container, other),
                            // Swarm detaches the volume of an evicted task from under it.
                            _ if m.reserved && other.forgotten => false,
                            Fences::Always => true,
                            Fences::WhileConnected => reached,
                            Fences::Never => false,
                        };
                        refuses
                            && (here || matches!(m.place, Place::Volume(_)))
                            && self.actor(other).mounts.iter().any(|t| t.place == m.place)
                    })
            })
    }

    /// Starts `container` on its node, and returns the breach that this causes.
    pub fn run(&self, state: &mut State, container: &Container) -> Option<Breach> {
        let breach = self
            .breach_two_holders(state, container)
            .or_else(|| self.breach_wrong_data(state, container))
            .or_else(|| self.same_member(state, container));
        state.set(container, Some(Container { phase: Phase::Running, waits: false, ..*container }));
        self.write(state, usize::from(container.actor), usize::from(container.node));
        breach
    }

    /// Returns the breach if another container runs on the same data.
    fn breach_two_holders(&self, state: &State, container: &Container) -> Option<Breach> {
        state.containers().filter(|o| o.runs() && *o != container).find_map(|other| {
            let shared = |m: &Mount| {
                let one = matches!(m.place, Place::Volume(_)) || other.node == container.node;
                one && self.actor(other).mounts.iter().any(|t| t.place == m.place)
            };
            let mount = self.actor(container).mounts.iter().position(shared)?;
            Some(Breach {
                resource: Resource::Data,
                kind: BreachKind::Two,
                actor: container.actor,
                other: other.actor,
                mount: Some(mount as u8),
            })
        })
    }

    /// Returns the breach if it starts on the data of another, or without its own.
    fn breach_wrong_data(&self, state: &State, container: &Container) -> Option<Breach> {
        let own = self.actor(container);
        let node = usize::from(container.node);
        own.mounts.iter().enumerate().find_map(|(i, mount)| {
            let mine = Data::Of(own.owner);
            let (here, elsewhere) = match mount.place {
                Place::Directory(d) => {
                    let all = &state.directories[usize::from(d)][..self.nodes];
                    let elsewhere =
                        !own.kind.per_node() && all.iter().enumerate().any(|(n, d)| n != node && *d == mine);
                    match state.nodes[node].mounted || mount.rooted {
                        true => (all[node], elsewhere),
                        // Its data is on the disk that is not mounted.
                        false => (Data::Absent, elsewhere || all[node] == mine),
                    }
                }
                // The volume is gone under a member that has run before.
                Place::Volume(v) => {
                    let here = state.volumes[usize::from(v)];
                    (here, here == Data::Absent)
                }
            };
            let breach = |kind, other| Breach {
                resource: Resource::Data,
                kind,
                actor: container.actor,
                other,
                mount: Some(i as u8),
            };
            match here {
                Data::Of(owner) if owner != own.owner => {
                    let other = self.actors.iter().position(|a| a.owner == owner).unwrap_or_default();
                    Some(breach(BreachKind::Other, other as u8))
                }
                Data::Empty | Data::Absent if elsewhere => Some(breach(BreachKind::Empty, container.actor)),
                _ => None,
            }
        })
    }

    /// Returns the breach if another container of the same member runs. For a member with data, the
    /// data shows the breach; this is for its other resources, and for members without data.
    fn same_member(&self, state: &State, container: &Container) -> Option<Breach> {
        let own = self.actor(container);
        let same = |o: &&Container| o.runs() && *o != container && o.actor == container.actor;
        let same_member = state.containers().find(same)?;
        let resource = match own.kind {
            Kind::Replicas => return None,
            kind if kind.per_node() && same_member.node != container.node => return None,
            // A name alone is not a resource: members without data that may run anywhere also have
            // one.
            Kind::StatefulSet => Resource::Hostname,
            _ if own.mounts.is_empty() && !own.single => return None,
            _ if own.named => Resource::Hostname,
            _ => Resource::Id,
        };
        Some(Breach {
            resource,
            kind: BreachKind::Two,
            actor: container.actor,
            other: same_member.actor,
            mount: None,
        })
    }

    /// Returns one state for all states that differ only in the order of equal nodes.
    pub fn canonical(&self, state: State) -> State {
        // With one or two nodes the first is the home, and nothing is to be swapped.
        if self.nodes < 3 || self.actors.len() > 1 {
            return state;
        }
        let mut swapped = state;
        swapped.swap(1, 2);
        swapped.min(state)
    }
}
