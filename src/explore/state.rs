//! The state of a small cluster at one moment: nodes, containers, data.

/// The highest number of nodes in a scenario.
pub const NODES: usize = 3;
/// The highest number of members in a scenario.
pub const ACTORS: usize = 2;
/// The highest number of containers at one moment. A step that would create one more is not taken,
/// and the search reports that it is not complete.
const CONTAINERS: usize = 6;
/// The highest number of directories, and of volumes, in a scenario.
pub const PLACES: usize = 4;

/// The index for "no node yet".
pub const NOWHERE: u8 = u8::MAX;

/// The connection between a node and the orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The node is connected.
    Up,
    /// The node is unreachable, and its containers keep running.
    Cut,
    /// The agent (kubelet, fleetd, dockerd) is dead, and the containers keep running.
    Deaf,
    /// The node is powered off, and nothing runs.
    Off,
}

/// A node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The connection to the orchestrator.
    pub link: Link,
    /// Whether the orchestrator has noticed that the node is not up.
    pub noticed: bool,
    /// Whether the node accepts no new containers (cordon, drain).
    pub drained: bool,
    /// Whether its disk is mounted.
    pub mounted: bool,
    /// The actors whose placement rules its labels match, one bit for each.
    pub fits: u8,
}

impl Node {
    /// Makes a healthy node whose labels match the placement rules of the actors in `fits`.
    pub fn new(fits: u8) -> Self {
        Self { link: Link::Up, noticed: false, drained: false, mounted: true, fits }
    }

    /// Returns whether its labels match the placement rules of `actor`.
    pub fn takes(&self, actor: u8) -> bool {
        self.fits & 1 << actor != 0
    }
}

/// The phase of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The container is wanted, but has no node.
    Waiting,
    /// The container has a node, but does not run yet.
    Placed,
    /// The container runs.
    Running,
    /// The container was told to stop, but still runs.
    Stopping,
}

/// A container, from the moment that it is wanted until it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Container {
    /// The actor.
    pub actor: u8,
    /// The version: 0 for the first description, 1 for the new one.
    pub version: u8,
    /// The index of the node, or [`NOWHERE`].
    pub node: u8,
    /// The phase.
    pub phase: Phase,
    /// Whether the orchestrator no longer wants it (desired state shutdown, Terminating, unit moved
    /// away).
    pub retired: bool,
    /// Whether the orchestrator no longer knows that it runs.
    pub forgotten: bool,
    /// Whether it waits until the container that it replaces has ended.
    pub waits: bool,
    /// Whether its controller is gone, so that the next controller does not count it (Kubernetes).
    pub orphan: bool,
    /// The controller counts it as available; looked at where a quorum is rolled (Kubernetes).
    pub available: bool,
}

impl Container {
    /// Makes a container that is wanted, and nothing more.
    pub fn wanted(actor: u8, version: u8, node: u8) -> Self {
        let phase = Phase::Waiting;
        Self {
            actor,
            version,
            node,
            phase,
            retired: false,
            forgotten: false,
            waits: false,
            orphan: false,
            available: false,
        }
    }

    /// Returns whether its process runs.
    pub fn runs(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Stopping)
    }
}

/// The desired state of one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Desired {
    /// Whether it is deployed and not scaled to zero.
    pub deployed: bool,
    /// The version of the description.
    pub version: u8,
}

/// The data in a directory or volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// The directory or volume does not exist.
    Absent,
    /// It exists, but nobody has written to it.
    Empty,
    /// The data of the actor with this owner number.
    Of(u8),
}

/// The state of the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The nodes. The scenario tells how many of them count.
    pub nodes: [Node; NODES],
    /// The desired state of each actor.
    pub desired: [Desired; ACTORS],
    /// The containers, sorted, so that equal states are equal.
    containers: [Option<Container>; CONTAINERS],
    /// The data by directory and node.
    pub directories: [[Data; NODES]; PLACES],
    /// The data by volume.
    pub volumes: [Data; PLACES],
    /// The strikes so far, a bit for each kind: each happens once.
    pub struck: u32,
}

impl State {
    /// Makes a state with healthy nodes and no containers.
    pub fn new() -> Self {
        Self {
            nodes: [Node::new(0); NODES],
            desired: [Desired { deployed: true, version: 0 }; ACTORS],
            containers: [None; CONTAINERS],
            directories: [[Data::Absent; NODES]; PLACES],
            volumes: [Data::Empty; PLACES],
            struck: 0,
        }
    }

    /// Returns the containers.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().flatten()
    }

    /// Returns the containers of one actor.
    pub fn of(&self, actor: u8) -> impl Iterator<Item = &Container> {
        self.containers().filter(move |c| c.actor == actor)
    }

    /// Adds a container. Returns false if there is no room for it.
    pub fn push(&mut self, container: Container) -> bool {
        match self.containers.iter_mut().find(|c| c.is_none()) {
            Some(free) => *free = Some(container),
            None => return false,
        }
        self.sort();
        true
    }

    /// Replaces or removes a container.
    pub fn set(&mut self, old: &Container, new: Option<Container>) {
        if let Some(place) = self.containers.iter_mut().find(|c| c.as_ref() == Some(old)) {
            *place = new;
        }
        self.sort();
    }

    /// Changes all containers for which `which` is true.
    pub fn each(&mut self, which: impl Fn(&Container) -> bool, change: impl Fn(&mut Container)) {
        for container in self.containers.iter_mut().flatten().filter(|c| which(c)) {
            change(container);
        }
        self.sort();
    }

    /// Removes all containers for which `which` is true.
    pub fn drop_if(&mut self, which: impl Fn(&Container) -> bool) {
        for place in &mut self.containers {
            if place.as_ref().is_some_and(&which) {
                *place = None;
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        // `None` sorts first, which is as good as last.
        self.containers.sort_unstable();
    }

    /// Returns the node of a container, if it has one.
    pub fn node(&self, container: &Container) -> Option<&Node> {
        self.nodes.get(usize::from(container.node))
    }

    /// Swaps two nodes with everything on them.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.nodes.swap(a, b);
        for directory in &mut self.directories {
            directory.swap(a, b);
        }
        for container in self.containers.iter_mut().flatten() {
            container.node = match usize::from(container.node) {
                n if n == a => b as u8,
                n if n == b => a as u8,
                _ => container.node,
            };
        }
        self.sort();
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
