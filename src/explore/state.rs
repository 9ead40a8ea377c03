//! Action a small cluster is in at one moment: nodes, containers, data.

/// Most nodes of a scenario.
pub const NODES: usize = 3;
/// Most members of a scenario.
pub const ACTORS: usize = 2;
/// Most containers at one moment; a step that would make one more is not taken, and said.
pub const COPIES: usize = 6;
/// Most directories and volumes of a scenario, of each.
pub const PLACES: usize = 4;

/// No node yet.
pub const NOWHERE: u8 = u8::MAX;

/// How a node stands to the orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// It hears and is heard.
    Up,
    /// Cut off: its containers run on.
    Cut,
    /// Its agent (kubelet, fleetd, dockerd) is dead: its containers run on.
    Deaf,
    /// Powered off: nothing runs.
    Off,
}

/// One node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// How it stands to the orchestrator.
    pub link: Link,
    /// The orchestrator has noticed that it is not up.
    pub noticed: bool,
    /// It takes no new containers (cordon, drain).
    pub drained: bool,
    /// Its disk is mounted.
    pub mounted: bool,
    /// Whose wants its labels meet, a bit for each actor.
    pub fits: u8,
}

/// Action becomes of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It is wanted, and has no node.
    Waiting,
    /// It has a node, and does not run yet.
    Placed,
    /// It runs.
    Running,
    /// It was asked to stop, and runs.
    Stopping,
}

/// One container, from the moment that it is wanted to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copy {
    /// Whose.
    pub actor: u8,
    /// 0 for the description that was there first, 1 for the new one.
    pub version: u8,
    /// Index of the node, or [`NOWHERE`].
    pub node: u8,
    /// Action becomes of it.
    pub phase: Phase,
    /// The orchestrator no longer wants it (desired state shutdown, Terminating, unit moved away).
    pub retired: bool,
    /// The orchestrator's books no longer know that it runs.
    pub forgotten: bool,
    /// It waits for the end of the one that it replaces.
    pub waits: bool,
    /// Action made it is gone: its successor does not count it (Kubernetes).
    pub orphan: bool,
    /// The controller counts it as available; looked at where a quorum is rolled (Kubernetes).
    pub available: bool,
}

impl Copy {
    /// One that is wanted, and nothing more.
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

    /// Whether a process runs.
    pub fn runs(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Stopping)
    }
}

/// Action the orchestrator is asked for, of one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Desired {
    /// It is deployed, and not scaled to zero.
    pub deployed: bool,
    /// Which description.
    pub version: u8,
}

/// Whose data a directory or volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// It is not there.
    Absent,
    /// It is there, and nobody has written to it.
    Empty,
    /// The data of the actor of this owner number.
    Of(u8),
}

/// The whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The scenario says how many count.
    pub nodes: [Node; NODES],
    /// By actor.
    pub desired: [Desired; ACTORS],
    /// Sorted, so that equal states are equal.
    copies: [Option<Copy>; COPIES],
    /// By directory and node.
    pub directories: [[Data; NODES]; PLACES],
    /// By volume.
    pub volumes: [Data; PLACES],
    /// The strikes that have been made, a bit for each kind: each comes once.
    pub struck: u32,
}

impl State {
    /// Healthy nodes and nothing on them.
    pub fn new() -> Self {
        let node = Node { link: Link::Up, noticed: false, drained: false, mounted: true, fits: 0 };
        Self {
            nodes: [node; NODES],
            desired: [Desired { deployed: true, version: 0 }; ACTORS],
            copies: [None; COPIES],
            directories: [[Data::Absent; NODES]; PLACES],
            volumes: [Data::Empty; PLACES],
            struck: 0,
        }
    }

    /// The containers.
    pub fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.copies.iter().flatten()
    }

    /// The containers of one actor.
    pub fn of(&self, actor: u8) -> impl Iterator<Item = &Copy> {
        self.copies().filter(move |c| c.actor == actor)
    }

    /// One more container; false when there is no room for it.
    pub fn push(&mut self, copy: Copy) -> bool {
        match self.copies.iter_mut().find(|c| c.is_none()) {
            Some(free) => *free = Some(copy),
            None => return false,
        }
        self.sort();
        true
    }

    /// Replaces one container, or takes it away.
    pub fn set(&mut self, old: &Copy, new: Option<Copy>) {
        if let Some(place) = self.copies.iter_mut().find(|c| c.as_ref() == Some(old)) {
            *place = new;
        }
        self.sort();
    }

    /// Changes all containers for which `which` holds.
    pub fn each(&mut self, which: impl Fn(&Copy) -> bool, change: impl Fn(&mut Copy)) {
        for copy in self.copies.iter_mut().flatten().filter(|c| which(c)) {
            change(copy);
        }
        self.sort();
    }

    /// Takes away all containers for which `which` holds.
    pub fn drop_if(&mut self, which: impl Fn(&Copy) -> bool) {
        for place in &mut self.copies {
            if place.as_ref().is_some_and(&which) {
                *place = None;
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        // `None` sorts first; that is as good as last.
        self.copies.sort_unstable();
    }

    /// The node of a container that has one.
    pub fn node(&self, copy: &Copy) -> Option<&Node> {
        self.nodes.get(usize::from(copy.node))
    }

    /// Swaps two nodes, with all that is on them.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.nodes.swap(a, b);
        for directory in &mut self.directories {
            directory.swap(a, b);
        }
        for copy in self.copies.iter_mut().flatten() {
            copy.node = match usize::from(copy.node) {
                n if n == a => b as u8,
                n if n == b => a as u8,
                _ => copy.node,
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
