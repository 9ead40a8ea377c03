//! The fields that a spec adds to objects, grouped by their place in the templates.

use serde::Serialize;
use serde_json::Value;

use crate::spec::Raw;

/// The fields to add to a pod, grouped by their place.
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

/// The fields to add to the member's container, grouped by their place.
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

/// The fields to add to a Service, grouped by their place.
#[derive(Debug, Default, Serialize)]
pub struct ServiceMore {
    pub ports: Vec<Value>,
    pub rest: Raw,
}
