//! Checks that the matrix is complete, and that berthc's own templates open no gap that the plan
//! does not report.

use std::collections::{BTreeMap, BTreeSet};

use berthc::certificate::{Hazard, Resource, Verdict};
use berthc::{Options, Target};

use super::{compiled, say};
use crate::harness::{root, walk};

/// Returns every shape of a service with its name, its parts and its spec.
fn shapes(target: Target) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |what: String, members: &str, exclusive: String, more: &str| {
        let settings: &[&str] = match target {
            Target::Kubernetes => &["version: \"1.34\", namespace: n", "version: \"1.26\", namespace: n"],
            Target::Fleet => &[
                "version: \"1.0.0\", domain: d.example",
                "version: \"0.13.0\", domain: d.example, pin: PIN",
                "version: \"1.0.0\", unit: { X-Fleet: { MachineMetadata: [disk=ssd] } }",
            ],
            Target::Swarm => &[
                "engine: \"20.10\", NET",
                "engine: \"26.1\", NET, volume: csi",
                "engine: \"20.10\", NET, pin: PIN",
                "engine: \"26.1\", NET, pin: PIN, volume: csi",
                "engine: \"20.10\", NET, lock: LOCK",
                "engine: \"20.10\", NET, service: { deploy: { placement: { constraints: [node.labels.a == b] } } }",
            ],
        };
        // Swarm waits long enough for a grace period of 55 s; the others wait without limit.
        let graces =
            |i: usize| if target == Target::Swarm && i.is_multiple_of(2) { &[55, 56][..] } else { &[30] };
        let all_of = settings.iter().enumerate().flat_map(|(i, s)| graces(i).iter().map(move |g| (s, g)));
        for (settings, grace) in all_of {
            if members.contains("pin:") && settings.contains("pin:") {
                continue;
            }
            let i = all.len();
            let revision = if members.contains("per:") { "revision: v1\n" } else { "" };
            let spec = format!(
                "service: sNAME\n{revision}image: a:1\ncommand: [/a]\nmembers: {members}\nexclusive: {exclusive}\nstop: {{ grace: {grace}s }}\n{more}targets: {{ {}: {{ {settings} }} }}\n",
                target.name()
            );
            let network =
                if exclusive.contains("address: node") { "network: unused" } else { "network: net" };
            let spec = spec
                .replace("NET", network)
                .replace("NAME", &i.to_string())
                .replace("PIN", &format!("s{i}"))
                .replace("LOCK", &format!("{}", 30000 + i))
                .replace("HTTP", &format!("{}", 10000 + 2 * i))
                .replace("PEER", &format!("{}", 10001 + 2 * i));
            all.push((format!("{what} {settings} {grace}"), spec));
        }
    };
    let on_node = "data: { data: { mount: /data, host: /mnt/d1/sNAME } }";
    let two_on_node =
        "data: { data: { mount: /data, host: /mnt/d1/sNAME }, log: { mount: /log, host: /mnt/d2/sNAME } }";
    let held = "data: { data: { mount: /data, host: \"/mnt/d1/sNAME-{{ member.id }}\", size: 1Gi } }";
    let mixed = "data: { data: { mount: /data, host: \"/mnt/d1/sNAME-{{ member.id }}\", size: 1Gi }, log: { mount: /log, volume: { backend: BACKEND, size: 1Gi } } }";
    let turned = "data: { data: { mount: /data, volume: { backend: BACKEND, size: 1Gi } }, log: { mount: /log, host: \"/mnt/d1/sNAME-{{ member.id }}\", size: 1Gi } }";
    let volume = "data: { data: { mount: /data, volume: { backend: BACKEND, size: 1Gi } } }";
    let volumes = "data: { data: { mount: /data, volume: { backend: BACKEND, size: 1Gi } }, log: { mount: /log, volume: { backend: SECOND, size: 1Gi } } }";
    let per_node = "{ per: node, on: { sNAME: \"yes\" } }";
    let dedicated = "{ per: node, on: { sNAME: \"yes\" }, dedicated: true }";
    let pinned = "{ count: 2, first: 1, pin: sNAME }";
    let floating = "{ count: 2 }";
    let single = "{ count: 1, pin: sNAME }";
    let backends = [
        "gce-pd, zones: [a, b]",
        "azure-disk",
        "ceph-rbd, class: c",
        "storageos",
        "nfs, class: c",
        "nfs, options: { server: nas, share: /x }",
        "\"csi:disk.example.com\", class: c",
    ];
    for ports in ["", "ports: { http: HTTP, peer: PEER }"] {
        for network in ["", "address: node"] {
            for guard in ["", "guard: lock"] {
                let with = |data: &str| {
                    let parts = [data, ports, network, guard];
                    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                    format!("{{ {} }}", parts.join(", "))
                };
                let what = |kind: &str| format!("{kind} {ports} {network} {guard}");
                for (kind, members, data) in [
                    ("A", per_node, on_node),
                    ("A two", per_node, two_on_node),
                    ("A dedicated", dedicated, on_node),
                    ("per node, none", per_node, ""),
                    ("B", pinned, held),
                    ("B one", single, held),
                ] {
                    add(what(kind), members, with(data), "");
                }
                for backend in backends {
                    for (kind, members) in [("C", floating), ("D", pinned)] {
                        let data = volume.replace("BACKEND", backend);
                        add(what(&format!("{kind} {backend}")), members, with(&data), "");
                    }
                    for (kind, data) in [("mixed", mixed), ("mixed, volume first", turned)] {
                        let data = data.replace("BACKEND", backend);
                        add(what(&format!("{kind} {backend}")), pinned, with(&data), "");
                    }
                }
                for (first, second) in [("gce-pd", "ceph-rbd, class: c"), ("ceph-rbd, class: c", "gce-pd")] {
                    for members in [floating, pinned] {
                        let data = volumes.replace("BACKEND", first).replace("SECOND", second);
                        add(what(&format!("{first} and {second}")), members, with(&data), "");
                    }
                }
                for claims in ["writer: true", "id: true", "hostname: true", "id: true, hostname: true", ""] {
                    for (kind, members) in
                        [("none", floating), ("none pinned", pinned), ("none, one", single)]
                    {
                        add(what(&format!("{kind} {claims}")), members, with(claims), "");
                    }
                }
            }
        }
    }
    all
}

