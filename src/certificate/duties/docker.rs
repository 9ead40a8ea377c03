//! Duties of machines that run docker.

use std::collections::BTreeSet;

use super::section::{Section, owner, word};
use crate::model::Workload;
use crate::plan::docker::NFS;
use crate::text::quote::shell_word;

/// `volumes` are those of one member: names and options.
pub fn docker_volumes(
    w: &Workload,
    section: &mut Section,
    volumes: impl Fn(u32) -> Vec<(String, Vec<(String, String)>)>,
) {
    let (mut commands, mut local, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    for (i, id) in w.ids().enumerate() {
        for ((name, options), (_, volume)) in volumes(id).into_iter().zip(w.volumes()) {
            let Some(plugin) = volume.backend.plugin else { continue };
            let nfs = plugin.driver == "local";
            let zone = volume.zone(i).map_or_else(String::new, |z| format!("   # in {z}"));
            let told: String =
                options.iter().map(|(k, v)| format!(" --opt {}", printable(&format!("{k}={v}")))).collect();
            let create = format!("docker volume create -d {}{told} {name}{zone}", plugin.driver);
            if nfs { &mut local } else { &mut commands }.push(create);
            let device = options.iter().find(|(k, _)| nfs && k == "device");
            if let Some((_, device)) = device {
                let path = printable(device.trim_start_matches(':'));
                exports.push(format!("install -d {}-m 0700 {path}", owner(w)));
            }
        }
    }
    if !commands.is_empty() {
        section.add("The volumes, once, before the first start. No start may create one.", commands);
    }
    if !local.is_empty() {
        let [server, share, _] = NFS;
        section.add(
            format!("The directories, once, on the NFS server that `{server}` and `{share}` of the volume's options name: a volume whose directory is missing is not mounted."),
            exports,
        );
        section.add("The volumes, once, on each machine that may run the member.", local);
    }
}

/// A word of a shell, quoted only where it must be.
pub fn printable(text: &str) -> String {
    let bare = shell_word(text);
    if bare == text { bare } else { word(text) }
}

pub fn zones(w: &Workload, section: &mut Section, command: impl Fn(&str) -> String) {
    let zones: BTreeSet<&str> = w.volumes().flat_map(|(_, v)| v.zones.iter().map(String::as_str)).collect();
    if !zones.is_empty() {
        section.add("Set the zone of every machine.", zones.into_iter().map(command).collect());
    }
}
