//! A scene: one or two members on a few nodes, and what may strike them.

use crate::finding::{At, Hazard, Resource};
use crate::model::backend::Fences;
use crate::target::Target;
use crate::world::{Kind, Member, Missing, Mount, Source, Whom, Workload};

use super::state::{ACTORS, Copy, Data, Link, NODES, NOWHERE, PLACES, Phase, State};

/// One member in a scene; of a workload whose identity is the node, every node's.
#[derive(Debug, Clone)]
pub struct Actor<'w> {
    /// Its workload.
    pub workload: &'w Workload,
    /// Itself.
    pub member: &'w Member,
    /// What it mounts; of mounts that nothing tells apart but their names, one.
    pub mounts: Vec<(&'w Mount, Place)>,
    /// Actors with one owner number take over each other's data on purpose: two revisions on one
    /// node, two replicas without numbers.
    pub owner: u8,
    /// One node carries what it wants, from the start.
    pub pinned: bool,
    /// Labels place it, and labels can be changed.
    pub labelled: bool,
}

/// Where a mount's data stands in a [`State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of `directories`.
    Directory(usize),
    /// Of `volumes`.
    Volume(usize),
}

/// What is searched at once.
#[derive(Debug, Clone)]
pub struct Scene<'w> {
    /// Whose rules hold.
    pub target: Target,
    /// What may strike.
    pub hazard: Hazard,
    /// How many nodes there are.
    pub nodes: usize,
    /// One or two.
    pub actors: Vec<Actor<'w>>,
}

/// What is wrong with a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Breach {
    /// Of what.
    pub resource: Resource,
    /// How.
    pub how: How,
    /// Who starts.
    pub actor: u8,
    /// The actor of the container that already runs, or whose data it is.
    pub other: u8,
    /// Index of the mount of `actor`, if it is one.
    pub mount: Option<u8>,
}

/// How a berth breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Two running containers hold it.
    Two,
    /// It starts without its data, which is elsewhere.
    Empty,
    /// It starts on the data of another.
    Other,
}

impl<'w> Scene<'w> {
    /// A scene of these members.
    pub fn new(target: Target, hazard: Hazard, nodes: usize, members: &[(&'w Workload, &'w Member)]) -> Self {
        let (mut directories, mut volumes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut actors: Vec<Actor<'w>> = Vec::new();
        // What several of them name comes first: there is room for a few only.
        let shared = |mount: &Mount| {
            let names = |m: &Mount| key(m) == key(mount);
            members.iter().filter(|(_, m)| m.mounts.iter().any(names)).count() > 1
        };
        for (i, (workload, member)) in members.iter().enumerate().take(ACTORS) {
            let mut mounts: Vec<&'w Mount> = Vec::new();
            let (first, rest): (Vec<&Mount>, Vec<&Mount>) = member.mounts.iter().partition(|m| shared(m));
            for mount in first.into_iter().chain(rest) {
                if shared(mount) || !mounts.iter().any(|m| alike(m, mount)) {
                    mounts.push(mount);
                }
            }
            let mut held = Vec::new();
            for mount in mounts {
                let (names, name) = match &mount.source {
                    Source::Host { path, .. } => (&mut directories, path.as_str()),
                    Source::Volume { name, .. } => (&mut volumes, name.as_str()),
                    Source::Ephemeral => continue,
                };
                let index = names.iter().position(|n| *n == name).unwrap_or(names.len());
                if index == names.len() {
                    if index == PLACES {
                        continue;
                    }
                    names.push(name);
                }
                let host = matches!(mount.source, Source::Host { .. });
                held.push((mount, if host { Place::Directory(index) } else { Place::Volume(index) }));
            }
            let same = |a: &Actor<'_>| {
                let revisions = a.workload.kind.per_node()
                    && workload.kind.per_node()
                    && a.workload.family == workload.family
                    && a.workload.scope == workload.scope;
                revisions || a.workload.kind == Kind::Replicas && std::ptr::eq(a.workload, *workload)
            };
            let owner = actors.iter().find(|a| same(a)).map_or(i as u8, |a| a.owner);
            let wants = || workload.wants.iter().chain(&member.wants).filter(|w| !w.not);
            let own = !member.wants.is_empty() || workload.members.len() == 1 && !workload.kind.per_node();
            let pinned =
                wants().any(|w| w.one_node) || own && wants().any(|w| !w.values.is_empty() && named(&w.key));
            let labelled = wants().any(|w| !w.one_node && named(&w.key));
            actors.push(Actor { workload, member, mounts: held, owner, pinned, labelled });
        }
        // Directories of a node say nothing of another node's.
        let local = actors.iter().all(|a| {
            a.workload.kind.per_node() && a.mounts.iter().all(|m| matches!(m.1, Place::Directory(_)))
        });
        Self { target, hazard, nodes: if local { 1 } else { nodes.min(NODES) }, actors }
    }