/// Returns pairs of revisions with different first directories, guards and networks.
fn revisions(target: Target) -> Vec<(String, String)> {
    let settings = match target {
        Target::Kubernetes => "version: \"1.34\", namespace: n",
        Target::Fleet => "version: \"1.0.0\"",
        Target::Swarm => "engine: \"20.10\", network: net",
    };
    let mut all = Vec::new();
    let mut i = 0;
    for network in ["", ", address: node"] {
        for (first, second) in [
            (("lock", "ab"), ("lock", "ab")),
            (("lock", "ab"), ("lock", "ba")),
            (("lock", "ab"), ("none", "ab")),
            (("none", "ab"), ("none", "ba")),
            (("lock", "ab"), ("lock", "bc")),
        ] {
            i += 1;
            for (revision, (guard, order)) in [("v1", first), ("v2", second)] {
                let data: Vec<String> = order
                    .chars()
                    .enumerate()
                    .map(|(at, c)| format!("d{at}: {{ mount: /d{at}, host: /mnt/{c}/r{i} }}"))
                    .collect();
                let guard = if guard == "lock" { ", guard: lock" } else { "" };
                let spec = format!(
                    "service: r{i}\nrevision: {revision}\nimage: a:1\ncommand: [/a]\nmembers: {{ per: node, on: {{ r{i}: \"yes\" }} }}\nexclusive: {{ data: {{ {} }}, ports: {{ http: {} }}{network}{guard} }}\ntargets: {{ {}: {{ {settings} }} }}\n",
                    data.join(", "),
                    9000 + i,
                    target.name()
                );
                all.push((format!("revisions {first:?} {second:?} {network} {revision}"), spec));
            }
        }
    }
    all
}

