//! What a spec adds to objects in the words of Kubernetes, by where the template prints it.

use serde::Serialize;
use serde_json::Value;

use crate::spec::Raw;

/// Additions to a pod, by where they go.
#[derive(Debug, Default, Serialize)]
pub struct PodMore {
    pub node_selector: Raw,
    pub tolerations: Vec<Value>,
    pub node_affinity: Raw,
    pub affinity: Raw,
    pub spread: Vec<Value>,
    pub security: Raw,
    pub init_containers: Vec<Value>,
    pub volumes: Vec<Value>,
    pub rest: Raw,
}

/// Additions to the member's container, by where they go.
#[derive(Debug, Default, Serialize)]
pub struct ContainerMore {
    pub env: Vec<Value>,
    pub ports: Vec<Value>,
    pub requests: Raw,
    pub limits: Raw,
    pub resources: Raw,
    pub lifecycle: Raw,
    pub capabilities: Raw,
    pub security: Raw,
    pub mounts: Vec<Value>,
    pub rest: Raw,
}

/// Additions to a Service, by where they go.
#[derive(Debug, Default, Serialize)]
pub struct ServiceMore {
    pub ports: Vec<Value>,
    pub rest: Raw,
}
