//! No manifest makes the reader panic, hang or grow without bound.

use super::{files, read, stateful};
use crate::compile::hostile::bend;
use crate::harness::{self, Random};
use crate::hostile;

#[test]
fn changed_manifests_never_panic_or_hang() {
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
    let (tried, mut workloads) = (1000, 0);
    for _ in 0..tried {
        let (text, other) = (&corpus[random.below(corpus.len())], &corpus[random.below(corpus.len())]);
        workloads += read(&bend(&mut random, text, other)).workloads.len();
    }
    assert!(workloads > tried / 4, "{workloads} workloads in {tried} files");
}

#[test]
fn random_text_is_skipped() {
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
fn a_world_grows_with_its_manifests() {
    harness::grows_with_its_text(read, hostile::manifests);
    let bases = |n: usize| vec!["resources: [a.yaml]\n---\n".repeat(5000 * n)];
    harness::grows_with_its_text(|text| files(&[("kustomization.yaml", text)]), bases);
    let pods = "containers: [{name: db, image: zookeeper, volumeMounts: [{name: data, mountPath: /d}]}]\n";
    let world =
        read(&stateful("replicas: 2000000000\nvolumeClaimTemplates: [{metadata: {name: data}}]", pods));
    assert!(world.workloads[0].members.len() == 64 && world.unread[0].what.contains("only the first 64"));
}
