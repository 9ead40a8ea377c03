//! Mutants: each removes a rule from a template or, if no template has it, from the emitted text.
//! The certificate must name the cells that lose a mechanism, and the cells that are no longer
//! protected.

use std::collections::{BTreeMap, BTreeSet};

use berthc::certificate::{Verdict, certify_tree};
use berthc::{Options, Target, Tree};

use super::{changes, compiled, errors, page, part};

use Rule::{Template, Text};

/// A rule that is removed.
enum Rule {
    /// A rule in a template: its name, a part of its text, and the replacement.
    Template(&'static str, &'static str, &'static str),
    /// A rule in the emitted text: a part of a file of the target, and the replacement.
    Text(&'static str, &'static str),
}

struct Mutant {
    name: &'static str,
    spec: &'static str,
    target: Target,
    rules: &'static [Rule],
    /// Every cell whose text changes, with its new text.
    says: &'static [&'static str],
}

/// One member on each node, on the node's network, with a lock.
const NODE: &str = r#"
service: db
revision: v1
image: db:1
command: [/db]
members: { per: node, on: { db: "yes" }, dedicated: true }
exclusive:
  data: { data: { mount: /data, host: /mnt/d1/db } }
  ports: { http: 5000, peer: 5001 }
  address: node
  guard: lock
accept:
  - { gap: fleet/members.dedicated, because: x }
  - { gap: swarm/members.dedicated, because: x }
targets: { kubernetes: { version: "1.34", namespace: db }, fleet: { version: "1.0.0" }, swarm: { engine: "20.10" } }
"#;

/// One member on each node, protected only by its place.
const PLAIN: &str = r#"
service: db
revision: v1
image: db:1
members: { per: node, on: { db: "yes" } }
exclusive:
  data: { data: { mount: /data, host: /mnt/d1/db } }
targets: { kubernetes: { version: "1.34", namespace: db } }
"#;

/// Members that are pinned to nodes.
const PINNED: &str = r#"
service: db
image: db:1
members: { count: 2, first: 1, pin: db }
exclusive:
  id: true
  hostname: true
  data: { data: { mount: /data, host: "/mnt/d1/db-{{ member.id }}", size: 1Gi } }
  ports: { http: 5000, peer: 5001 }
targets: { kubernetes: { version: "1.34", namespace: db }, fleet: { version: "1.0.0" }, swarm: { engine: "20.10", network: net } }
"#;

/// Members that move with volumes that always fence.
const FLOAT: &str = r#"
service: db
image: db:1
members: { count: 2 }
exclusive:
  id: true
  data: { data: { mount: /data, volume: { backend: gce-pd, size: 1Gi, zones: [a, b] } } }
  ports: { http: 5000 }
accept:
  - { gap: swarm/data/move, because: x }
  - { gap: fleet/data/move, because: x }
targets: { kubernetes: { version: "1.34", namespace: db }, fleet: { version: "1.0.0" }, swarm: { engine: "20.10", network: net } }
"#;

/// A member with two volumes.
const TWO: &str = r#"
service: db
image: db:1
members: { count: 2 }
exclusive:
  data:
    data: { mount: /data, volume: { backend: gce-pd, size: 1Gi } }
    log: { mount: /log, volume: { backend: gce-pd, size: 1Gi } }
targets: { kubernetes: { version: "1.34", namespace: db } }
"#;

/// A disk that several nodes could attach.
const AZURE: &str = r#"
service: db
image: db:1
members: { count: 1 }
exclusive: { data: { data: { mount: /data, volume: { backend: azure-disk, size: 1Gi } } } }
targets: { kubernetes: { version: "1.34", namespace: db } }
"#;

/// A cluster volume of Swarm.
const CSI: &str = r#"
service: db
image: db:1
members: { count: 1 }
exclusive:
  data: { data: { mount: /data, volume: { backend: gce-pd, size: 1Gi, zones: [a] } } }
  ports: { http: 5000 }
accept:
  - { gap: swarm/data/move, because: x }
  - { gap: swarm/data/relabel, because: x }
targets: { swarm: { engine: "26.1", network: net, volume: csi } }
"#;

/// An NFS share, with pinned members.
const NFS: &str = r#"
service: db
image: db:1
members: { count: 1 }
exclusive:
  data: { data: { mount: /data, volume: { backend: nfs, size: 1Gi, options: { server: nas, share: /export } } } }
  ports: { http: 5000 }
accept: [{ gap: swarm/data/relabel, because: x }]
targets: { swarm: { engine: "26.1", network: net, pin: db } }
"#;

/// One writer without data.
const WRITER: &str = r#"
service: db
image: db:1
members: { count: 1, pin: db }
exclusive: { writer: true, ports: { http: 5000 } }
accept:
  - { gap: fleet/writer/relabel, because: x }
  - { gap: swarm/writer/relabel, because: x }
targets: { kubernetes: { version: "1.34", namespace: db }, fleet: { version: "1.0.0" }, swarm: { engine: "20.10", network: net } }
"#;

