//! Tests that `verify` finds nothing in the output for valid specs.

use berthc::finding::codes::SINGLE;

use super::*;

#[test]
fn every_emitted_spec_verifies_without_findings() {
    for folder in FOLDERS {
        let tree = compiled(folder).tree.unwrap();
        let all = verified(&tree, "", 2, false);
        whole(&all);
        assert_eq!(all.searched.len(), 3, "{folder}");
        let broken: Vec<String> =
            all.findings.iter().filter(|f| f.level == Level::Violation).map(told).collect();
        assert!(all.holds() && broken.is_empty(), "{folder}:\n{}", broken.join("\n"));
        assert_eq!(all.unread, [], "{folder}");
        // If two mechanisms are available, the output has both.
        let single: Vec<String> = all.findings.iter().filter(|f| f.code == SINGLE).map(told).collect();
        assert!(single.is_empty(), "{folder}:\n{}", single.join("\n"));
        // Every accepted finding has the reason of the spec.
        assert!(!all.accepted.is_empty(), "{folder}");
    }
}

#[test]
fn forced_actions_add_only_findings_of_force() {
    for folder in FOLDERS {
        let tree = compiled(folder).tree.unwrap();
        let all = verified(&tree, "", 2, true);
        whole(&all);
        let codes = codes(&all.findings, Level::Violation);
        assert!(!codes.is_empty(), "{folder}: force breaks nothing");
        let other: Vec<&String> = codes.iter().filter(|c| !c.ends_with("/force")).collect();
        assert!(other.is_empty(), "{folder}: {other:?}");
    }
}

/// Checks that an acceptance in one file hides nothing in another file.
#[test]
fn an_acceptance_applies_only_to_its_own_file() {
    let stack = |name: &str| {
        format!(
            "version: \"3.8\"\nservices:\n  {name}:\n    image: postgres:16\n    volumes: [\"/srv/{name}:/var/lib/postgresql/data\"]\n"
        )
    };
    let codes = ["move", "partition", "reboot", "revisions", "update"].map(|h| format!("swarm/data/{h}"));
    let accepts: String = codes.iter().map(|c| format!("# berthc: accept {c} because by hand\n")).collect();
    let (own, other) = (format!("{accepts}{}", stack("db-1")), stack("db-2"));
    for (first, second) in [("a.yml", "b.yml"), ("z.yml", "b.yml")] {
        let files = [File { path: first, text: &own }, File { path: second, text: &other }];
        let found = verify(&files, Bounds::default());
        let open = self::codes(&found.findings, Level::Violation);
        assert!(codes.iter().all(|c| open.contains(c)), "{open:?}");
        let mut broken = found.findings.iter().filter(|f| f.level == Level::Violation);
        assert!(broken.all(|f| &*f.at[0].file == second), "{:#?}", found.findings);
        assert!(found.accepted.iter().all(|a| &*a.finding.at[0].file == first));
        assert!(found.accepted.len() >= 4);
    }
}

/// A label that a cloud provider sets, or that names a class of nodes, is no pin.
#[test]
fn labels_that_many_nodes_have_are_no_pin() {
    let pod = |key: &str, value: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{ name: db }}\nspec:\n  replicas: 1\n  serviceName: db\n  \
             selector: {{ matchLabels: {{ app: db }} }}\n  template:\n    metadata: {{ labels: {{ app: db }} }}\n    spec:\n      \
             nodeSelector: {{ {key}: \"{value}\" }}\n      containers:\n        - {{ name: db, image: \"postgres:17\", volumeMounts: [{{ name: d, mountPath: /var/lib/postgresql/data }}] }}\n      \
             volumes: [{{ name: d, hostPath: {{ path: /srv/db, type: Directory }} }}]\n"
        )
    };
    let holds =
        |key, value| verify(&[File { path: "a.yaml", text: &pod(key, value) }], Bounds::default()).holds();
    for key in [
        "cloud.google.com/gke-nodepool",
        "eks.amazonaws.com/nodegroup",
        "kubernetes.azure.com/agentpool",
        "node.kubernetes.io/instance-type",
        "karpenter.sh/capacity-type",
        "kubernetes.io/role",
        "disktype",
        "example.com/pool",
        "rack",
    ] {
        assert!(!holds(key, "x"), "{key} is taken for a pin");
    }
    assert!(!holds("rack", "1"));
    for (key, value) in [
        ("kubernetes.io/hostname", "n1"),
        ("db", "1"),
        ("db-disk", "1"),
        ("db.role", "data1"),
        ("postgres", "true"),
    ] {
        assert!(holds(key, value), "{key} is no pin");
    }
}