    /// The moment at which the search begins. One member alone has run before; of two, nothing is
    /// placed yet.
    pub fn start(&self) -> State {
        let mut state = State::new();
        for n in 0..self.nodes {
            state.nodes[n].fits = self.fits(n);
        }
        for (a, actor) in self.actors.iter().enumerate() {
            for (mount, place) in &actor.mounts {
                if let (Place::Directory(d), Source::Host { missing: Missing::Refused, .. }) =
                    (place, &mount.source)
                {
                    // The operator makes it wherever the member may run.
                    for n in (0..self.nodes).filter(|n| state.nodes[*n].fits & 1 << a != 0) {
                        state.directories[*d][n] = Data::Empty;
                    }
                }
            }
        }
        for desired in state.desired.iter_mut().skip(self.actors.len()) {
            desired.deployed = false;
        }
        for (a, actor) in self.actors.iter().enumerate().filter(|_| self.actors.len() > 1) {
            if actor.workload.kind == Kind::Pod {
                state.push(Copy::wanted(a as u8, 0, NOWHERE));
            }
        }
        if let [actor] = self.actors.as_slice() {
            let homes = if actor.workload.kind.per_node() { self.nodes } else { 1 };
            for n in 0..homes {
                let copy = Copy { phase: Phase::Running, ..Copy::wanted(0, 0, n as u8) };
                state.push(copy);
                self.write(&mut state, 0, n);
            }
        }
        state
    }

    /// Whose wants the labels of node `n` meet at first.
    fn fits(&self, n: usize) -> u8 {
        let mut fits = 0;
        for (a, actor) in self.actors.iter().enumerate() {
            let before = self.actors[..a].iter().filter(|b| apart_by_label(b, actor)).count();
            // Each pin has a node of its own; of a label's values a node carries one.
            let fit = if actor.pinned { n == before } else { before == 0 || n == before && self.nodes > 1 };
            fits |= u8::from(fit) << a;
        }
        fits
    }

    /// Whether no node's labels can ever meet the wants of both at once.
    pub fn excluded(&self) -> bool {
        matches!(self.actors.as_slice(), [a, b] if apart_by_label(a, b))
    }

