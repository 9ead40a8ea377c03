//! The members of a service: who they are, what each one holds, and how it starts and stops.

use std::collections::BTreeMap;

use super::data::{Data, DataAt, Volume};
use super::port::Port;
use super::program::{File, Program, Secret, Template};
use crate::hazard::Resource;
use crate::spec::source::Route;
use crate::spec::{Founders, Scheme, Tool};

/// A service that berthc deploys.
#[derive(Debug)]
pub struct Workload {
    /// The container of the member.
    pub program: Program,
    /// The files that are mounted into the container.
    pub files: Vec<File>,
    /// The secrets by name.
    pub secrets: Vec<Secret>,
    /// The ulimits: name, soft limit, hard limit.
    pub ulimits: Vec<(String, u64, u64)>,
    /// The tmpfs mounts: path, bytes.
    pub tmpfs: Vec<(String, u64)>,
    /// The annotations of the members: key and text, in order.
    pub annotations: Vec<(String, String)>,
    /// The members.
    pub members: Members,
    /// The data directories, in order. `guard` locks the first one.
    pub data: Vec<Data>,
    /// The ports, in order.
    pub ports: Vec<Port>,
    /// The name of the id space, if members have exclusive ids.
    pub id: Option<String>,
    /// Whether each member has its own hostname.
    pub hostname: bool,
    /// Whether members use the network of the node.
    pub node_network: bool,
    /// Whether only one container may write, for a service without data.
    pub writer: bool,
    /// Whether the process locks its first data directory.
    pub guard: bool,
    /// How a member stops.
    pub stop: Stop,
    /// The health checks.
    pub health: Health,
    /// How members are updated.
    pub update: Update,
    /// The settings for the first start only.
    pub bootstrap: Bootstrap,
    /// The sidecar containers of each member.
    pub helpers: Vec<Helper>,
    /// The services that never share a node with this one.
    pub apart_from: Vec<String>,
    /// Whether a value lists the members of the service itself.
    pub lists_members: bool,
    /// The services that values name in `peers(…)`, each with the route of the value.
    pub peers: Vec<(String, Route)>,
}

/// How many members there are, and on which nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// One member on each matching node.
    PerNode {
        /// The labels that a node must have.
        on: Vec<(String, String)>,
        /// The nodes with their addresses; may be empty.
        known: Vec<(String, String)>,
        /// Whether these nodes run nothing else.
        dedicated: bool,
    },
    /// `count` members with ids from `first`.
    Counted {
        /// The number of members, 1 to 1000.
        count: u32,
        /// The id of the first member.
        first: u32,
        /// The label that pins each member to a node, on all targets.
        pin: Option<Pin>,
    },
}

/// A pin: member n runs on the one node whose label has the value n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The node label or fleet metadata.
    pub label: String,
    /// The addresses of the nodes by member id; empty if not given.
    pub at: BTreeMap<u32, String>,
}

impl Workload {
    /// Returns the ids in order; empty for `per: node`.
    pub fn ids(&self) -> std::ops::Range<u32> {
        match self.members {
            Members::PerNode { .. } => 0..0,
            Members::Counted { count, first, .. } => first..first + count,
        }
    }

    /// Returns the number of members; 0 for `per: node`, where it depends on the nodes.
    pub fn count(&self) -> u32 {
        let ids = self.ids();
        ids.end - ids.start
    }

    /// Returns whether there is one member per node.
    pub fn per_node(&self) -> bool {
        matches!(self.members, Members::PerNode { .. })
    }

    /// Returns whether the nodes of the members run nothing else.
    pub fn dedicated(&self) -> bool {
        matches!(self.members, Members::PerNode { dedicated: true, .. })
    }

    /// Returns the pin for all targets.
    pub fn pin(&self) -> Option<&Pin> {
        match &self.members {
            Members::Counted { pin, .. } => pin.as_ref(),
            Members::PerNode { .. } => None,
        }
    }

    /// Returns the variables that member `id` gets for its first start; `None` is the member of any node.
    pub fn first_env(&self, id: Option<u32>) -> &[(String, Template)] {
        let founds = self.bootstrap.founders == Founders::All || id == self.ids().next();
        if founds { &self.bootstrap.env } else { &[] }
    }

    /// Returns whether only one of several members gets the variables of the first start.
    pub fn one_founder(&self) -> bool {
        let Bootstrap { env, founders, once: _ } = &self.bootstrap;
        *founders == Founders::First && !env.is_empty() && self.count() > 1
    }

    /// Returns the first host directory, as the spec writes it.
    pub fn first_host(&self) -> Option<&str> {
        self.data.iter().find_map(|d| d.host()).map(|t| t.text.as_str())
    }

    /// Returns the data directories that are volumes.
    pub fn volumes(&self) -> impl Iterator<Item = (&Data, &Volume)> {
        self.data.iter().filter_map(|d| match &d.at {
            DataAt::Volume(v) => Some((d, v.as_ref())),
            DataAt::Host { .. } => None,
        })
    }

    /// Returns whether the workload has `resource`, which only one running container may hold.
    pub fn claims(&self, resource: Resource) -> bool {
        match resource {
            Resource::Data => !self.data.is_empty(),
            Resource::Writer => self.writer,
            Resource::Hostname => self.hostname,
            Resource::Address => self.node_network,
            Resource::Id => self.id.is_some(),
            Resource::Port => !self.ports.is_empty(),
        }
    }
}

/// How a member stops.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The command before the stop signal, and its time limit in seconds.
    pub before: Option<(Vec<Template>, u32)>,
    /// The signal, if it is not the one of the image.
    pub signal: Option<String>,
    /// The seconds from the start of the stop to the kill.
    pub grace: u32,
}

/// The health checks of a member.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The tool in the image that can probe a port.
    pub tool: Option<Tool>,
    /// The check whether the member accepts work.
    pub ready: Option<Check>,
    /// The check whether the member must be restarted.
    pub live: Option<Check>,
    /// The seconds that a start may take.
    pub start: Option<u32>,
}

/// A health check.
#[derive(Debug, Clone)]
pub struct Check {
    /// How to probe a port; `None` if only the command decides.
    pub probe: Option<Probe>,
    /// The command. Beside a probe, only docker uses it.
    pub run: Vec<Template>,
    /// The seconds between two checks.
    pub every: u32,
    /// The seconds until a check counts as failed.
    pub timeout: u32,
    /// The number of consecutive failures that count.
    pub failures: u32,
    /// The route `health.ready` or `health.live`.
    pub route: Route,
}

/// How to probe a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A GET that must answer 2xx or 3xx.
    Http {
        /// The path and query.
        path: String,
        /// The name of the port.
        port: String,
        /// `http` or `https`.
        scheme: Scheme,
    },
    /// A TCP connection.
    Tcp {
        /// The name of the port.
        port: String,
    },
}

/// How members are updated.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The seconds to wait after each member.
    pub pause: u32,
    /// The command that must succeed before the next member is updated.
    pub healthy: Option<Template>,
}

/// The settings for the first start only.
#[derive(Debug, Clone, Default)]
pub struct Bootstrap {
    /// The environment of the first start.
    pub env: Vec<(String, Template)>,
    /// Which members get it.
    pub founders: Founders,
    /// The command that an operator runs once.
    pub once: Option<Template>,
}

impl Bootstrap {
    /// Returns whether the first start is like every other.
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.once.is_none()
    }
}

/// A sidecar container of each member.
#[derive(Debug, Clone)]
pub struct Helper {
    /// The name.
    pub name: String,
    /// The container.
    pub program: Program,
    /// The ports.
    pub ports: Vec<Port>,
}
