//! Tests what `verify` tells of a change of files that berthc did not write.

use std::collections::BTreeSet;

use berthc::explain;
use berthc::explore::Bounds;
use berthc::finding::{Finding, Level, codes};
use berthc::images::Images;
use berthc::verify::{Settings, watched};
use berthc::world::File;

use super::told;

fn compared(old: &[(&str, &str)], new: &[(&str, &str)]) -> Vec<Finding> {
    fn files<'f>(all: &[(&'f str, &'f str)]) -> Vec<File<'f>> {
        all.iter().map(|(path, text)| File { path, text }).collect()
    }
    let (old, new) = (files(old), files(new));
    let known = Images::builtin().into();
    let settings = Settings { known, accepts: &[], bounds: Bounds::default(), against: &old };
    let all = watched(&new, settings, &mut |_| {}).findings;
    all.into_iter().filter(|f| f.code.to_string().starts_with("change-")).collect()
}

const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  serviceName: db
  replicas: 3
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      containers: [{ name: a, image: \"postgres:16\", volumeMounts: [{ name: data, mountPath: /var/lib/postgresql/data }] }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], storageClassName: fast, resources: { requests: { storage: 2Gi } } }
";
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: db }
spec:
  replicas: 1
  strategy: { type: Recreate }
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      nodeSelector: { disk: a, kubernetes.io/os: linux }
      containers: [{ name: a, image: \"postgres:16\", volumeMounts: [{ name: d, mountPath: /var/lib/postgresql/data }] }]
      volumes: [{ name: d, hostPath: { path: /mnt/db, type: Directory } }]
";
const STACK: &str = "services:
  db:
    image: postgres:16
    hostname: db
    volumes: [\"data:/var/lib/postgresql/data\"]
    deploy: { mode: replicated, placement: { constraints: [\"node.labels.disk == a\"] } }
volumes: { data: { name: shop-data, driver: one, driver_opts: { size: 2 } } }
";
const UNIT: &str = "[Service]
ExecStartPre=-/usr/bin/docker rm -f db
ExecStart=/usr/bin/docker run --name db -v /mnt/db:/var/lib/postgresql/data postgres:16
ExecStop=/usr/bin/docker stop db
[X-Fleet]
MachineMetadata=disk=a
";

/// An old file, the text in it and what takes its place, and the findings: code, level, message, fix.
type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], &'c [(&'c str, Level, &'c str, &'c str)]);

const BAD: Level = Level::Violation;
const NOTE: Level = Level::Note;

const CASES: &[Case<'_>] = &[
    // The same to the API server.
    (
        "a.yaml",
        SET,
        &[("2Gi", "2048Mi"), ("  replicas: 3", "  podManagementPolicy: OrderedReady\n  replicas: 3")],
        &[],
    ),
    ("a.yaml", SET, &[("postgres:16", "postgres:16.1"), ("replicas: 3", "replicas: 4")], &[]),
    (
        "a.yaml",
        SET,
        &[(
            "- metadata: { name: data }",
            "- apiVersion: v1\n    kind: PersistentVolumeClaim\n    metadata: { name: data, creationTimestamp: null }\n    status: { phase: Pending }",
        )],
        &[],
    ),
    (
        "a.yaml",
        SET,
        &[("{ name: data", "{ name: store")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "starts without data in the volume store-db-0, and its data stays in the volume data-db-0 and 2 more",
            "kubectl apply -f a.yaml",
        )],
    ),
    (
        "a.yaml",
        SET,
        &[("serviceName: db", "serviceName: other")],
        &[(
            codes::CHANGE_REFUSED,
            BAD,
            "refuses the new spec.serviceName of statefulset/db",
            "delete statefulset/db --cascade=orphan",
        )],
    ),
    (
        "a.yaml",
        SET,
        &[("app: db", "app: other")],
        &[(codes::CHANGE_REFUSED, BAD, "refuses the new spec.selector", "--cascade=foreground")],
    ),
    (
        "a.yaml",
        SET,
        &[("fast", "slow")],
        &[(codes::CHANGE_REFUSED, BAD, "refuses the new spec.volumeClaimTemplates", "--cascade=orphan")],
    ),
    (
        "a.yaml",
        SET,
        &[("2Gi", "4Gi")],
        &[(
            codes::CHANGE_REFUSED,
            BAD,
            "refuses the new spec.volumeClaimTemplates",
            "seq 0 2); do kubectl -n shop patch pvc data-db-$i",
        )],
    ),
    (
        "a.yaml",
        SET,
        &[("2Gi", "1Gi")],
        &[(
            codes::CHANGE_REFUSED,
            BAD,
            "refuses the new spec.volumeClaimTemplates",
            "the old size of data, 2Gi",
        )],
    ),
    (
        "a.yaml",
        SET,
        &[("replicas: 3", "replicas: 1")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "loses members 1-2, with the data in the volume data-db-1 and 1 more",
            "leave the cluster",
        )],
    ),
    ("a.yaml", SET, &[("replicas: 3", "replicas: 0")], &[]),
    (
        "a.yaml",
        SET,
        &[("namespace: shop", "namespace: prod")],
        &[(codes::CHANGE_DATA, BAD, "leaves the namespace shop", "kubectl patch pv")],
    ),
    (
        "a.yaml",
        SET,
        &[("metadata: { name: db,", "metadata: { name: pg,")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "statefulset/pg takes the place of statefulset/db: both would run, and the data stays in the volume data-db-0",
            "kubectl apply -f a.yaml",
        )],
    ),
    (
        "a.yaml",
        DEPLOYMENT,
        &[("image: \"postgres:16\"", "image: \"postgres:16.1\""), ("kubernetes.io/os: linux", "x: y")],
        &[],
    ),
    (
        "a.yaml",
        DEPLOYMENT,
        &[("/mnt/db", "/mnt/other")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "starts on /mnt/other, and its data stays in /mnt/db",
            "mv /mnt/db /mnt/other",
        )],
    ),
    (
        "a.yaml",
        DEPLOYMENT,
        &[("disk: a", "disk: b")],
        &[(codes::CHANGE_DATA, BAD, "its data stays on the nodes with `disk`", "the new label")],
    ),
    (
        "a.yaml",
        DEPLOYMENT,
        &[("metadata: { name: db }", "metadata: { name: pg }")],
        &[(
            codes::CHANGE_RUNNING,
            BAD,
            "deployment/pg takes the place of deployment/db, which nothing stops: both would run on /mnt/db",
            "delete deployment/db --cascade=foreground; then kubectl apply -f a.yaml",
        )],
    ),
    (
        "a.yaml",
        DEPLOYMENT,
        &[
            ("metadata: { name: db }", "metadata: { name: web }"),
            ("postgres:16", "nginx:1"),
            ("/mnt/db", "/mnt/web"),
        ],
        &[(
            codes::CHANGE_RUNNING,
            NOTE,
            "no file has deployment/db any more: it keeps running, with its data in /mnt/db",
            "delete deployment/db",
        )],
    ),
    ("a.yml", STACK, &[("postgres:16", "postgres:16.1"), ("mode: replicated, ", "")], &[]),
    (
        "a.yml",
        STACK,
        &[("shop-data", "pg-data")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "starts without data in the volume pg-data, and its data stays in the volume shop-data",
            "docker service scale STACK_db=0",
        )],
    ),
    (
        "a.yml",
        STACK,
        &[("driver: one", "driver: two")],
        &[(codes::CHANGE_DATA, BAD, "names another backend than one", "copy the data")],
    ),
    (
        "a.yml",
        STACK,
        &[("size: 2", "size: 4")],
        &[(
            codes::CHANGE_REFUSED,
            BAD,
            "docker will keep the old options of the volume shop-data",
            "docker volume inspect shop-data",
        )],
    ),
    (
        "a.yml",
        STACK,
        &[("mode: replicated", "mode: global")],
        &[(
            codes::CHANGE_REFUSED,
            BAD,
            "docker stack deploy will refuse the new mode of the service db",
            "docker service rm STACK_db",
        )],
    ),
    (
        "a.yml",
        STACK,
        &[("  db:", "  pg:")],
        &[(
            codes::CHANGE_RUNNING,
            BAD,
            "pg takes the place of db, which nothing stops: both would run on the volume shop-data",
            "docker service rm STACK_db",
        )],
    ),
    ("db.service", UNIT, &[("postgres:16", "postgres:16.1")], &[]),
    (
        "db.service",
        UNIT,
        &[("/mnt/db", "/mnt/other")],
        &[(
            codes::CHANGE_DATA,
            BAD,
            "starts on /mnt/other, and its data stays in /mnt/db",
            "mv /mnt/db /mnt/other",
        )],
    ),
    (
        "db.service",
        UNIT,
        &[("disk=a", "disk=b")],
        &[(codes::CHANGE_DATA, BAD, "its data stays on the nodes with `disk`", "new metadata")],
    ),
    (
        "db.service",
        UNIT,
        &[(" db\n", " pg\n"), ("--name db", "--name pg")],
        &[(
            codes::CHANGE_RUNNING,
            NOTE,
            "names its container pg: its start no longer ends a container db",
            "docker ps shows no db",
        )],
    ),
];