    /// The rule of either that keeps actors `a` and `b` off one node, wherever it stands.
    pub fn apart(&self, a: u8, b: u8) -> Option<&'w At> {
        let (a, b) = (&self.actors[usize::from(a)], &self.actors[usize::from(b)]);
        keeps_off(a, b).or_else(|| keeps_off(b, a))
    }

    /// What of `actor` a running container on node `n` writes to.
    fn write(&self, state: &mut State, actor: usize, n: usize) {
        let owner = self.actors[actor].owner;
        for (_, place) in &self.actors[actor].mounts {
            match place {
                Place::Directory(d) => state.directories[*d][n] = Data::Of(owner),
                Place::Volume(v) => state.volumes[*v] = Data::Of(owner),
            }
        }
    }

    /// Whether something of the node or the storage itself refuses to start `copy` where it is
    /// placed; the line that makes it so, if one does.
    pub fn refused(&self, state: &State, copy: &Copy) -> Option<Option<&'w At>> {
        let own = &self.actors[usize::from(copy.actor)];
        let node = usize::from(copy.node);
        for (mount, place) in &own.mounts {
            let missing = match (&mount.source, place) {
                (Source::Host { missing, .. }, Place::Directory(d)) => {
                    let there = state.nodes[node].mounted && state.directories[*d][node] != Data::Absent;
                    !there && *missing == Missing::Refused
                }
                (Source::Volume { missing, .. }, Place::Volume(v)) => {
                    state.volumes[*v] == Data::Absent && *missing == Missing::Refused
                }
                _ => false,
            };
            if missing {
                return Some(Some(&mount.at));
            }
        }
        for other in state.copies().filter(|o| o.runs() && *o != copy) {
            let theirs = &self.actors[usize::from(other.actor)];
            let here = other.node == copy.node;
            if here {
                if let (Some((a, at)), Some((b, _))) = (&own.member.container, &theirs.member.container)
                    && a == b
                {
                    return Some(Some(at));
                }
                for port in own.workload.ports.iter().filter(|p| p.bound) {
                    if theirs
                        .workload
                        .ports
                        .iter()
                        .any(|p| p.bound && p.number == port.number && p.protocol == port.protocol)
                    {
                        return Some(Some(&port.at));
                    }
                }
                if let (Some((a, at)), Some((b, _))) = (&own.workload.lock, &theirs.workload.lock) {
                    let of = |actor: &Actor<'w>, target: &str| {
                        actor.mounts.iter().find(|m| m.0.target == target).map(|m| m.1)
                    };
                    if let (Some(mine), Some(its)) = (of(own, a), of(theirs, b))
                        && mine == its
                    {
                        return Some(Some(at));
                    }
                }
            }
            for (mount, place) in &own.mounts {
                let Source::Volume { fences, one_pod, .. } = &mount.source else { continue };
                if !theirs.mounts.iter().any(|m| m.1 == *place) {
                    continue;
                }
                if let (true, Some(at)) = (here, one_pod) {
                    return Some(Some(at));
                }
                let reached = state.node(other).is_some_and(|n| n.link == Link::Up);
                if !here && (*fences == Fences::Always || *fences == Fences::WhileConnected && reached) {
                    return Some(Some(&mount.at));
                }
            }
        }
        None
    }

    /// Makes `copy` run where it is placed, and says what that breaks.
    pub fn run(&self, state: &mut State, copy: &Copy) -> Option<Breach> {
        let own = &self.actors[usize::from(copy.actor)];
        let node = usize::from(copy.node);
        let breach = self.breach(state, copy, own, node);
        state.set(copy, Some(Copy { phase: Phase::Running, waits: false, ..*copy }));
        self.write(state, usize::from(copy.actor), node);
        breach
    }

    fn breach(&self, state: &State, copy: &Copy, own: &Actor<'w>, node: usize) -> Option<Breach> {
        let at = |how, other, mount: usize| Breach {
            resource: Resource::Data,
            how,
            actor: copy.actor,
            other,
            mount: Some(mount as u8),
        };
        for other in state.copies().filter(|o| o.runs() && *o != copy) {
            let theirs = &self.actors[usize::from(other.actor)];
            for (i, (_, place)) in own.mounts.iter().enumerate() {
                let one = matches!(place, Place::Volume(_)) || other.node == copy.node;
                if one && theirs.mounts.iter().any(|m| m.1 == *place) {
                    return Some(at(How::Two, other.actor, i));
                }
            }
        }
        for (i, (_, place)) in own.mounts.iter().enumerate() {
            let (here, elsewhere) = match place {
                Place::Directory(d) => {
                    let elsewhere = !own.workload.kind.per_node()
                        && (0..self.nodes)
                            .any(|n| n != node && state.directories[*d][n] == Data::Of(own.owner));
                    match (state.nodes[node].mounted, state.directories[*d][node]) {
                        (true, here) => (here, elsewhere),
                        // Its data lies on the disk that is not mounted.
                        (false, here) => (Data::Absent, elsewhere || here == Data::Of(own.owner)),
                    }
                }
                // Lost under a member that has run before.
                Place::Volume(v) => (state.volumes[*v], state.volumes[*v] == Data::Absent),
            };
            match here {
                Data::Of(owner) if owner != own.owner => {
                    let other = self.actors.iter().position(|a| a.owner == owner).unwrap_or_default();
                    return Some(at(How::Other, other as u8, i));
                }
                Data::Empty | Data::Absent if elsewhere => return Some(at(How::Empty, copy.actor, i)),
                _ => {}
            }
        }
        // What has data is told by its data, wherever it runs.
        let twin = state.copies().find(|o| o.runs() && *o != copy && o.actor == copy.actor)?;
        if own.workload.kind.per_node() && twin.node != copy.node || own.workload.kind == Kind::Replicas {
            return None;
        }
        let named = own.workload.kind == Kind::StatefulSet || own.member.hostname.is_some();
        let resource = match named {
            true => Resource::Hostname,
            false if own.mounts.is_empty() => return None,
            false => Resource::Id,
        };
        Some(Breach { resource, how: How::Two, actor: copy.actor, other: twin.actor, mount: None })
    }
}

