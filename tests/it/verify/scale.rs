//! Tests many files, large files and random files: a whole run ends within the bounds of the search.

use std::fmt::Write as _;

use berthc::explore::{Bounds, search};
use berthc::images::Images;
use berthc::verify::{Progress, Settings, Verified, verify, watched};
use berthc::world::File;

use crate::harness::Random;
use crate::world::swarm::emitted;

fn run(files: &[(String, String)]) -> Verified {
    let files: Vec<File> = files.iter().map(|(path, text)| File { path, text }).collect();
    let verified = verify(&files, Bounds::default());
    for searched in &verified.searched {
        assert!(searched.states <= searched.scenarios * search::MOST, "{searched:?}");
    }
    verified
}

/// Returns 300 StatefulSets with their own volumes, 300 stack files and 400 units.
fn folder() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for i in 0..300 {
        let mut text = format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{ name: db{i} }}\nspec:\n  serviceName: db{i}\n  replicas: 3\n  selector: {{ matchLabels: {{ app: db{i} }} }}\n  template:\n    metadata: {{ labels: {{ app: db{i} }} }}\n    spec:\n      terminationGracePeriodSeconds: 60\n      containers: [{{ name: db, image: cassandra:4, volumeMounts: [{{ name: data, mountPath: /var/lib/cassandra }}] }}]\n  volumeClaimTemplates: [{{ metadata: {{ name: data }}, spec: {{ accessModes: [ReadWriteOncePod], storageClassName: local }} }}]\n"
        );
        for n in 0..3 {
            let _ = write!(
                text,
                "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{ name: db{i}-{n} }}\nspec:\n  storageClassName: local\n  claimRef: {{ namespace: default, name: data-db{i}-{n} }}\n  local: {{ path: /mnt/db{i}-{n} }}\n  nodeAffinity: {{ required: {{ nodeSelectorTerms: [{{ matchExpressions: [{{ key: kubernetes.io/hostname, operator: In, values: [n{n}] }}] }}] }} }}\n"
            );
        }
        files.push((format!("k8s/{i}.yaml"), text));
        let stack = format!(
            "services:\n  zk{i}:\n    image: zookeeper:3.9\n    stop_grace_period: 60s\n    volumes: [\"/mnt/zk{i}:/data\"]\n    ports: [{{ target: 2181, published: {}, mode: host }}]\n    deploy: {{ placement: {{ constraints: [\"node.labels.zk == {i}\"] }} }}\n",
            2000 + i
        );
        files.push((format!("swarm/{i}.yml"), stack));
    }
    for i in 0..400 {
        let (family, n) = (i / 4, i % 4);
        let text = format!(
            "[Service]\nExecStartPre=-/usr/bin/docker rm es-{family}-{n}\nExecStart=/usr/bin/docker run --name es-{family}-{n} -v /mnt/es-{family}-{n}:/usr/share/elasticsearch/data elasticsearch:8\nExecStop=/usr/bin/docker stop -t 60 es-{family}-{n}\nTimeoutStopSec=90\n[X-Fleet]\nConflicts=es{family}@*.service\nMachineMetadata=es={n}\n"
        );
        files.push((format!("fleet/es{family}@{n}.service"), text));
    }
    files
}

#[test]
fn a_thousand_files_are_searched_completely() {
    let files = folder();
    if let Some(dir) = std::env::var_os("BERTHC_SCALE_DIR") {
        let all: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        crate::harness::files(dir.as_ref(), &all);
    }
    let verified = run(&files);
    let workloads: Vec<usize> = verified.searched.iter().map(|s| s.workloads).collect();
    assert_eq!((files.len(), workloads.iter().sum::<usize>()), (1000, 1000), "{workloads:?}");
}

#[test]
fn progress_is_reported() {
    let files = folder();
    let files: Vec<File> = files[..20].iter().map(|(path, text)| File { path, text }).collect();
    let mut told = Vec::new();
    let settings =
        Settings { known: Images::builtin().into(), accepts: &[], bounds: Bounds::default(), against: &[] };
    watched(&files, settings, &mut |progress| told.push(progress));
    assert_eq!(told.iter().filter(|p| **p == Progress::Reading(10)).count(), 2, "{told:?}");
    assert!(told.iter().any(|p| matches!(p, Progress::Searching(0, n) if *n >= 10)), "{told:?}");
    assert!(told.iter().all(|p| !matches!(p, Progress::Searching(done, of) if done >= of)), "{told:?}");
}

