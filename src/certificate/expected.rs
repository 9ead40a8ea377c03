//! Makes what a spec expects of its own files: the names, paths and numbers that distinguish its own
//! mechanisms from those of other services.

use std::sync::Arc;

use crate::mechanism::{Carried, Data, Expected, Member, Network};
use crate::model::{self, DataAt, Service, Socket, Workload};
use crate::plan::{fleet, kubernetes};
use crate::target::Target;
use crate::value;

/// Returns what `service` expects on `target`.
pub fn of(service: &Service, w: &Workload, target: Target) -> Expected {
    let lock = service.targets.swarm.as_ref().and_then(|s| s.lock_of(w));
    let ids: Vec<Option<u32>> = if w.per_node() { vec![None] } else { w.ids().map(Some).collect() };
    let pair = |socket: Socket| (socket.number, socket.protocol.name());
    let siblings = if w.per_node() { ".*" } else { "@*" };
    Expected {
        target,
        service: service.name.clone(),
        members: ids.into_iter().map(|id| member(service, w, target, id)).collect(),
        ids: w.ids(),
        data: w.data.iter().map(|data| self::data(service, data, target)).collect(),
        pin: w.pin().or(service.targets.pin(target)).map(|pin| pin.label.clone()),
        revision: service.revision.as_ref().map(|r| (service.revision_label(), r.clone())),
        revision_label: kubernetes::REVISION,
        ports: w.ports.iter().map(|port| pair(port.socket)).collect(),
        lock_port: lock.map(pair),
        node_network: w.node_network,
        namespace: service.targets.kubernetes.as_ref().map(|k| k.namespace.clone()).unwrap_or_default(),
        siblings: format!("{}{siblings}.service", service.name),
    }
}

fn member(service: &Service, w: &Workload, target: Target, id: Option<u32>) -> Member {
    let name = &service.name;
    let path = |data: &model::Data| {
        let text = &data.host()?.text;
        match id {
            Some(id) => value::host_path(text, name, id),
            None => Some(text.clone()),
        }
    };
    let paths: Vec<Option<String>> = w.data.iter().map(path).collect();
    let numbered = id.map_or_else(|| name.clone(), |id| format!("{name}-{id}"));
    let workload = match (target, id) {
        (Target::Kubernetes, Some(_)) => format!("statefulset/{name}"),
        (Target::Kubernetes, None) => format!("daemonset/{}", service.full_name()),
        (Target::Fleet, Some(id)) => format!("{name}@{id}.service"),
        (Target::Fleet, None) => match &service.revision {
            Some(revision) => format!("{name}.{revision}.service"),
            None => format!("{name}.service"),
        },
        (Target::Swarm, Some(_)) => numbered.clone(),
        (Target::Swarm, None) => service.full_name(),
    };
    // The container is named after the first data directory or volume.
    let container = match (w.data.first(), paths.first()) {
        (Some(data), _) if data.host().is_none() => format!("{}-{numbered}", data.name),
        (Some(_), Some(path)) => fleet::container_of(path.as_deref().unwrap_or_default()),
        _ => numbered,
    };
    Member { id, workload, container, paths }
}

fn data(service: &Service, data: &model::Data, target: Target) -> Data {
    let csi = target == Target::Swarm && service.targets.swarm.as_ref().is_some_and(|s| s.csi);
    let network = match &data.at {
        DataAt::Host { .. } => None,
        DataAt::Volume(volume) => Some(Network {
            class: volume.class.clone(),
            driver: match target {
                Target::Kubernetes => volume.csi.clone(),
                Target::Fleet | Target::Swarm => volume.backend.plugin.map(|p| p.driver.to_owned()),
            },
            cluster: csi,
        }),
    };
    let one_pod = network.is_some() || service.targets.kubernetes.as_ref().is_some_and(|k| k.one_pod);
    Data { name: data.name.clone(), mount: data.mount.clone(), network, one_pod }
}

/// Returns the fields as the certificate names them: the file relative to the folder of the service, and
/// on Swarm the field relative to the service in the file.
pub fn relative(expected: &Expected, mut carried: Carried) -> Carried {
    let folder = format!("{}/", expected.service);
    for at in carried.values_mut().flatten() {
        let file = at.file.strip_prefix(folder.as_str()).unwrap_or(&at.file);
        let name = file.rsplit('/').next().unwrap_or_default();
        let service = at.field.strip_prefix("services.");
        let own =
            service.and_then(|rest| rest.strip_prefix(name.trim_end_matches(".yml"))?.strip_prefix('.'));
        if let Some(field) = own {
            at.field = field.to_owned();
        } else if at.field == name {
            at.field = "its name".to_owned();
        }
        at.file = Arc::from(file);
    }
    carried
}