#[test]
fn a_change_tells_what_it_leaves() {
    let mut wrong = String::new();
    let mut shown = BTreeSet::new();
    for (path, old, changes, wanted) in CASES {
        let new = changes.iter().fold((*old).to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let found = compared(&[(&format!("OLD:./{path}"), old)], &[(path, &new)]);
        let fits = |(f, (code, level, message, fix)): (&Finding, &(&str, Level, &str, &str))| {
            shown.insert(f.code.to_string());
            assert!(explain::page(code).is_some(), "{code}");
            f.code == *code && f.level == *level && f.message.contains(message) && f.fix.contains(fix)
        };
        if found.len() != wanted.len() || !found.iter().zip(*wanted).all(fits) {
            wrong.push_str(&format!("{path} {changes:?}\n"));
            found.iter().for_each(|f| wrong.push_str(&format!("{:?} {}", f.level, told(f))));
        }
        for at in found.iter().flat_map(|f| &f.at) {
            let text = if at.file.starts_with("OLD:") { old } else { new.as_str() };
            assert!(at.line >= 1 && at.line <= text.lines().count(), "{at:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let all = [codes::CHANGE_DATA, codes::CHANGE_REFUSED, codes::CHANGE_RUNNING];
    assert_eq!(shown, all.into_iter().map(ToOwned::to_owned).collect());
}

#[test]
fn an_object_may_be_in_another_file_and_a_list() {
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", SET.trim_end().replace('\n', "\n  "));
    assert_eq!(compared(&[("live.yaml", &list)], &[("a.yaml", SET)]), Vec::new());
    let other = SET.replace("serviceName: db", "serviceName: pg");
    let found = compared(&[("live.yaml", &list)], &[("a.yaml", DEPLOYMENT), ("b.yaml", &other)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&*found[0].at[0].file, found[0].at[0].line), ("b.yaml", 5));
}

#[test]
fn a_claim_and_a_config_do_not_change() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: a }\nspec: { accessModes: [ReadWriteOnce], storageClassName: fast, volumeName: pv-1 }\n";
    let config = "apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: { name: a }\ndata: { a: b }\n";
    for (old, from, to, wanted) in [
        (claim, "fast", "slow", Some("spec.storageClassName of persistentvolumeclaim/a")),
        (claim, ", storageClassName: fast, volumeName: pv-1", "", None),
        (claim, "ReadWriteOnce", "ReadWriteMany", Some("spec.accessModes")),
        (config, "a: b", "a: c", Some("data of configmap/a")),
    ] {
        let new = old.replace(from, to);
        let found = compared(&[("a.yaml", old)], &[("a.yaml", &new)]);
        assert_eq!(found.len(), usize::from(wanted.is_some()), "{from} {found:#?}");
        assert!(found.iter().all(|f| f.message.contains(wanted.unwrap())), "{found:#?}");
    }
}

#[test]
fn a_comment_accepts_a_change() {
    let new = SET.replace("replicas: 3", "replicas: 2");
    assert_eq!(compared(&[("a.yaml", SET)], &[("a.yaml", &new)]).len(), 1);
    let new = format!("# berthc: accept change-data because db-2 has left\n{new}");
    assert_eq!(compared(&[("a.yaml", SET)], &[("a.yaml", &new)]), Vec::new());
}
