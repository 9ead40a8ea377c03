//! Tests what counts as data, which is the same for every orchestrator.

use std::sync::Arc;

use berthc::explore::Bounds;
use berthc::finding::Level;
use berthc::images::{Container, Images, Software};
use berthc::verify::{Verified, verify};
use berthc::world::File;
use berthc::world::data_mounts::{is_data, only_reads};

/// Returns the software of a container of `image` that is started with `command`.
fn software(image: &str, command: &[&str]) -> Option<Arc<Software>> {
    Images::builtin().find(&Container { image, command: command.to_vec(), ..Container::default() })
}

fn search(files: &[(&str, String)]) -> Verified {
    let files: Vec<File> = files.iter().map(|(path, text)| File { path, text }).collect();
    let verified = verify(&files, Bounds::default());
    assert!(verified.searched.iter().map(|s| s.workloads).sum::<usize>() > 0, "{verified:?}");
    verified
}

/// Returns the codes of the violations.
fn broken(files: &[(&str, String)]) -> Vec<String> {
    let violations = search(files).findings.into_iter().filter(|f| f.level == Level::Violation);
    violations.flat_map(|f| f.codes().map(|code| code.to_string()).collect::<Vec<_>>()).collect()
}

/// Returns a controller of `kind` whose container has these volumes: the path on the node, and in
/// the container.
fn pods(kind: &str, name: &str, image: &str, replicas: u32, volumes: &[(&str, &str)]) -> String {
    let count = if kind == "DaemonSet" { String::new() } else { format!("  replicas: {replicas}\n") };
    let mut text = format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n{count}  selector: {{ matchLabels: {{ app: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: {name} }} }}\n    spec:\n      containers:\n        - name: main\n          image: {image}\n          volumeMounts:\n            - {{ name: none, mountPath: /none }}\n"
    );
    for (i, (_, target)) in volumes.iter().enumerate() {
        text.push_str(&format!("            - {{ name: v{i}, mountPath: {target} }}\n"));
    }
    text.push_str("      volumes:\n        - { name: none, emptyDir: {} }\n");
    for (i, (source, _)) in volumes.iter().enumerate() {
        let volume = match source.strip_prefix("claim ") {
            Some(claim) => format!("persistentVolumeClaim: {{ claimName: {claim} }}"),
            None => format!("hostPath: {{ path: {source} }}"),
        };
        text.push_str(&format!("        - {{ name: v{i}, {volume} }}\n"));
    }
    text
}

fn service(name: &str, image: &str, deploy: &str, volumes: &[(&str, &str)]) -> String {
    let mut text = format!("  {name}:\n    image: {image}\n    deploy: {{ {deploy} }}\n    volumes:\n");
    for (source, target) in volumes {
        text.push_str(&format!("      - \"{source}:{target}\"\n"));
    }
    text
}

fn unit(name: &str, image: &str, x_fleet: &str, volumes: &[(&str, &str)]) -> String {
    let volumes: String = volumes.iter().map(|(source, target)| format!("-v {source}:{target} ")).collect();
    format!(
        "[Service]\nExecStartPre=-/usr/bin/docker rm {name}\nExecStart=/usr/bin/docker run --rm --name {name} {volumes}{image}\nExecStop=/usr/bin/docker stop -t 60 {name}\nTimeoutStopSec=90\n[X-Fleet]\n{x_fleet}\n"
    )
}

const SOCKET: (&str, &str) = ("/var/run/docker.sock", "/var/run/docker.sock");

