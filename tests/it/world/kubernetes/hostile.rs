//! No manifest makes the reader panic, hang or grow without bound.

use std::time::{Duration, Instant};

use super::{controller, deployment, read, stateful};
use crate::compile::hostile::{Random, bend};

#[test]
fn bent_manifests_never_panic_or_hang() {
    let page = |name: &str| {
        let path = crate::harness::root().join("golden").join(name).join("kubernetes.snap");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|l| if l.starts_with("////") { "---\n".into() } else { format!("{l}\n") })
            .collect::<String>()
    };
    let corpus: Vec<String> =
        ["zookeeper", "elasticsearch-data", "cockroachdb-cloud", "etcd"].map(page).into();
    let mut random = Random(0x5EED_0BE2_74C0_0005);
    let start = Instant::now();
    let (mut tried, mut workloads) = (0, 0);
    while tried < 1500 && start.elapsed() < Duration::from_secs(60) {
        let (text, other) = (&corpus[random.below(corpus.len())], &corpus[random.below(corpus.len())]);
        workloads += read(&bend(&mut random, text, other)).workloads.len();
        tried += 1;
    }
    assert!(tried > 100 && workloads > tried / 4, "{workloads} workloads in {tried} files");
}

#[test]
fn soup_is_read_past() {
    let words = [
        "kind: StatefulSet\n",
        "apiVersion: apps/v1\n",
        "spec:",
        "\n  ",
        "template:",
        "metadata: {name: a}\n",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "null",
        "labels",
        ": ",
        "\n",
        "volumes",
        "containers",
        "affinity",
        "*a",
        "&a ",
        "<<: ",
        "9999999999999999999",
        "-1",
        "\t",
        "\u{85}",
    ];
    let mut random = Random(0x5EED_0BE2_74C0_0006);
    for _ in 0..3000 {
        let text: String = (0..random.below(60)).map(|_| words[random.below(words.len())]).collect();
        read(&text);
    }
}

#[test]
fn many_and_large_manifests_take_bounded_time() {
    let pods = "containers: [{name: db, image: zookeeper, volumeMounts: [{name: data, mountPath: /d}]}]\n";
    let set = "replicas: 2000000000\nvolumeClaimTemplates: [{metadata: {name: data}}]";
    let numbered = |text: &str, n: usize| -> String {
        (0..n).map(|i| format!("{}---\n", text.replacen("name: db}", &format!("name: db{i}}}"), 1))).collect()
    };
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {selector: {}, maxUnavailable: 1}\n---\n";
    let huge = "x".repeat(1 << 20);
    let texts = [
        numbered(&stateful(set, pods), 1500),
        numbered(&deployment("replicas: 60", pods), 1000) + &budget.repeat(1000),
        numbered(
            &controller("apps/v1", "DaemonSet", "", pods)
                .replace("matchLabels: {app: db}", "matchExpressions: [{key: app, operator: Exists}]"),
            1500,
        ),
        deployment(
            "",
            &format!("containers: [{}]\n", "{name: a, image: mysql, ports: [{hostPort: 1}]},".repeat(10_000)),
        ),
        deployment("", pods).replace("app: db", &format!("app: {huge}")),
        "resources: [a.yaml]\n---\n".repeat(20_000),
    ];
    for (i, text) in texts.iter().enumerate() {
        let start = Instant::now();
        let path = if i == 5 { "kustomization.yaml" } else { "a.yaml" };
        super::files(&[(path, text)]);
        assert!(start.elapsed() < Duration::from_secs(60), "{:?} for text {i}", start.elapsed());
    }
    let world = read(&stateful(set, pods));
    assert!(world.workloads[0].members.len() == 64 && world.unread[0].what.contains("only the first 64"));
}