/// Checks every cell of every service of `specs` without errors. Returns the number of these
/// services.
fn complete(specs: &[(String, String)], wrong: &mut Vec<String>) -> usize {
    let texts: Vec<String> = specs.iter().map(|s| s.1.clone()).collect();
    let done = compiled(&texts, &Options::default());
    let mut faults = Vec::new();
    let (model, options) = (&done.model, Options::default());
    let waits: Vec<_> = model.services().filter_map(berthc::plan::swarm::AwaitsNames::of).collect();
    let hidden = berthc::plan::swarm::DnsCycles::of(&waits.iter().collect::<Vec<_>>());
    let foreseen = berthc::plan::plan(model, &model.all(), &hidden, &options, &mut faults).gaps;
    let mut names: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (index, gap) in &foreseen {
        names.entry(*index).or_default().insert(gap.id.to_string());
    }
    let mut judged = 0;
    for service in done.model.services().filter(|s| s.workload().is_some()) {
        if !done.certificates.has(service) {
            continue;
        }
        judged += 1;
        let what = &specs[service.source.index].0;
        let empty = BTreeSet::new();
        let foreseen: BTreeSet<&String> = names
            .get(&service.index)
            .unwrap_or(&empty)
            .iter()
            .filter(|n| n.matches('/').count() == 2)
            .collect();
        let mut open = BTreeSet::new();
        for part in done.certificates.parts(service.index) {
            let workload = service.workload().unwrap();
            let claimed = Resource::ALL.into_iter().filter(|r| workload.claims(*r)).count();
            assert_eq!(part.cells.len(), claimed * Hazard::ALL.len(), "{what}: cells are missing");
            let first = part.cells.first().map(|c| c.resource);
            for cell in &part.cells {
                let at = format!("{}/{}/{}", part.target.name(), cell.resource.name(), cell.hazard.name());
                let mut fault = |why: &str| {
                    wrong.push(format!("{what}: {at}: {why} ({})", say(&cell.verdict)));
                };
                match &cell.verdict {
                    Verdict::Held { by, lost } => {
                        if by.is_empty() || !lost.is_empty() {
                            fault("berthc's own text lacks a layer");
                        }
                        if !by.windows(2).all(|w| w[0].strength <= w[1].strength) {
                            fault("the stronger do not stand first");
                        }
                        for m in by {
                            let carriers = part.carriers.get(m.id).map_or(&[][..], Vec::as_slice);
                            if carriers.is_empty()
                                || carriers.iter().any(|c| c.line == 0 || c.field.is_empty())
                            {
                                fault(&format!("{} has no carrier", m.id));
                            }
                        }
                    }
                    Verdict::Gap { lost, open: ways, .. } => {
                        if !lost.is_empty() || ways.is_empty() {
                            fault("berthc's own text lacks a layer");
                        }
                        open.insert(at);
                    }
                    Verdict::AsData => {
                        let holds = [Some(Resource::Data), Some(Resource::Writer)].contains(&first);
                        if !holds || first == Some(cell.resource) {
                            fault("there is no data");
                        }
                    }
                    Verdict::Never("") => fault("no reason"),
                    Verdict::Duty if cell.hazard != Hazard::Force => fault("a duty alone"),
                    Verdict::Never(_) | Verdict::Duty => {}
                }
            }
        }
        let open: BTreeSet<&String> = open.iter().collect();
        if open != foreseen {
            let only = |a: &BTreeSet<&String>, b: &BTreeSet<&String>| -> Vec<String> {
                a.difference(b).map(|n| (*n).clone()).collect()
            };
            wrong.push(format!(
                "{what}: found {:?}, foreseen {:?}",
                only(&open, &foreseen),
                only(&foreseen, &open)
            ));
        }
    }
    // Plan and certificate must not report the same gap.
    for (index, gap) in done.certificates.gaps(&done.model, &foreseen) {
        wrong.push(format!("{}: {} is not foreseen", done.model.service(index).name, gap.id));
    }
    judged
}

fn every_shape(target: Target, least: usize) {
    let mut wrong = Vec::new();
    let mut all = shapes(target);
    all.extend(revisions(target));
    let judged = complete(&all, &mut wrong);
    assert!(wrong.is_empty(), "{} faults, such as\n{}", wrong.len(), kinds(&wrong));
    assert!(judged >= least, "{target}: only {judged} of {} shapes are valid", all.len());
}

#[test]
fn every_cell_of_every_shape_has_its_expected_verdict_on_kubernetes() {
    every_shape(Target::Kubernetes, 250);
}

#[test]
fn every_cell_of_every_shape_has_its_expected_verdict_on_fleet() {
    every_shape(Target::Fleet, 450);
}

#[test]
fn every_cell_of_every_shape_has_its_expected_verdict_on_swarm() {
    every_shape(Target::Swarm, 900);
}

/// Returns one fault of each kind.
fn kinds(wrong: &[String]) -> String {
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    for fault in wrong {
        kinds.entry(fault.rsplit(": ").next().unwrap_or_default()).or_insert(fault);
    }
    kinds.into_values().collect::<Vec<_>>().join("\n")
}

#[test]
fn every_cell_of_every_spec_has_its_expected_verdict() {
    let mut wrong = Vec::new();
    for folder in ["specs", "tests/specs"] {
        let spec = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "yaml");
        let read = |path: std::path::PathBuf| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap().replace("from: files/hook.sh", "content: x"),
            )
        };
        let all: Vec<(String, String)> =
            walk(&root().join(folder)).into_iter().filter(spec).map(read).collect();
        assert!(complete(&all, &mut wrong) > 10);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