#[test]
fn agents_and_proxies_have_no_findings() {
    let agents: [(&str, &[(&str, &str)]); 12] = [
        ("nginx:1.27", &[("/mnt/web/pages", "/srv/pages")]),
        (
            "fluent/fluentd-kubernetes-daemonset:v1",
            &[("/var/log", "/var/log"), ("/var/lib/docker/containers", "/var/lib/docker/containers")],
        ),
        (
            "quay.io/prometheus/node-exporter:v1.8",
            &[("/proc", "/host/proc"), ("/sys", "/host/sys"), ("/", "/rootfs")],
        ),
        (
            "gcr.io/cadvisor/cadvisor:v0.49",
            &[
                ("/", "/rootfs"),
                ("/var/run", "/var/run"),
                ("/sys", "/sys"),
                ("/var/lib/docker", "/var/lib/docker"),
                ("/dev/disk", "/dev/disk"),
            ],
        ),
        (
            "docker.elastic.co/beats/filebeat:8.1",
            &[("/var/lib/filebeat-data", "/usr/share/filebeat/data"), ("/var/log", "/var/log"), SOCKET],
        ),
        (
            "datadog/agent:7",
            &[
                SOCKET,
                ("/opt/datadog-agent/run", "/opt/datadog-agent/run"),
                ("/sys/fs/cgroup", "/host/sys/fs/cgroup"),
            ],
        ),
        ("grafana/promtail:3", &[("/data/promtail", "/run/promtail"), ("/var/log/pods", "/var/log/pods")]),
        ("portainer/agent:2.19", &[SOCKET, ("/var/lib/docker/volumes", "/var/lib/docker/volumes")]),
        (
            "traefik:v3",
            &[
                SOCKET,
                ("/srv/traefik/traefik.yml", "/etc/traefik/traefik.yml"),
                ("/srv/traefik/acme.json", "/acme.json"),
            ],
        ),
        (
            "docker.io/calico/node:v3",
            &[
                ("/lib/modules", "/lib/modules"),
                ("/var/lib/calico", "/var/lib/calico"),
                ("/opt/cni/bin", "/host/opt/cni/bin"),
                ("/etc/cni/net.d", "/host/etc/cni/net.d"),
            ],
        ),
        (
            "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2",
            &[
                ("/var/lib/kubelet/plugins_registry", "/registration"),
                ("/var/lib/kubelet/plugins/x", "/csi"),
                ("/dev", "/dev"),
            ],
        ),
        (
            "example/web:1",
            &[
                ("/srv/web/nginx.conf", "/nginx.conf"),
                ("/usr/share/zoneinfo", "/usr/share/zoneinfo"),
                ("/etc/localtime", "/etc/localtime"),
            ],
        ),
    ];
    for (image, volumes) in agents {
        for (kind, mode) in [("DaemonSet", "mode: global"), ("Deployment", "replicas: 2")] {
            let manifest = pods(kind, "agent", image, 2, volumes);
            assert_eq!(broken(&[("a.yaml", manifest)]), [""; 0], "{kind} {image}");
            let stack = format!("services:\n{}", service("agent", image, mode, volumes));
            assert_eq!(broken(&[("a.yml", stack)]), [""; 0], "{mode} {image}");
        }
        let global = unit("agent", image, "Global=true", volumes);
        assert_eq!(broken(&[("agent.service", global)]), [""; 0], "fleet {image}");
    }
}

#[test]
fn a_mount_counts_as_data_by_its_path_and_image() {
    let mysql = software("mysql:8", &[]);
    for (path, target, data) in [
        ("/mnt/d1/zk", "/data", true),
        ("/data", "/data", true),
        ("/var/lib/mysql/", "/var/lib/mysql", true),
        ("/srv/example.com", "/srv", true),
        ("/var/lib/docker/volumes/db/_data", "/data", true),
        ("", "/data", true),
        ("/dev/shm", "/dev/shm", false),
        ("/mnt/shm", "/dev/shm", true),
        ("/", "/host", false),
        ("/var/lib/docker/volumes", "/v", false),
        ("/srv/etc", "/etc/x", false),
        ("/runner", "/runner", true),
        ("/run", "/x", false),
        ("/srv/my.cnf", "/my.cnf", false),
        ("", "/var/log/app", false),
        ("/usr/local/db", "/db", false),
    ] {
        assert_eq!(is_data(path, target, None), data, "{path} at {target}");
    }
    assert!(is_data("/usr/local/db", "/var/lib/mysql", mysql.as_deref()));
    assert!(!is_data("/var/run/mysqld", "/var/run/mysqld", mysql.as_deref()));
    assert!(!is_data("/srv/init.sql", "/var/lib/mysql/init.sql", mysql.as_deref()));
    for (image, reads) in [
        ("docker.elastic.co/beats/filebeat:8", true),
        ("nginx:1.27-alpine", true),
        ("registry.local/library/httpd:2.4", true),
        ("example/agent:1", false),
        ("example/nginx:1", false),
        ("wordpress:cli", false),
    ] {
        assert_eq!(only_reads(image, Images::builtin()), reads, "{image}");
    }
}

