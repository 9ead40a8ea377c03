//! A scenario without its words: all that the rules look at. Scenes of equal facts are searched once.

use crate::backend::Fences;
use crate::hazard::{Hazard, Resource};
use crate::target::Target;
use crate::world::{Kind, Missing, Order};

use super::state::{ACTORS, Copy, Data, Link, NOWHERE, Phase, State};

/// Action holds between actors `a` and `b`, by both numbers.
pub type Pairs = [[bool; ACTORS]; ACTORS];

/// Action is searched at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Whose rules hold.
    pub target: Target,
    /// Action may strike.
    pub hazard: Hazard,
    /// How many nodes there are.
    pub nodes: usize,
    /// One or two.
    pub actors: Vec<Actor>,
    /// The scheduler knows of a port of the node that both take.
    pub port: Pairs,
    /// The runtime binds a port of the node that both take.
    pub bound: Pairs,
    /// Their containers have one name.
    pub name: Pairs,
    /// Both processes lock one directory.
    pub lock: Pairs,
    /// A rule of either keeps them off one node.
    pub apart: Pairs,
    /// They are of one workload.
    pub same: Pairs,
    /// No node's labels meet the wants of both.
    pub excluded: bool,
    /// The two stand for members of one quorum, over which a controller rolls an update.
    pub rolling: Option<Rolling>,
}

/// How an update rolls over members that keep a quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rolling {
    /// All old members that are not available go at once.
    pub parallel: bool,
    /// As many may go at once as no quorum can miss.
    pub many: bool,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// How containers are made of it.
    pub kind: Kind,
    /// Actors of one owner take over each other's data on purpose: two revisions on one node, two
    /// replicas without numbers.
    pub owner: u8,
    /// One node carries what it wants, from the start.
    pub pinned: bool,
    /// Labels place it, and labels can be changed.
    pub labelled: bool,
    /// Of an update.
    pub order: Order,
    /// Of a rollback.
    pub back: Order,
    /// It may take longer to stop than Swarm waits.
    pub slow: bool,
    /// A new one follows one that ended (Swarm's `restart_policy`).
    pub restarts: bool,
    /// Most of its workload on one node.
    pub most: Option<u32>,
    /// Its start kills whatever has its container's name.
    pub kills: bool,
    /// Its start stops what is left of its own.
    pub cleans: bool,
    /// Its container outlives its unit.
    pub outlives: bool,
    /// Someone said that at most one container may be it, though it has no data.
    pub single: bool,
    /// It has a hostname of its own.
    pub named: bool,
    /// Action it mounts; of mounts that nothing tells apart but their names, one.
    pub mounts: Vec<Mount>,
}

impl Actor {
    /// Whether at most one container may be it: it has data, or someone says so.
    pub fn claims(&self) -> bool {
        !self.mounts.is_empty() || self.single || self.kind == Kind::StatefulSet
    }
}

/// Something mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mount {
    /// Where its data stands in a [`State`].
    pub place: Place,
    /// When it is not there.
    pub missing: Missing,
    /// Whether attaching keeps another node off.
    pub fences: Fences,
    /// ReadWriteOncePod.
    pub one_pod: bool,
    /// A cluster volume that its task reserves.
    pub reserved: bool,
    /// It lies where the node's own state does, as docker's volumes do: a node that lacks that disk
    /// is no node of the cluster.
    pub rooted: bool,
}

/// Where a mount's data stands in a [`State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Of `directories`.
    Directory(u8),
    /// Of `volumes`.
    Volume(u8),
}

/// Action is wrong with a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Breach {
    /// Of what.
    pub resource: Resource,
    /// How.
    pub kind: BreachKind,
    /// Who starts.
    pub actor: u8,
    /// The actor of the container that already runs, or whose data it is.
    pub other: u8,
    /// Index of the mount of `actor`, if it is one.
    pub mount: Option<u8>,
}

/// How a berth breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreachKind {
    /// Two running containers hold it.
    Two,
    /// It starts without its data, which is elsewhere.
    Empty,
    /// It starts on the data of another.
    Other,
    /// The roll-out stops so many members of a quorum at once that it is lost.
    Quorum,
}

