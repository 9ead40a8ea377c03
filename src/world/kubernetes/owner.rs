//! Finds servers that may not write to their new volume: it belongs to root, and they run as another user
//! (kubernetes.io, "Configure a Security Context": `fsGroup` gives the volume its group).

use super::peers::Peers;
use super::workload::Read;
use crate::finding::codes;
use crate::images::{By, Images, Software};
use crate::text::yaml::Value;
use crate::world::found::Found;

/// Parts of the names of classes whose new directories any user can write to.
const OPEN: [&str; 6] = ["efs", "hostpath", "local", "nfs", "ceph-fs", "azurefile"];

/// Checks the claim templates of each server.
pub(super) fn judge(peers: &Peers<'_, '_>, images: &Images, found: &mut Found) {
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        for (container, software) in read.pod.servers.iter().filter(|(_, s)| s.by == By::Image) {
            server(read, *container, software, images, found);
        }
    }
}

fn server(read: &Read<'_>, container: Value<'_>, software: &Software, images: &Images, found: &mut Found) {
    // A live object has started before.
    let live = read.object.root.at(&["metadata", "uid"]).or_else(|| read.object.root.get("status")).is_some();
    let templates =
        read.object.root.at(&["spec", "volumeClaimTemplates"]).map(Value::items).unwrap_or_default();
    let fresh = |name: &str| {
        let named = |t: &&Value<'_>| t.at(&["metadata", "name"]).is_some_and(|n| n.is(name));
        templates.iter().find(named).is_some_and(|template| is_disk(*template))
    };
    let mount = container.list("volumeMounts").into_iter().find(|m| {
        m.text_at("mountPath").is_some_and(|target| software.keeps(target))
            && m.text_at("name").is_some_and(fresh)
    });
    let Some(mount) = mount.filter(|_| !live) else { return };
    user(read, container, mount, images, found);
    folder(read, mount, software, found);
}

/// Returns whether a claim gets a new file system that belongs to root.
fn is_disk(template: Value<'_>) -> bool {
    let spec = |key: &str| template.at(&["spec", key]);
    let class = spec("storageClassName").and_then(Value::text).unwrap_or_default().to_lowercase();
    let many = spec("accessModes").is_some_and(|m| m.texts().iter().any(|mode| mode == "ReadWriteMany"));
    !many && !OPEN.iter().any(|word| class.contains(word))
}

/// Reports a server that runs as another user than root, to whose group nothing gives the volume.
fn user(read: &Read<'_>, container: Value<'_>, mount: Value<'_>, images: &Images, found: &mut Found) {
    let context =
        |value: Value<'_>, key: &str| value.get("securityContext").and_then(|s| s.given(key)?.number());
    let asked = context(container, "runAsUser").or_else(|| context(read.pod.spec, "runAsUser"));
    let own = || container.text_at("image").and_then(|image| images.runs_as(image)?.parse().ok());
    let Some(user) = asked.or_else(own).filter(|user: &i64| *user > 0) else { return };
    // An init container may change the owner.
    let mut before = read.pod.spec.list("initContainers").into_iter().flat_map(|c| c.list("volumeMounts"));
    let changed = before.any(|m| m.text_at("name") == mount.text_at("name"));
    if changed || context(read.pod.spec, "fsGroup").is_some() {
        return;
    }
    let message = format!(
        "{} may never start: it runs as user {user}, and a new disk belongs to root: nothing gives it another group",
        read.workload.name
    );
    let fix = format!("fsGroup: {user}, in the securityContext of the pod");
    found.note(codes::NEVER, message, vec![read.object.at(mount)], fix);
}

/// Reports a server that refuses the folder `lost+found` in its directory: Kafka takes each folder for one of a
/// topic (apache/kafka `core/src/main/scala/kafka/log/LogManager.scala`), and `initdb` wants none
/// (postgres `src/bin/initdb/initdb.c`).
fn folder(read: &Read<'_>, mount: Value<'_>, software: &Software, found: &mut Found) {
    let refuses = ["kafka", "postgresql"].contains(&software.name.as_str());
    let below = mount.given("subPath").or_else(|| mount.given("subPathExpr")).is_some();
    let path = mount.text_at("mountPath").unwrap_or_default().trim_end_matches('/');
    if !refuses || below || software.place() != path {
        return;
    }
    let message = format!(
        "{} may never start: a new disk has a folder lost+found, which {} refuses in {path}",
        read.workload.name, software.name
    );
    let fix = "subPath: data, or a directory below the mount for the data";
    found.note(codes::NEVER, message, vec![read.object.at(mount)], fix);
}