#[test]
fn other_programs_of_an_image_keep_no_data() {
    let name = |image: &str, command: &[&str]| software(image, command).map(|s| s.name.clone());
    let cases: [(&str, &[&str], Option<&str>); 14] = [
        ("mongo:7", &["mongod", "--configsvr"], Some("mongodb")),
        ("mongo:7", &["mongos", "--configdb", "c/a:27017"], None),
        ("mongo:7", &["docker-entrypoint.sh", "mongos"], None),
        ("mongo:7", &["docker-entrypoint.sh", "mongod"], Some("mongodb")),
        ("mongo:7", &["--replSet", "rs0"], Some("mongodb")),
        ("redis:7", &["redis-sentinel", "/s.conf"], None),
        ("redis:7", &["redis-server", "/s.conf", "--sentinel"], None),
        ("redis:7", &["redis-server", "--appendonly", "yes"], Some("redis")),
        ("bitnami/redis-sentinel:7", &[], None),
        ("postgres:16", &["psql", "-c", "select 1"], None),
        ("postgres:16", &["postgres", "-c", "x=1"], Some("postgresql")),
        ("minio/minio", &["server", "/data"], Some("minio")),
        ("hashicorp/consul:1", &["agent", "-server"], Some("consul")),
        ("confluentinc/cp-kafka:7", &[], Some("kafka")),
    ];
    for (image, command, found) in cases {
        assert_eq!(name(image, command).as_deref(), found, "{image} {command:?}");
    }
    assert!(software("mongo", &["--configsvr"]).unwrap().keeps("/data/configdb"));
    assert!(!software("mongo", &[]).unwrap().keeps("/"));
}

const WEB: &str = "example/web:1";

#[test]
fn a_share_for_all_replicas_is_no_violation() {
    let claim = |mode: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{ name: uploads }}\nspec: {{ accessModes: [{mode}] }}\n---\n"
        )
    };
    let nfs =
        "volumes:\n  uploads: { driver_opts: { type: nfs, o: \"addr=10.0.0.1\", device: \":/uploads\" } }\n";
    for (image, target, fine) in [(WEB, "/uploads", true), ("mysql:8", "/var/lib/mysql", false)] {
        for kind in ["Deployment", "ReplicaSet"] {
            let set = pods(kind, "web", image, 3, &[("claim uploads", target)]);
            let verified = search(&[("a.yaml", claim("ReadWriteMany") + &set)]);
            assert_eq!(verified.holds(), fine, "{kind} {image} {verified:?}");
            let said = verified.unread.iter().filter(|u| u.what.contains("shared on purpose")).count();
            assert_eq!(said, usize::from(fine), "{:?}", verified.unread);
            assert!(!broken(&[("a.yaml", claim("ReadWriteOnce") + &set)]).is_empty(), "{kind} {image}");
        }
        let stack =
            format!("services:\n{}{nfs}", service("web", image, "replicas: 3", &[("uploads", target)]));
        assert_eq!(broken(&[("a.yml", stack)]).is_empty(), fine, "swarm {image}");
        let mount = format!(
            "--mount type=volume,source=uploads,target={target},volume-opt=type=nfs,volume-opt=device=:/uploads"
        );
        let template = unit("web-%i", &format!("{mount} {image}"), "Conflicts=web@*.service", &[]);
        let codes = broken(&[("web@.service", template)]);
        assert_eq!(codes.is_empty(), fine, "fleet {image} {codes:?}");
    }
    // The pods of a StatefulSet have identities, so one claim for all pods is not intended.
    let set = pods("StatefulSet", "web", WEB, 3, &[("claim uploads", "/uploads")]);
    assert!(!broken(&[("a.yaml", claim("ReadWriteMany") + &set)]).is_empty());
    // If a database also mounts the share, it is data.
    let web = pods("Deployment", "web", WEB, 3, &[("claim uploads", "/uploads")]);
    let db = pods("StatefulSet", "db", "mysql:8", 1, &[("claim uploads", "/var/lib/mysql")]);
    let codes = broken(&[("a.yaml", format!("{}{web}---\n{db}", claim("ReadWriteMany")))]);
    assert!(codes.iter().any(|c| c.ends_with("/neighbour")), "{codes:?}");
}