/// Compiles with the templates of `mutant`, waives every gap that they open, and applies the text
/// changes of `mutant` to the tree. Also returns the gaps; without a waiver each one is an error.
fn mutate(mutant: &Mutant, spec: &str) -> (berthc::Compiled, Tree, BTreeSet<String>) {
    let own: BTreeMap<&str, &str> = berthc::emit::templates().collect();
    // Another test covers the search.
    let mut options = Options { skip_search: true, ..Options::default() };
    for rule in mutant.rules {
        if let Template(name, from, to) = rule {
            let text = options.templates.remove(*name).unwrap_or_else(|| own[name].to_owned());
            assert!(text.contains(from), "{}: {name} has no more\n{from}", mutant.name);
            options.templates.insert((*name).into(), text.replace(from, to));
        }
    }
    // Every gap is waived, because a compile with errors has no tree.
    let mut waivers = BTreeSet::new();
    let mut done = compiled(&[spec.to_owned()], &options);
    for name in errors(&done.diagnostics) {
        assert!(name.contains('/'), "{}: {name} {:#?}", mutant.name, done.diagnostics);
        waivers.insert(name);
    }
    if !waivers.is_empty() {
        done = compiled(&[waive(spec, &waivers)], &options);
    }
    let mut tree = done.tree.clone().unwrap_or_else(|| panic!("{}: {:#?}", mutant.name, done.diagnostics));
    let folder = format!("db/{}/", mutant.target.name());
    for rule in mutant.rules {
        if let Text(from, to) = rule {
            let mut found = false;
            for (_, text) in tree.iter_mut().filter(|(path, _)| path.starts_with(&folder)) {
                found |= text.contains(from);
                *text = text.replace(from, to);
            }
            assert!(found, "{}: no file of {folder} has\n{from}", mutant.name);
        }
    }
    (done, tree, waivers)
}

/// Returns `spec` with more waivers.
fn waive(spec: &str, gaps: &BTreeSet<String>) -> String {
    let lines: String = gaps.iter().map(|g| format!("  - {{ gap: {g}, because: mutant }}\n")).collect();
    let (head, accepted) = match spec.split_once("accept:") {
        Some((head, rest)) => (head, rest),
        None => {
            let at = spec.find("targets:").unwrap();
            return format!("{}accept:\n{lines}{}", &spec[..at], &spec[at..]);
        }
    };
    match accepted.trim_start_matches(' ').strip_prefix("[{ ") {
        Some(rest) => {
            let (one, rest) = rest.split_once(" }]").unwrap();
            format!("{head}accept:\n  - {{ {one} }}\n{lines}{rest}")
        }
        None => format!("{head}accept:\n{lines}{}", accepted.trim_start_matches('\n')),
    }
}

#[test]
fn every_removed_rule_becomes_a_gap() {
    let mut wrong = Vec::new();
    for mutant in MUTANTS {
        let base = compiled(&[mutant.spec.to_owned()], &Options::default());
        assert_eq!(super::errors(&base.diagnostics), Vec::<String>::new(), "{}", mutant.name);
        let (done, tree, errors) = mutate(mutant, mutant.spec);
        let certificates = certify_tree(&done.model, &done.model.all(), &tree, []);
        let before = part(&base.certificates, mutant.target);
        let after = part(&certificates, mutant.target);
        let found = changes(before, after);
        if found != mutant.says {
            wrong.push((mutant.name, found));
            continue;
        }
        assert!(!found.is_empty(), "{}: nothing is missed", mutant.name);
        let opened: BTreeSet<String> = before
            .cells
            .iter()
            .zip(&after.cells)
            .filter(|(old, new)| {
                let gap = |v: &Verdict| matches!(v, Verdict::Gap { .. });
                gap(&new.verdict) && !gap(&old.verdict)
            })
            .map(|(_, c)| format!("{}/{}/{}", mutant.target.name(), c.resource.name(), c.hazard.name()))
            .collect();
        if mutant.rules.iter().all(|rule| matches!(rule, Template(..))) {
            assert_eq!(errors, opened, "{}", mutant.name);
        }
        // The gap is on the page and among the gaps.
        let gaps = certificates.gaps(&done.model, &[]);
        let text = &page(&done.model, &certificates, &gaps)["db/certificate.md"];
        for cell in &after.cells {
            let at = format!("{}/{}", cell.resource.name(), cell.hazard.name());
            match &cell.verdict {
                Verdict::Gap { lost, .. } => {
                    let name = format!("{}/{at}", mutant.target.name());
                    assert!(gaps.iter().any(|(_, g)| g.id.to_string() == name), "{}: {name}", mutant.name);
                    assert!(text.contains("**waived**"), "{}: {at} is not on the page", mutant.name);
                    for m in lost {
                        assert!(text.contains(&format!("{at} has lost {}", m.id)), "{}: {at}", mutant.name);
                    }
                }
                Verdict::Held { lost, .. } => {
                    for m in lost {
                        assert!(text.contains(&format!("{at} has lost {}", m.id)), "{}: {at}", mutant.name);
                    }
                }
                _ => {}
            }
        }
    }
    let said: Vec<String> = wrong.iter().map(|(name, found)| format!("{name}\n{found:#?}")).collect();
    assert!(wrong.is_empty(), "{}", said.join("\n"));
}

