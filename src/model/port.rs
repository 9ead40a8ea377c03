//! The ports of a container.

use std::fmt;

pub use crate::spec::{Protocol, Users};

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The name.
    pub name: String,
    /// The number and the protocol.
    pub socket: Socket,
    /// Who connects to it.
    pub users: Users,
}

/// A number with its protocol: what one container of a node may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket {
    /// The number.
    pub number: u16,
    /// The protocol.
    pub protocol: Protocol,
}

impl Socket {
    /// Returns the TCP port `number`.
    pub fn tcp(number: u16) -> Self {
        Self { number, protocol: Protocol::Tcp }
    }
}

/// Prints `5000`, or `5000/udp`, as docker writes it.
impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            Protocol::Tcp => write!(f, "{}", self.number),
            Protocol::Udp => write!(f, "{}/udp", self.number),
        }
    }
}

/// Returns the port that locks the node of a member on Swarm: the first one for clients over TCP, because
/// they need it on the node anyway, otherwise the first one over TCP, otherwise the first one.
pub fn lock(ports: &[Port]) -> Option<&Port> {
    let tcp = |port: &&Port| port.socket.protocol == Protocol::Tcp;
    let clients = ports.iter().filter(tcp).find(|port| port.users == Users::Clients);
    clients.or_else(|| ports.iter().find(tcp)).or(ports.first())
}