/// Whether a [`Pairs`] holds of two containers.
pub fn holds(between: &Pairs, a: &Copy, b: &Copy) -> bool {
    between[usize::from(a.actor)][usize::from(b.actor)]
}

impl Facts {
    /// The actor of a container.
    pub fn of(&self, copy: &Copy) -> &Actor {
        &self.actors[usize::from(copy.actor)]
    }

    /// The nodes.
    pub fn nodes(&self) -> std::ops::Range<u8> {
        0..self.nodes as u8
    }

    /// The moment at which the search begins. One member alone has run before; of two, nothing is
    /// placed yet.
    pub fn start(&self) -> State {
        let mut state = State::new();
        for n in 0..self.nodes {
            state.nodes[n].fits = self.fits(n);
        }
        for (a, actor) in self.actors.iter().enumerate() {
            // The operator makes a directory wherever the member may run, if nothing else does.
            for mount in actor.mounts.iter().filter(|m| m.missing == Missing::Refused) {
                if let Place::Directory(d) = mount.place {
                    for n in (0..self.nodes).filter(|n| state.nodes[*n].fits & 1 << a != 0) {
                        state.directories[usize::from(d)][n] = Data::Empty;
                    }
                }
            }
            if actor.kind == Kind::Pod && self.actors.len() > 1 {
                state.push(Copy::wanted(a as u8, 0, NOWHERE));
            }
        }
        for desired in state.desired.iter_mut().skip(self.actors.len()) {
            desired.deployed = false;
        }
        if self.rolling.is_some() {
            // All members have been started for the first time.
            for a in 0..self.actors.len() {
                let n = a.min(self.nodes.saturating_sub(1));
                state.push(Copy { phase: Phase::Running, ..Copy::wanted(a as u8, 0, n as u8) });
                self.write(&mut state, a, n);
            }
        }
        if let [actor] = self.actors.as_slice() {
            let homes = if actor.kind.per_node() { self.nodes } else { 1 };
            for n in 0..homes {
                state.push(Copy { phase: Phase::Running, ..Copy::wanted(0, 0, n as u8) });
                self.write(&mut state, 0, n);
            }
        }
        state
    }

    /// Whose wants the labels of node `n` meet at first. Each pin has a node of its own; of a
    /// label's values a node carries one.
    fn fits(&self, n: usize) -> u8 {
        let mut fits = 0;
        for (a, actor) in self.actors.iter().enumerate() {
            let own = if a > 0 && self.excluded { a } else { 0 };
            let fit = if actor.pinned { n == own } else { own == 0 || n == own && self.nodes > 1 };
            fits |= u8::from(fit) << a;
        }
        fits
    }

    /// Action a running container of `actor` writes to on node `n`.
    fn write(&self, state: &mut State, actor: usize, n: usize) {
        let owner = self.actors[actor].owner;
        for mount in &self.actors[actor].mounts {
            match mount.place {
                Place::Directory(d) => state.directories[usize::from(d)][n] = Data::Of(owner),
                Place::Volume(v) => state.volumes[usize::from(v)] = Data::Of(owner),
            }
        }
    }

    /// Whether something of the node, or the storage itself, refuses to start `copy` where it is
    /// placed.
    pub fn refused(&self, state: &State, copy: &Copy) -> bool {
        let own = self.of(copy);
        let node = usize::from(copy.node);
        let missing = own.mounts.iter().filter(|m| m.missing == Missing::Refused).any(|m| match m.place {
            Place::Directory(d) => {
                !state.nodes[node].mounted && !m.rooted
                    || state.directories[usize::from(d)][node] == Data::Absent
            }
            Place::Volume(v) => state.volumes[usize::from(v)] == Data::Absent,
        });
        missing
            || state.copies().filter(|o| o.runs() && *o != copy).any(|other| {
                let here = other.node == copy.node;
                let local = |between: &Pairs| here && holds(between, copy, other);
                // fleetd is not what attaches; a dockerd or kubelet that is dead takes its plugins
                // along, or is taken for gone.
                let reached = state.node(other).is_some_and(|n| {
                    n.link == Link::Up || n.link == Link::Deaf && self.target == Target::Fleet
                });
                local(&self.name)
                    || local(&self.bound)
                    || local(&self.lock)
                    || own.mounts.iter().any(|m| {
                        let refuses = match m.fences {
                            _ if here => m.one_pod,
                            Fences::Always => true,
                            Fences::WhileConnected => reached,
                            Fences::Never => false,
                        };
                        refuses
                            && matches!(m.place, Place::Volume(_))
                            && self.of(other).mounts.iter().any(|t| t.place == m.place)
                    })
            })
    }