/// If one container holds a directory as data, it is data for all, wherever they mount it.
#[test]
fn a_data_directory_of_one_member_is_data_for_all() {
    let stack = "version: \"3.8\"\nservices:\n  db:\n    image: postgres:16\n    volumes: [\"/srv/db:/var/lib/postgresql/data\"]\n    \
                 deploy: { placement: { constraints: [\"node.labels.db == 1\"] } }\n    ports: [{ target: 5432, published: 5432, mode: host }]\n  \
                 web:\n    image: example/web\n    volumes: [\"/srv/db:/etc/pgdata\"]\n";
    let found = verify(&[File { path: "a.yml", text: stack }], Bounds::default());
    assert!(
        codes(&found.findings, Level::Violation).contains("swarm/data/neighbour"),
        "{:#?}",
        found.findings
    );
    let read_only = stack.replace("/etc/pgdata", "/etc/pgdata:ro");
    assert!(verify(&[File { path: "a.yml", text: &read_only }], Bounds::default()).holds());
}

/// Checks that a file for no orchestrator is listed, and that formatted JSON is a stack file.
#[test]
fn ignored_files_are_listed() {
    let json = "{\n  \"services\": {\n    \"db\": {\"image\": \"postgres\", \"volumes\": [\"/srv/db:/var/lib/postgresql/data\"]}\n  }\n}\n";
    let values = File { path: "values.yaml", text: "image: postgres\n" };
    let found = verify(&[File { path: "a.json", text: json }, values], Bounds::default());
    assert_eq!(found.passed, ["values.yaml"]);
    assert!(codes(&found.findings, Level::Violation).contains("swarm/data/move"), "{:#?}", found.findings);
}

/// The limit is 55 s, not the 60 s of stop-first: the node signals the old task late.
#[test]
fn a_stack_with_a_grace_above_55_s_is_a_violation() {
    let found = |grace: &str| {
        let stack = format!(
            "version: \"3.8\"\nservices:\n  db-1:\n    image: postgres:16\n    stop_grace_period: {grace}\n    \
             volumes: [{{ type: bind, source: /mnt/d1/db-1, target: /var/lib/postgresql/data }}]\n    \
             deploy: {{ placement: {{ constraints: [\"node.labels.db == 1\"] }}, update_config: {{ order: stop-first }} }}\n"
        );
        codes(&verify(&[File { path: "a.yml", text: &stack }], Bounds::default()).findings, Level::Violation)
    };
    for (grace, overlaps) in [("55s", false), ("56s", true), ("1m", true)] {
        assert_eq!(found(grace).contains("swarm/data/update"), overlaps, "{grace}: {:?}", found(grace));
    }
}

/// No controller updates several members by itself, because since Kubernetes 1.37 that may stop all
/// of them.
#[test]
fn no_emitted_update_stops_a_quorum() {
    let together = |tree: &Tree| {
        let found = verified(tree, "/kubernetes/", 2, false).findings;
        let told = found.into_iter().filter(|f| f.code == "update-together");
        told.flat_map(|f| std::iter::once(f.message).chain(f.alike.into_iter().map(|a| a.message)))
            .collect::<Vec<_>>()
    };
    let tree = compiled("specs").tree.unwrap();
    assert_eq!(together(&tree), Vec::<String>::new());
    let rolled = |text: &String| text.replace("type: OnDelete", "type: RollingUpdate");
    let tree: Tree = tree.iter().map(|(path, text)| (path.clone(), rolled(text))).collect();
    let found = together(&tree).join("\n");
    for name in ["etcd", "zookeeper", "kafka", "cockroachdb"] {
        assert!(found.contains(&format!("statefulset/{name}")), "{name}:\n{found}");
    }
}