/// What a mount is known by, beside its path in the container.
pub fn key(mount: &Mount) -> Option<(bool, &str)> {
    match &mount.source {
        Source::Host { path, .. } => Some((true, path)),
        Source::Volume { name, .. } => Some((false, name)),
        Source::Ephemeral => None,
    }
}

/// What tells a member from others of its workload, but for names.
pub fn class(member: &Member) -> String {
    let mounts = member.mounts.iter().map(|m| match &m.source {
        Source::Host { missing, .. } => format!("host {missing:?}"),
        Source::Volume { fences, one_pod, reserved, missing, .. } => {
            format!("volume {fences:?} {} {} {missing:?}", one_pod.is_some(), reserved.is_some())
        }
        Source::Ephemeral => "ephemeral".to_owned(),
    });
    let wants = member.wants.iter().map(|w| format!("{} {} {}", w.key, w.not, w.one_node));
    let names = [member.container.is_some(), member.hostname.is_some()];
    format!("{:?} {:?} {names:?}", mounts.collect::<Vec<_>>(), wants.collect::<Vec<_>>())
}

/// Whether only names tell the mounts apart.
fn alike(a: &Mount, b: &Mount) -> bool {
    match (&a.source, &b.source) {
        (Source::Host { missing: a, .. }, Source::Host { missing: b, .. }) => a == b,
        (
            Source::Volume { fences: a, one_pod: c, reserved: e, missing: g, .. },
            Source::Volume { fences: b, one_pod: d, reserved: f, missing: h, .. },
        ) => a == b && c.is_some() == d.is_some() && e.is_some() == f.is_some() && g == h,
        (Source::Ephemeral, Source::Ephemeral) => true,
        _ => false,
    }
}

/// Whether a label of this key is set by hand, one node at a time. The rest tells kinds of nodes
/// apart: many nodes are managers, or run Linux.
fn named(key: &str) -> bool {
    const KINDS: [&str; 9] = [
        "node.role",
        "node.platform.os",
        "node.platform.arch",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
    ];
    !KINDS.contains(&key) && !key.starts_with("node-role.kubernetes.io/")
}

/// Whether both want one label with values of which a node carries one.
fn apart_by_label(a: &Actor<'_>, b: &Actor<'_>) -> bool {
    let wants = |x: &Actor<'_>| -> Vec<(String, Vec<String>)> {
        let all = x.workload.wants.iter().chain(&x.member.wants);
        all.filter(|w| !w.not && !w.values.is_empty()).map(|w| (w.key.clone(), w.values.clone())).collect()
    };
    let (a, b) = (wants(a), wants(b));
    a.iter().any(|(key, values)| b.iter().any(|(k, v)| k == key && !v.iter().any(|v| values.contains(v))))
}

/// The rule of `a` that keeps it off nodes with `b`.
fn keeps_off<'w>(a: &Actor<'w>, b: &Actor<'w>) -> Option<&'w At> {
    let rule = a.workload.apart.iter().find(|rule| match &rule.whom {
        Whom::Pods { selector, namespaces } => {
            namespaces.as_ref().is_none_or(|n| n.contains(&b.workload.scope))
                && selector.selects(&b.workload.labels)
        }
        Whom::Units(glob) => {
            let own = std::ptr::eq(a.workload, b.workload) && a.member.name == b.member.name;
            !own && crate::world::glob(glob, &b.member.name)
        }
    });
    rule.map(|r| &r.at)
}