#[test]
fn two_services_on_one_directory_conflict() {
    for (source, target, fine) in [
        ("/srv/d", "/data", false),
        ("store", "/data", false),
        ("/var/log/app", "/logs", true),
        ("/srv/d", "/etc/app", true),
        ("store", "/var/log/app", true),
    ] {
        let volumes = [(source, target)];
        let one = |name: &str| service(name, WEB, "replicas: 1", &volumes);
        let stack = format!("services:\n{}{}volumes: {{ store: {{}} }}\n", one("a"), one("b"));
        let units = ["a", "b"].map(|n| (format!("{n}.service"), unit(n, WEB, "", &volumes)));
        let units: Vec<(&str, String)> = units.iter().map(|(p, t)| (p.as_str(), t.clone())).collect();
        let mut all = vec![vec![("a.yml", stack)], units];
        if source.starts_with('/') {
            let set = |name: &str| pods("Deployment", name, WEB, 1, &volumes);
            all.push(vec![("a.yaml", format!("{}---\n{}", set("a"), set("b")))]);
        }
        for files in all {
            let codes = broken(&files);
            let met = codes.iter().any(|c| c.ends_with("data/neighbour"));
            assert_eq!(met, !fine, "{source} at {target} {codes:?} {files:?}");
        }
    }
}

/// Checks that a label pins no member if all instances require the same value.
#[test]
fn a_label_value_of_several_members_pins_none_of_them() {
    let unit = |i: u32, want: &str| {
        let text = format!(
            "[Service]\nExecStart=/usr/bin/docker run --rm --name etcd-{i} --mount type=bind,source=/mnt/etcd-{i},target=/data example/etcd\n[X-Fleet]\nConflicts=etcd@*.service\nMachineMetadata={want}\n"
        );
        (["", "etcd@1.service", "etcd@2.service"][i as usize], text)
    };
    let moves = |first: &str, second: &str| {
        broken(&[unit(1, first), unit(2, second)]).iter().any(|code| code == "fleet/data/partition")
    };
    assert!(moves("role=etcd", "role=etcd"));
    assert!(!moves("etcd=1", "etcd=2"));
    let task = |i: u32, want: &str| {
        format!(
            "  db-{i}:\n    image: example/db\n    volumes: [\"/mnt/db-{i}:/data\"]\n    ports: [{{ target: 1, published: 1, mode: host }}]\n    deploy: {{ placement: {{ constraints: [\"node.labels.db == {want}\"] }} }}\n"
        )
    };
    let stack = |first: &str, second: &str| {
        broken(&[("db.yml", format!("services:\n{}{}", task(1, first), task(2, second)))])
    };
    assert!(stack("true", "true").contains(&"swarm/data/partition".to_owned()));
    assert_eq!(stack("1", "2"), [""; 0]);
}

#[test]
fn a_directory_inside_the_data_of_another_is_listed() {
    let both = |first: &str, second: &str| {
        let of = |name, path| (name, pods("DaemonSet", name, "example/db", 1, &[(path, "/data")]));
        let files = [of("a.yaml", first), of("b.yaml", second)];
        let unread = search(&files.map(|(name, text)| (name, text.replace(".yaml", "")))).unread;
        unread.into_iter().map(|u| u.to_string()).collect::<Vec<_>>()
    };
    let said = both("/mnt/d1/db", "/mnt/d1");
    assert_eq!(
        said,
        ["/mnt/d1/db lies in /mnt/d1, which daemonset/b mounts: treated as a separate directory"]
    );
    assert_eq!(both("/mnt/d1/db", "/mnt/d2"), [""; 0]);
    assert_eq!(both("/mnt/d1/db", "/mnt/d1/d"), [""; 0]);
}