    /// Makes `copy` run where it is placed, and says what that breaks.
    pub fn run(&self, state: &mut State, copy: &Copy) -> Option<Breach> {
        let breach = self
            .two(state, copy)
            .or_else(|| self.data(state, copy))
            .or_else(|| self.same_member(state, copy));
        state.set(copy, Some(Copy { phase: Phase::Running, waits: false, ..*copy }));
        self.write(state, usize::from(copy.actor), usize::from(copy.node));
        breach
    }

    /// Another container runs on the same data.
    fn two(&self, state: &State, copy: &Copy) -> Option<Breach> {
        state.copies().filter(|o| o.runs() && *o != copy).find_map(|other| {
            let shared = |m: &Mount| {
                let one = matches!(m.place, Place::Volume(_)) || other.node == copy.node;
                one && self.of(other).mounts.iter().any(|t| t.place == m.place)
            };
            let mount = self.of(copy).mounts.iter().position(shared)?;
            Some(Breach {
                resource: Resource::Data,
                kind: BreachKind::Two,
                actor: copy.actor,
                other: other.actor,
                mount: Some(mount as u8),
            })
        })
    }

    /// It starts on what is not its own, or without what is.
    fn data(&self, state: &State, copy: &Copy) -> Option<Breach> {
        let own = self.of(copy);
        let node = usize::from(copy.node);
        own.mounts.iter().enumerate().find_map(|(i, mount)| {
            let mine = Data::Of(own.owner);
            let (here, elsewhere) = match mount.place {
                Place::Directory(d) => {
                    let all = &state.directories[usize::from(d)][..self.nodes];
                    let elsewhere =
                        !own.kind.per_node() && all.iter().enumerate().any(|(n, d)| n != node && *d == mine);
                    match state.nodes[node].mounted || mount.rooted {
                        true => (all[node], elsewhere),
                        // Its data lies on the disk that is not mounted.
                        false => (Data::Absent, elsewhere || all[node] == mine),
                    }
                }
                // Gone under a member that has run before.
                Place::Volume(v) => {
                    let here = state.volumes[usize::from(v)];
                    (here, here == Data::Absent)
                }
            };
            let breach = |kind, other| Breach {
                resource: Resource::Data,
                kind,
                actor: copy.actor,
                other,
                mount: Some(i as u8),
            };
            match here {
                Data::Of(owner) if owner != own.owner => {
                    let other = self.actors.iter().position(|a| a.owner == owner).unwrap_or_default();
                    Some(breach(BreachKind::Other, other as u8))
                }
                Data::Empty | Data::Absent if elsewhere => Some(breach(BreachKind::Empty, copy.actor)),
                _ => None,
            }
        })
    }

    /// Another container of the same member runs. Action has data is told by its data; this is for
    /// what stands beside it, and for members without.
    fn same_member(&self, state: &State, copy: &Copy) -> Option<Breach> {
        let own = self.of(copy);
        let same = |o: &&Copy| o.runs() && *o != copy && o.actor == copy.actor;
        let same_member = state.copies().find(same)?;
        let resource = match own.kind {
            Kind::Replicas => return None,
            kind if kind.per_node() && same_member.node != copy.node => return None,
            // A name alone says nothing: members that may run anywhere without data have one too.
            Kind::StatefulSet => Resource::Hostname,
            _ if own.mounts.is_empty() && !own.single => return None,
            _ if own.named => Resource::Hostname,
            _ => Resource::Id,
        };
        Some(Breach {
            resource,
            kind: BreachKind::Two,
            actor: copy.actor,
            other: same_member.actor,
            mount: None,
        })
    }
}