/// Checks that the rule between two revisions matches the pods of both.
#[test]
fn anti_affinity_matches_the_pods_of_both_revisions() {
    let specs = [NODE.to_owned(), NODE.replace("revision: v1", "revision: v2")];
    let done = compiled(&specs, &Options::default());
    let lost = |tree: &Tree| -> Vec<Vec<String>> {
        let certificates = certify_tree(&done.model, &done.model.all(), tree, []);
        let of = |i| certificates.parts(i).iter().find(|p| p.target == Target::Kubernetes).unwrap();
        [0, 1].map(|i| changes(part(&done.certificates, Target::Kubernetes), of(i))).to_vec()
    };
    let mut tree = done.tree.clone().unwrap();
    assert_eq!(lost(&tree), [[""; 0], [""; 0]]);
    let second = tree.get_mut("db/kubernetes/daemonset-v2.yaml").unwrap();
    let (head, pod) = second.split_once("  template:").unwrap();
    *second = format!("{head}  template:{}", pod.replacen("name: db", "name: other", 1));
    for lost in lost(&tree) {
        assert!(lost[0].contains("relabel") && lost[0].ends_with("lost affinity"), "{lost:?}");
    }
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "anti-affinity",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}")],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "anti-affinity without all namespaces",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/pod.yaml.j2", "{% if term.everywhere %}", "{% if false %}")],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "anti-affinity of one zone",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "topologyKey: {{ term.topology }}",
            "topologyKey: topology.kubernetes.io/zone",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "anti-affinity that is preferred",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "        podAntiAffinity:\n          required",
            "        podAntiAffinity:\n          preferred",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "anti-affinity against one revision",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "                  {{ key }}: {{ value }}\n{% endfor %}\n{% endfor %}\n{% if pod.more.affinity %}",
            "                  {{ key }}: {{ value }}\n{% endfor %}\n                  berth.dev/revision: v1\n{% endfor %}\n{% if pod.more.affinity %}",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "another scheduler",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "      enableServiceLinks:",
            "      schedulerName: mine\n      enableServiceLinks:",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity",
            "data neighbour: lost taint",
            "address colocate revisions relabel: lost affinity",
            "port colocate revisions relabel: lost affinity",
        ],
    },
    Mutant {
        name: "maxSurge 1",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Text("maxSurge: 0\n      maxUnavailable: 1", "maxSurge: 1\n      maxUnavailable: 0")],
        says: &["data colocate reboot: lost daemonset", "data update: lost gone-first"],
    },
    Mutant {
        name: "DirectoryOrCreate",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/volume.yaml.j2",
            "type: {{ volume.host.kind }}",
            "type: DirectoryOrCreate",
        )],
        says: &["data reboot move: GAP a start without its data: path-missing"],
    },
    Mutant {
        name: "host ports",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/container.yaml.j2", "{% if port.host %}", "{% if false %}")],
        says: &[
            "data colocate update revisions relabel reboot: lost ports",
            "address colocate update revisions relabel reboot neighbour: lost ports",
            "port colocate update revisions relabel reboot neighbour: lost ports",
        ],
    },
    Mutant {
        name: "one host port of two",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "{% if port.host %}",
            "{% if port.host and port.name == 'http' %}",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost ports",
            "address colocate update revisions relabel reboot neighbour: lost ports",
            "port colocate update revisions relabel reboot neighbour: lost ports",
        ],
    },
    Mutant {
        name: "host ports of one address",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "hostPort: {{ port.host }}",
            "hostPort: {{ port.host }}\n              hostIP: 127.0.0.1",
        )],
        says: &[
            "data colocate update revisions relabel reboot: lost ports",
            "address colocate update revisions relabel reboot neighbour: lost ports",
            "port colocate update revisions relabel reboot neighbour: lost ports",
        ],
    },
    Mutant {
        name: "host network",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/pod.yaml.j2", "hostNetwork: true", "hostNetwork: false")],
        says: &[
            "address force: duty",
            "address colocate update revisions relabel reboot neighbour: lost bind",
            "port force: duty",
            "port colocate update revisions relabel reboot neighbour: lost bind",
        ],
    },
    Mutant {
        name: "node selector of the revision",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "{% for key, value in pod.node_selector %}",
            "{% for key, value in pod.node_selector if key != 'db-revision' %}",
        )],
        says: &["data revisions: lost one-label"],
    },
    Mutant {
        name: "guard",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/container.yaml.j2", "{% if container.command %}", "{% if false %}")],
        says: &["data force: duty", "data colocate update revisions relabel reboot: lost lock"],
    },
    Mutant {
        name: "guard of another directory",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "            - {{ word | expand }}\n{% endfor %}\n{% endif %}\n{% if container.args %}",
            "            - {% if loop.last %}/tmp{% else %}{{ word | expand }}{% endif %}\n\n{% endfor %}\n{% endif %}\n{% if container.args %}",
        )],
        says: &["data force: duty", "data colocate update revisions relabel reboot: lost lock"],
    },
    Mutant {
        name: "toleration",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/pod.yaml.j2",
            "{% if pod.tolerations or",
            "{% if false and pod.tolerations or",
        )],
        says: &["data neighbour: lost taint"],
    },
    Mutant {
        name: "mount",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "mountPath: {{ mount.path }}",
            "mountPath: /elsewhere",
        )],
        says: &[
            "data move: GAP a start on another's data, a start without its data: node-bound path-missing",
            "data reboot: GAP a start without its data: lock path-missing",
            "data partition: GAP two on two nodes: node-bound",
            "data force: duty",
            "data colocate update revisions relabel: lost lock",
            "data neighbour: lost unique",
        ],
    },
    Mutant {
        name: "subPath by node",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "mountPath: {{ mount.path }}",
            "mountPath: {{ mount.path }}\n              subPathExpr: $(NODE)",
        )],
        says: &[
            "data move: GAP a start on another's data, a start without its data: node-bound path-missing",
            "data reboot: GAP a start without its data: lock path-missing",
            "data partition: GAP two on two nodes: node-bound",
            "data force: duty",
            "data colocate update revisions relabel: lost lock",
            "data neighbour: lost unique",
        ],
    },
    Mutant {
        name: "another directory",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/volume.yaml.j2", "path: {{ volume.host.path }}", "path: /mnt/d1")],
        says: &[
            "data move: GAP a start on another's data, a start without its data: node-bound path-missing",
            "data reboot: GAP a start without its data: lock path-missing",
            "data partition: GAP two on two nodes: node-bound",
            "data force: duty",
            "data colocate update revisions relabel: lost lock",
            "data neighbour: lost unique",
        ],
    },
    Mutant {
        name: "DaemonSet as Deployment",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[Text("kind: DaemonSet", "kind: Deployment")],
        says: &[
            "data move: GAP a start on another's data, a start without its data, two on one node: affinity daemonset lock node-bound path-missing ports",
            "data neighbour: GAP another service with the same: taint unique",
            "data reboot: GAP two on one node, a start without its data: affinity daemonset lock path-missing ports",
            "data revisions: GAP two on one node, deleted and made again: affinity lock one-label ports",
            "data colocate: GAP two on one node: affinity daemonset lock ports",
            "data update: GAP two on one node: affinity gone-first lock ports",
            "data relabel: GAP two on one node: affinity lock ports",
            "data partition: GAP two on two nodes: node-bound",
            "data force: duty",
            "address colocate revisions relabel: GAP two on one node: affinity bind ports",
            "address update reboot neighbour: GAP two on one node: bind ports",
            "address force: duty",
            "port colocate revisions relabel: GAP two on one node: affinity bind ports",
            "port update reboot neighbour: GAP two on one node: bind ports",
            "port force: duty",
        ],
    },
    Mutant {
        name: "anti-affinity and host ports",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[
            Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}"),
            Template("kubernetes/container.yaml.j2", "{% if port.host %}", "{% if false %}"),
        ],
        says: &[
            "data colocate update revisions relabel reboot: lost affinity ports",
            "address colocate revisions relabel: lost affinity ports",
            "address update reboot neighbour: lost ports",
            "port colocate revisions relabel: lost affinity ports",
            "port update reboot neighbour: lost ports",
        ],
    },
    Mutant {
        name: "anti-affinity, host ports and guard",
        spec: NODE,
        target: Target::Kubernetes,
        rules: &[
            Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}"),
            Template("kubernetes/container.yaml.j2", "{% if port.host %}", "{% if false %}"),
            Template("kubernetes/container.yaml.j2", "{% if container.command %}", "{% if false %}"),
        ],
        says: &[
            "data revisions: GAP deleted and made again: affinity lock ports",
            "data relabel: GAP two on one node: affinity lock ports",
            "data force: duty",
            "data colocate update reboot: lost affinity lock ports",
            "address colocate revisions relabel: lost affinity ports",
            "address update reboot neighbour: lost ports",
            "port colocate revisions relabel: lost affinity ports",
            "port update reboot neighbour: lost ports",
        ],
    },
    Mutant {
        name: "anti-affinity where there is no more",
        spec: PLAIN,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}")],
        says: &[
            "data revisions: GAP deleted and made again: affinity",
            "data relabel: GAP two on one node: affinity",
            "data colocate update reboot: lost affinity",
        ],
    },
    Mutant {
        name: "maxSurge 1 where there is no more",
        spec: PLAIN,
        target: Target::Kubernetes,
        rules: &[
            Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}"),
            Text("maxSurge: 0\n      maxUnavailable: 1", "maxSurge: 1\n      maxUnavailable: 0"),
        ],
        says: &[
            "data revisions: GAP deleted and made again: affinity",
            "data relabel: GAP two on one node: affinity",
            "data colocate reboot move: GAP two on one node: affinity daemonset",
            "data update: GAP two on one node: affinity gone-first",
        ],
    },
    Mutant {
        name: "StatefulSet as Deployment",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/statefulset.yaml.j2", "kind: StatefulSet", "kind: Deployment")],
        says: &[
            "data move: GAP a start on another's data, a start without its data, two on two nodes: by-hand path path-missing pin reserved",
            "data neighbour: GAP another service with the same: reserved unique",
            "data reboot: GAP two on one node, a start without its data, two on two nodes: path-missing pin pod-name",
            "data relabel: GAP two on one node, two on two nodes, a start on another's data: path path-missing pin pod-name",
            "data update revisions: GAP two on one node, two on two nodes: pin pod-name",
            "data colocate: GAP two on one node: affinity path",
            "data partition: GAP two on two nodes: pin pod-name",
            "hostname colocate update revisions relabel reboot move neighbour: GAP two on one node: pod-name",
            "hostname partition: GAP two on two nodes: pod-name",
            "id neighbour: GAP another service with the same: ids",
        ],
    },
    Mutant {
        name: "claimRef",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/persistentvolumes.yaml.j2",
            "  claimRef:\n    apiVersion: v1\n    kind: PersistentVolumeClaim\n    namespace: {{ volume.namespace }}\n    name: {{ volume.claim }}\n",
            "",
        )],
        says: &[
            "data move: GAP a start on another's data: reserved",
            "data neighbour: GAP another service with the same: reserved",
        ],
    },
    Mutant {
        name: "claimRef of another namespace",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/persistentvolumes.yaml.j2",
            "namespace: {{ volume.namespace }}",
            "namespace: other",
        )],
        says: &[
            "data move: GAP a start on another's data: reserved",
            "data neighbour: GAP another service with the same: reserved",
        ],
    },
    Mutant {
        name: "claimRef of another member",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/persistentvolumes.yaml.j2",
            "name: {{ volume.claim }}",
            "name: data-db-1",
        )],
        says: &[
            "data move: GAP a start on another's data: reserved",
            "data neighbour: GAP another service with the same: reserved",
        ],
    },
    Mutant {
        name: "node affinity of the volume",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/persistentvolumes.yaml.j2",
            "operator: {{ volume.node.operator }}",
            "operator: Exists",
        )],
        says: &["data update revisions relabel partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "one directory for all",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/persistentvolumes.yaml.j2",
            "path: {{ volume.path }}",
            "path: /mnt/d1/db",
        )],
        says: &[
            "data relabel move: GAP a start on another's data: path",
            "data neighbour: GAP another service with the same: unique",
            "data colocate: lost path",
        ],
    },
    Mutant {
        name: "hostPath as volume",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/persistentvolumes.yaml.j2", "  local:\n", "  hostPath:\n")],
        says: &[
            "data move: GAP a start on another's data, a start without its data: path path-missing",
            "data relabel: GAP a start on another's data: path path-missing",
            "data reboot: GAP a start without its data: path-missing",
            "data neighbour: GAP another service with the same: unique",
            "data colocate: lost path",
        ],
    },
    Mutant {
        name: "provisioner",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/storageclass.yaml.j2",
            "provisioner: {{ class.provisioner }}",
            "provisioner: rancher.io/local-path",
        )],
        says: &["data move: GAP a start without its data: by-hand"],
    },
    Mutant {
        name: "number of members",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/statefulset.yaml.j2", "replicas: {{ one.replicas }}", "replicas: 5")],
        says: &["id neighbour: GAP another service with the same: ids"],
    },
    Mutant {
        name: "anti-affinity of pinned members",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}")],
        says: &["data colocate: lost affinity"],
    },
    Mutant {
        name: "anti-affinity and directories",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[
            Template("kubernetes/pod.yaml.j2", "{% for term in pod.apart %}", "{% for term in [] %}"),
            Template("kubernetes/persistentvolumes.yaml.j2", "path: {{ volume.path }}", "path: /mnt/d1/db"),
        ],
        says: &[
            "data relabel move: GAP a start on another's data: path",
            "data neighbour: GAP another service with the same: unique",
            "data colocate: GAP two on one node: affinity path",
        ],
    },
    Mutant {
        name: "claim's mount",
        spec: PINNED,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/container.yaml.j2",
            "mountPath: {{ mount.path }}",
            "mountPath: /elsewhere",
        )],
        says: &[
            "data move: GAP a start on another's data, a start without its data, two on two nodes: by-hand path path-missing pin reserved",
            "data relabel: GAP a start on another's data, two on two nodes: path path-missing pin",
            "data reboot: GAP a start without its data, two on two nodes: path-missing pin",
            "data neighbour: GAP another service with the same: reserved unique",
            "data update revisions partition: GAP two on two nodes: pin",
            "data colocate: lost path",
        ],
    },
    Mutant {
        name: "ReadWriteMany",
        spec: FLOAT,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/statefulset.yaml.j2", "- {{ claim.access }}", "- ReadWriteMany")],
        says: &[
            "data force: duty",
            "data colocate update revisions relabel partition reboot neighbour: lost one-pod",
        ],
    },
    Mutant {
        name: "provisioner of volumes",
        spec: FLOAT,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/storageclass.yaml.j2",
            "provisioner: {{ class.provisioner }}",
            "provisioner: nfs.csi.k8s.io",
        )],
        says: &["data force: duty", "data partition reboot: lost attach"],
    },
    Mutant {
        name: "class of one volume of two",
        spec: TWO,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/statefulset.yaml.j2",
            "storageClassName: {{ claim.class }}",
            "storageClassName: {% if claim.name == 'data' %}{{ claim.class }}{% else %}standard{% endif %}\n",
        )],
        says: &["data force: duty", "data partition reboot: lost attach"],
    },
    Mutant {
        name: "retention of volumes",
        spec: FLOAT,
        target: Target::Kubernetes,
        rules: &[Template(
            "kubernetes/statefulset.yaml.j2",
            "whenDeleted: {{ one.retention }}",
            "whenDeleted: Delete",
        )],
        says: &[
            "data move: GAP a start on another's data: claim",
            "data reboot: GAP a start without its data: claim",
            "data colocate neighbour: lost claim",
        ],
    },
    Mutant {
        name: "retention and ReadWriteMany",
        spec: FLOAT,
        target: Target::Kubernetes,
        rules: &[
            Template(
                "kubernetes/statefulset.yaml.j2",
                "whenDeleted: {{ one.retention }}",
                "whenDeleted: Delete",
            ),
            Template("kubernetes/statefulset.yaml.j2", "- {{ claim.access }}", "- ReadWriteMany"),
        ],
        says: &[
            "data move: GAP a start on another's data: claim",
            "data reboot: GAP a start without its data: claim one-pod",
            "data neighbour: GAP another service with the same: claim one-pod",
            "data force: duty",
            "data colocate: lost claim one-pod",
            "data update revisions relabel partition: lost one-pod",
        ],
    },
    Mutant {
        name: "StatefulSet of volumes as Deployment",
        spec: FLOAT,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/statefulset.yaml.j2", "kind: StatefulSet", "kind: Deployment")],
        says: &[
            "data move: GAP a start on another's data: claim",
            "data neighbour: GAP another service with the same: claim one-pod",
            "data reboot: GAP two on one node, two on two nodes, a start without its data: attach claim one-pod pod-name",
            "data colocate: GAP two on one node: affinity claim one-pod",
            "data update revisions relabel: GAP two on one node: one-pod pod-name",
            "data partition: GAP two on two nodes: attach one-pod pod-name",
            "data force: duty",
            "id neighbour: GAP another service with the same: ids",
        ],
    },
    Mutant {
        name: "shared disks",
        spec: AZURE,
        target: Target::Kubernetes,
        rules: &[Template("kubernetes/storageclass.yaml.j2", "  {{ key }}: {{ value }}", "  {{ key }}: 2")],
        says: &["data force: duty", "data partition reboot: lost attach"],
    },
    Mutant {
        name: "Conflicts",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Template(
            "fleet/member.service.j2",
            "Conflicts={{ glob | setting }}",
            "X-Nothing={{ glob | setting }}",
        )],
        says: &["data revisions: lost conflicts"],
    },
    Mutant {
        name: "Conflicts with a wrong glob",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Template("fleet/member.service.j2", "Conflicts={{ glob | setting }}", "Conflicts=db@*")],
        says: &["data colocate: lost conflicts"],
    },
    Mutant {
        name: "revision metadata",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Template(
            "fleet/member.service.j2",
            "{% for pair in metadata %}",
            "{% for pair in metadata if 'revision' not in pair %}",
        )],
        says: &["data revisions: lost one-label"],
    },
    Mutant {
        name: "two revisions' metadata",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Template(
            "fleet/member.service.j2",
            "MachineMetadata={{ pair | setting }}",
            "MachineMetadata={{ pair | setting }}\nMachineMetadata=db-revision=v2",
        )],
        says: &["data revisions: lost one-label"],
    },
    Mutant {
        name: "Global",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Template("fleet/member.service.j2", "Global=true", "Global=true\nGlobal=false")],
        says: &["data colocate update revisions relabel partition reboot move: GAP two on two nodes: global"],
    },
    Mutant {
        name: "pin",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Template("fleet/member.service.j2", "{% for pair in metadata %}", "{% for pair in [] %}")],
        says: &["data update relabel partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "two pins",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Template(
            "fleet/member.service.j2",
            "MachineMetadata={{ pair | setting }}",
            "MachineMetadata={{ pair | setting }}\nMachineMetadata=db=7",
        )],
        says: &["data update relabel partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "pin and directory",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[
            Template("fleet/member.service.j2", "{% for pair in metadata %}", "{% for pair in [] %}"),
            Text("source=/mnt/d1/db-1,", "source=/mnt/d1/db,"),
            Text("source=/mnt/d1/db-2,", "source=/mnt/d1/db,"),
        ],
        says: &[
            "data move: GAP a start on another's data, two on two nodes: path pin",
            "data neighbour: GAP another service with the same: unique",
            "data relabel partition reboot: GAP two on two nodes: path pin",
            "data update: GAP two on two nodes: pin",
            "data colocate: lost path",
        ],
    },
    Mutant {
        name: "name after the unit",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text("--name mnt.d1.db ", "--name db-v1 ")],
        says: &["data colocate update revisions relabel reboot force: lost name"],
    },
    Mutant {
        name: "name of pinned members",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Text("--name mnt.d1.db-", "--name db-")],
        says: &[
            "data update relabel reboot: GAP two on one node: name",
            "data force: duty",
            "data revisions: lost name",
        ],
    },
    Mutant {
        name: "label",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text(" --label berth.unit=db.v1.service", "")],
        says: &["data colocate update revisions relabel reboot force: lost name"],
    },
    Mutant {
        name: "label of another",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text("--label berth.unit=db.v1.service", "--label berth.unit=db.v2.service")],
        says: &["data colocate update revisions relabel reboot force: lost name"],
    },
    Mutant {
        name: "docker rm -f",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text("ExecStartPre=-/usr/bin/docker rm mnt", "ExecStartPre=-/usr/bin/docker rm -f mnt")],
        says: &["data colocate update revisions relabel reboot force: lost name"],
    },
    Mutant {
        name: "name and guard",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text("--name mnt.d1.db ", "--name db-v1 "), Text(" && flock -n 9", "")],
        says: &[
            "data update relabel reboot: GAP two on one node: lock name",
            "data force: duty",
            "data colocate revisions: lost lock name",
        ],
    },
    Mutant {
        name: "guard on fleet",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text(" && flock -n 9", "")],
        says: &["data colocate update revisions relabel reboot force: lost lock"],
    },
    Mutant {
        name: "guard of another directory on fleet",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text(r#"exec "$$@"' /data"#, r#"exec "$$@"' /tmp"#)],
        says: &["data colocate update revisions relabel reboot force: lost lock"],
    },
    Mutant {
        name: "--mount",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Text("--mount type=bind,source=/mnt/d1/db-1,target=/data", "-v /mnt/d1/db-1:/data")],
        says: &[
            "data reboot move: GAP a start without its data: path-missing",
            "data relabel: GAP two on two nodes: path-missing",
            "data partition: lost path-missing",
        ],
    },
    Mutant {
        name: "--mount and the order of mounts",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[
            Template("fleet/member.service.j2", "RequiresMountsFor={{ path }}", "X-Nothing={{ path }}"),
            Text("--mount type=bind,source=/mnt/d1/db-1,target=/data", "-v /mnt/d1/db-1:/data"),
        ],
        says: &[
            "data reboot: GAP a start without its data: mounted path-missing",
            "data move: GAP a start without its data: path-missing",
            "data relabel: GAP two on two nodes: path-missing",
            "data partition: lost path-missing",
        ],
    },
    Mutant {
        name: "RequiresMountsFor",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Template("fleet/member.service.j2", "RequiresMountsFor={{ path }}", "X-Nothing={{ path }}")],
        says: &["data reboot: lost mounted"],
    },
    Mutant {
        name: "published ports",
        spec: PINNED,
        target: Target::Fleet,
        rules: &[Text("  -p 5001:5001 \\\n", "")],
        says: &[
            "port colocate update revisions relabel reboot neighbour: GAP two on one node: publish",
            "port force: duty",
        ],
    },
    Mutant {
        name: "host network on fleet",
        spec: NODE,
        target: Target::Fleet,
        rules: &[Text("--net host", "--net bridge")],
        says: &[
            "address neighbour: GAP two on one node: bind",
            "port colocate update revisions relabel reboot neighbour: GAP two on one node: bind",
            "port force: duty",
        ],
    },
    Mutant {
        name: "volume inspect",
        spec: FLOAT,
        target: Target::Fleet,
        rules: &[Text("docker volume inspect", "docker volume create")],
        says: &["data move: GAP a start without its data: volume-missing"],
    },
    Mutant {
        name: "volume inspect that may fail",
        spec: FLOAT,
        target: Target::Fleet,
        rules: &[Text("ExecStartPre=/bin/sh -c 'd=", "ExecStartPre=-/bin/sh -c 'd=")],
        says: &["data move: GAP a start without its data: volume-missing"],
    },
    Mutant {
        name: "volume driver",
        spec: FLOAT,
        target: Target::Fleet,
        rules: &[Text("volume-driver=rexray/gcepd,", "")],
        says: &["data update relabel partition reboot: GAP two on two nodes: attach", "data force: duty"],
    },
    Mutant {
        name: "volume name",
        spec: FLOAT,
        target: Target::Fleet,
        rules: &[Text("source=data-db-1,", "source=data-db,")],
        says: &[
            "data move: GAP a start on another's data, a start without its data: volume-missing volume-name",
            "data colocate: GAP a start on another's data: volume-name",
            "data neighbour: GAP another service with the same: volume-name",
            "data update relabel partition reboot: GAP two on two nodes: attach",
            "data force: duty",
        ],
    },
    Mutant {
        name: "name of a volume's container",
        spec: FLOAT,
        target: Target::Fleet,
        rules: &[Text("--name data-db-", "--name db-")],
        says: &[
            "data update relabel reboot: GAP two on one node: name",
            "data force: duty",
            "data revisions: lost name",
        ],
    },
    Mutant {
        name: "pin of the writer",
        spec: WRITER,
        target: Target::Fleet,
        rules: &[Template("fleet/member.service.j2", "{% for pair in metadata %}", "{% for pair in [] %}")],
        says: &["writer update partition reboot: GAP two on two nodes: pin", "writer force: duty"],
    },
    Mutant {
        name: "name of the writer",
        spec: WRITER,
        target: Target::Fleet,
        rules: &[Text("--name db-0", "--name other")],
        says: &[
            "writer relabel: GAP two on one node, two on two nodes: name",
            "writer update reboot: GAP two on one node: name",
            "writer force: duty",
            "writer revisions: lost name",
        ],
    },
    Mutant {
        name: "pin constraint",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "          - {{ constraint }}",
            "          - node.role == worker",
        )],
        says: &["data update revisions partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "constraint without its prefix",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Text("node.labels.db == ", "db == ")],
        says: &["data update revisions partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "constraint that excludes",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Text("node.labels.db == 1", "node.labels.db != 2")],
        says: &["data update revisions partition reboot move: GAP two on two nodes: pin"],
    },
    Mutant {
        name: "revision constraint",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "{% for constraint in s.deploy.constraints %}",
            "{% for constraint in s.deploy.constraints if 'revision' not in constraint %}",
        )],
        says: &["data revisions: lost one-label"],
    },
    Mutant {
        name: "ingress",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Text("        mode: host", "        mode: ingress")],
        says: &[
            "data revisions relabel partition reboot: GAP two on one node: port",
            "data colocate update: lost port",
        ],
    },
    Mutant {
        name: "another port for each",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Text("published: 5000", "published: 6000")],
        says: &[
            "data revisions relabel partition reboot: GAP two on one node: port",
            "data colocate update: lost port",
        ],
    },
    Mutant {
        name: "token",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Text("        mode: host", "        mode: ingress")],
        says: &[
            "data colocate update revisions partition reboot: lost token",
            "address neighbour: lost token",
            "port colocate update revisions partition reboot neighbour: lost token",
        ],
    },
    Mutant {
        name: "start-first",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "        order: {{ s.deploy.update.order }}",
            "        order: start-first",
        )],
        says: &["data update: lost stop-first"],
    },
    Mutant {
        name: "start-first at a rollback",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "        order: {{ s.deploy.update.order }}",
            "        order: {% if key == 'update_config' %}stop-first{% else %}start-first{% endif %}\n",
        )],
        says: &["data update: lost stop-first"],
    },
    Mutant {
        name: "start-first and ingress",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[
            Template(
                "swarm/stack.yml.j2",
                "        order: {{ s.deploy.update.order }}",
                "        order: start-first",
            ),
            Text("        mode: host", "        mode: ingress"),
        ],
        says: &[
            "data revisions relabel partition reboot: GAP two on one node: port",
            "data update: GAP two on one node: port stop-first",
            "data colocate: lost port",
        ],
    },
    Mutant {
        name: "one source for all",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Text("source: /mnt/d1/db-1", "source: /mnt/d1/db")],
        says: &[
            "data move: GAP a start on another's data: path",
            "data neighbour: GAP another service with the same: unique",
            "data relabel: GAP two on two nodes: path",
            "data colocate partition reboot: lost path",
        ],
    },
    Mutant {
        name: "bind as volume",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "      - type: {{ m.kind }}", "      - type: volume")],
        says: &[
            "data move: GAP a start on another's data, a start without its data: path path-missing",
            "data reboot: GAP a start without its data: path path-missing",
            "data neighbour: GAP another service with the same: unique",
            "data relabel: GAP two on two nodes: path path-missing",
            "data colocate: lost path",
            "data partition: lost path path-missing",
        ],
    },
    Mutant {
        name: "global as replicated",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "      mode: {{ s.deploy.mode }}", "      mode: replicated")],
        says: &["data colocate update revisions relabel partition reboot move: GAP two on two nodes: global"],
    },
    Mutant {
        name: "replicas 2",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "      replicas: {{ s.deploy.replicas }}",
            "      replicas: 2",
        )],
        says: &[
            "data colocate update revisions relabel partition reboot move: GAP two on one node: service-name",
            "hostname neighbour: GAP another service with the same: service-name",
            "id neighbour: GAP another service with the same: ids",
        ],
    },
    Mutant {
        name: "replicated as global",
        spec: PINNED,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "      mode: {{ s.deploy.mode }}", "      mode: global")],
        says: &[
            "data colocate update revisions relabel partition reboot move: GAP two on one node: service-name",
            "hostname neighbour: GAP another service with the same: service-name",
            "id neighbour: GAP another service with the same: ids",
        ],
    },
    Mutant {
        name: "guard on Swarm",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Text(" && flock -n 9", "")],
        says: &[
            "data relabel: GAP two on one node: lock",
            "data force: duty",
            "data colocate update revisions partition reboot: lost lock",
        ],
    },
    Mutant {
        name: "token and guard",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Text("        mode: host", "        mode: ingress"), Text(" && flock -n 9", "")],
        says: &[
            "data relabel: GAP two on one node: lock",
            "data revisions partition reboot: GAP two on one node: lock token",
            "data force: duty",
            "data colocate update: lost lock token",
            "address neighbour: lost token",
            "port colocate update revisions partition reboot neighbour: lost token",
        ],
    },
    Mutant {
        name: "overlay for the host",
        spec: NODE,
        target: Target::Swarm,
        rules: &[Text("      - host\n", "      - net\n")],
        says: &[
            "data colocate update revisions partition reboot: lost token",
            "address neighbour: GAP two on one node: bind token",
            "port relabel: GAP two on one node: bind",
            "port colocate update revisions partition reboot neighbour: GAP two on one node: bind token",
            "port force: duty",
        ],
    },
    Mutant {
        name: "driver",
        spec: FLOAT,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "    driver: {{ v.driver }}", "    driver: local")],
        says: &[
            "data move: GAP a start without its data, two on two nodes: attach",
            "data update revisions relabel partition reboot: GAP two on two nodes: attach",
        ],
    },
    Mutant {
        name: "name of a volume",
        spec: FLOAT,
        target: Target::Swarm,
        rules: &[Text("    name: data-db-1", "    name: data-db")],
        says: &[
            "data move: GAP a start on another's data, a start without its data, two on two nodes: attach volume-name",
            "data neighbour: GAP another service with the same: volume-name",
            "data update revisions relabel partition reboot: GAP two on two nodes: attach",
            "data colocate: lost volume-name",
        ],
    },
    Mutant {
        name: "ingress with volumes",
        spec: FLOAT,
        target: Target::Swarm,
        rules: &[Text("        mode: host", "        mode: ingress")],
        says: &[
            "data revisions relabel partition reboot: GAP two on one node: port",
            "data colocate update: lost port",
        ],
    },
    Mutant {
        name: "ingress and start-first with volumes",
        spec: FLOAT,
        target: Target::Swarm,
        rules: &[
            Template(
                "swarm/stack.yml.j2",
                "        order: {{ s.deploy.update.order }}",
                "        order: start-first",
            ),
            Text("        mode: host", "        mode: ingress"),
        ],
        says: &[
            "data revisions relabel partition reboot: GAP two on one node: port",
            "data update: GAP two on one node: port stop-first",
            "data colocate: lost port",
        ],
    },
    Mutant {
        name: "cluster volume as plugin's",
        spec: CSI,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "      - type: {{ m.kind }}", "      - type: volume")],
        says: &[
            "data move: GAP a start without its data, two on two nodes: attach cluster-volume",
            "data update revisions partition reboot: GAP two on two nodes: attach cluster-volume",
        ],
    },
    Mutant {
        name: "cluster volume of a global service",
        spec: CSI,
        target: Target::Swarm,
        rules: &[Template("swarm/stack.yml.j2", "      mode: {{ s.deploy.mode }}", "      mode: global")],
        says: &[
            "data move: GAP a start without its data, two on one node: service-name",
            "data update revisions partition reboot: GAP two on one node: cluster-volume service-name",
            "data colocate: GAP two on one node: service-name",
            "data relabel: GAP two on two nodes, two on one node: service-name",
        ],
    },
    Mutant {
        name: "cluster volume that is made",
        spec: CSI,
        target: Target::Swarm,
        rules: &[Text("    external: true\n    name: data-", "    external: false\n    name: data-")],
        says: &[
            "data move: GAP a start without its data, two on two nodes: attach cluster-volume",
            "data update revisions partition reboot: GAP two on two nodes: attach cluster-volume",
        ],
    },
    Mutant {
        name: "directory of a share",
        spec: NFS,
        target: Target::Swarm,
        rules: &[Text(r#"data-db-0""#, r#"data""#)],
        says: &[
            "data move: GAP a start on another's data, a start without its data, two on two nodes: share-missing volume-name",
            "data neighbour: GAP another service with the same: volume-name",
            "data update partition reboot: GAP two on two nodes: share-missing",
            "data colocate: lost volume-name",
        ],
    },
    Mutant {
        name: "pin of the writer on Swarm",
        spec: WRITER,
        target: Target::Swarm,
        rules: &[Template(
            "swarm/stack.yml.j2",
            "          - {{ constraint }}",
            "          - node.role == worker",
        )],
        says: &["writer revisions partition reboot: GAP two on two nodes: pin", "writer update: lost pin"],
    },
    Mutant {
        name: "ingress for the writer",
        spec: WRITER,
        target: Target::Swarm,
        rules: &[Text("        mode: host", "        mode: ingress")],
        says: &[
            "writer relabel: GAP two on one node, two on two nodes: port",
            "writer revisions partition: GAP two on one node: port",
            "writer update: lost port",
        ],
    },
    Mutant {
        name: "start-first for the writer",
        spec: WRITER,
        target: Target::Swarm,
        rules: &[
            Template(
                "swarm/stack.yml.j2",
                "        order: {{ s.deploy.update.order }}",
                "        order: start-first",
            ),
            Text("        mode: host", "        mode: ingress"),
        ],
        says: &[
            "writer relabel: GAP two on one node, two on two nodes: port",
            "writer revisions partition: GAP two on one node: port",
            "writer update: GAP two on one node: port stop-first",
        ],
    },
];