/// Returns a text with removed, repeated, swapped or foreign lines and pieces.
fn bend(random: &mut Random, text: &str, other: &str) -> String {
    const PIECES: [&str; 12] =
        ["%i", "{{.Task.Slot}}", "\0", "é😀", "*", "[", "{", "\"", "999999999999", "replicas: 9", ": ", "- "];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let others: Vec<&str> = other.lines().collect();
    for _ in 0..=random.below(5) {
        let at = random.below(lines.len());
        match random.below(5) {
            0 if !lines.is_empty() => drop(lines.remove(at)),
            1 if !lines.is_empty() => lines.insert(at, lines[at].clone()),
            2 if !others.is_empty() => lines.insert(at, others[random.below(others.len())].to_owned()),
            3 if !lines.is_empty() => {
                let to = random.below(lines.len());
                lines.swap(at, to);
            }
            _ => {
                if let Some(line) = lines.get_mut(at) {
                    let ends: Vec<usize> = line.char_indices().map(|(i, _)| i).collect();
                    let cut = ends.get(random.below(ends.len())).copied().unwrap_or_default();
                    line.insert_str(cut, PIECES[random.below(PIECES.len())]);
                }
            }
        }
    }
    lines.join("\n")
}

#[test]
fn changed_files_of_all_orchestrators_never_panic() {
    let files: Vec<(String, String)> = emitted::trees().into_iter().flatten().collect();
    let of = |folder: &str| -> Vec<&(String, String)> {
        files.iter().filter(|(path, _)| path.contains(folder)).collect()
    };
    let all = [of("/kubernetes/"), of("/swarm/"), of("/fleet/")];
    assert!(all.iter().all(|files| files.len() > 5), "{:?}", files.iter().map(|f| &f.0).collect::<Vec<_>>());
    let mut searched = 0;
    for seed in 1..=200u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bent = Vec::new();
        for files in &all {
            for _ in 0..3 {
                let (path, text) = files[random.below(files.len())];
                let (_, other) = files[random.below(files.len())];
                bent.push((path.clone(), bend(&mut random, text, other)));
            }
        }
        searched += run(&bent).searched.len();
    }
    assert!(searched > 500, "{searched}");
}

#[test]
fn hostile_files_are_searched_within_bounds() {
    let one = |path: &str, text: String| vec![(path.to_owned(), text)];
    let head = "apiVersion: v1\nkind: List\nservices:\n";
    let bomb: String =
        (1..40).map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}, *a{0}]\n", i - 1)).collect();
    let services: String =
        (0..10_000).map(|i| format!("  s{i}: {{ image: a, volumes: [\"/srv/d:/d\"] }}\n")).collect();
    let waived = "# berthc: accept x because y\n".repeat(50_000);
    let all = [
        one("a.yaml", format!("{head}{}", "  - { a: b, c: [1, 2, 3] }\n".repeat(380_000))),
        one("a.yaml", "apiVersion: v1\nkind: Pod\n---\n".repeat(100_000)),
        one("a.yaml", format!("{head}  a: {}", "[".repeat(50_000))),
        one("a.yaml", format!("{head}  a: {}{}", "{a: ".repeat(50_000), "}".repeat(50_000))),
        one("a.yml", format!("services: {{}}\na0: &a0 [x]\n{bomb}")),
        one("a.yaml", format!("apiVersion: v1\nkind: Pod\na0: &a0 [x]\n{bomb}")),
        one(
            "a.service",
            format!("[Service]\nExecStart=/usr/bin/docker run {} img\n", "-v /a:/b ".repeat(550_000)),
        ),
        one("a.service", format!("[Service]\nExecStart={}\n", "x".repeat(5 << 20))),
        one("a.yml", format!("{waived}services:\n{services}")),
    ];
    for files in all {
        run(&files);
    }
}

/// Thousands of budgets, each for one workload, with the labels of their selectors in any order.
#[test]
fn many_budgets_cause_no_false_finding() {
    let mut text = String::new();
    for i in 0..2000 {
        let _ = write!(
            text,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: d{i} }}\nspec:\n  selector: {{ matchLabels: {{ a: all, b: n{i} }} }}\n  template: {{ metadata: {{ labels: {{ a: all, b: n{i} }} }}, spec: {{ containers: [{{ name: c, image: web }}] }} }}\n---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{ name: d{i} }}\nspec: {{ maxUnavailable: 1, selector: {{ matchLabels: {{ a: all, b: n{i} }} }} }}\n"
        );
    }
    let found = verify(&[File { path: "all.yaml", text: &text }], Bounds::default());
    assert_eq!((found.findings.len(), found.unread.len()), (0, 0), "{:?}", found.findings.first());
    // An index does not help with these selectors: the reader reports that it stopped, and makes no
    // finding.
    let loose = text.replace("{ maxUnavailable: 1, selector: { matchLabels: { a: all, b: n", "{ maxUnavailable: 1, selector: { matchExpressions: [{ key: a, operator: Exists }, { key: b, operator: NotIn, values: [n0] }] } } #");
    let found = verify(&[File { path: "all.yaml", text: &loose }], Bounds::default());
    let nothing = found.findings.iter().filter(|f| f.code == "rule-matches-nothing").count();
    assert_eq!(nothing, 0);
    assert!(
        found.unread.iter().any(|u| u.what.contains("some rules were not checked")),
        "{:?}",
        found.unread.len()
    );
}
