//! Tests data that is lost with its container, in the same way for all three orchestrators.

use berthc::explore::Bounds;
use berthc::finding::{Finding, Level};
use berthc::images::Images;
use berthc::target::Target;
use berthc::verify::verify;
use berthc::world::{File, read};

/// A container, as the files of each orchestrator describe it.
#[derive(Default, Clone, Copy)]
struct Case<'c> {
    image: &'c str,
    /// The paths on the node and in the container.
    binds: &'c [(&'c str, &'c str)],
    env: &'c [(&'c str, &'c str)],
    args: &'c [&'c str],
    hostname: bool,
}

impl Case<'_> {
    fn deployment(&self) -> String {
        let list = |all: Vec<String>| all.join(", ");
        let env = |(k, v): &(&str, &str)| format!("{{ name: {k}, value: \"{v}\" }}");
        let binds = || self.binds.iter().enumerate();
        let mounts = binds().map(|(i, (_, to))| format!("{{ name: v{i}, mountPath: {to} }}")).collect();
        let volumes = binds().map(|(i, (from, _))| format!("{{ name: v{i}, hostPath: {{ path: {from} }} }}"));
        let args = self.args.iter().map(|a| format!("\"{a}\"")).collect();
        let hostname = if self.hostname { "hostname: store, " } else { "" };
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: store }}\nspec:\n  replicas: 1\n  strategy: {{ type: Recreate }}\n  selector: {{ matchLabels: {{ app: store }} }}\n  template:\n    metadata: {{ labels: {{ app: store }} }}\n    spec: {{ {hostname}nodeName: one, terminationGracePeriodSeconds: 120, volumes: [{}], containers: [{{ name: store, image: \"{}\", args: [{}], env: [{}], volumeMounts: [{}] }}] }}\n",
            list(volumes.collect()),
            self.image,
            list(args),
            list(self.env.iter().map(env).collect()),
            list(mounts),
        )
    }

    fn stack(&self) -> String {
        let list = |all: Vec<String>| all.join(", ");
        let binds = self.binds.iter().map(|(from, to)| format!("\"{from}:{to}\"")).collect();
        let env = self.env.iter().map(|(k, v)| format!("\"{k}={v}\"")).collect();
        let args = self.args.iter().map(|a| format!("\"{a}\"")).collect::<Vec<_>>();
        let command =
            if args.is_empty() { String::new() } else { format!("    command: [{}]\n", list(args)) };
        let hostname = if self.hostname { "    hostname: store\n" } else { "" };
        format!(
            "services:\n  store:\n    image: \"{}\"\n{command}{hostname}    stop_grace_period: 2m\n    environment: [{}]\n    volumes: [{}]\n    deploy: {{ placement: {{ constraints: [\"node.hostname == one\"] }} }}\n",
            self.image,
            list(env),
            list(binds),
        )
    }

    fn unit(&self) -> String {
        let binds: String = self.binds.iter().map(|(from, to)| format!("-v {from}:{to} ")).collect();
        let env: String = self.env.iter().map(|(k, v)| format!("-e {k}={v} ")).collect();
        let hostname = if self.hostname { "--hostname store " } else { "" };
        format!(
            "[Service]\nExecStartPre=-/usr/bin/docker rm store\nExecStart=/usr/bin/docker run --rm --name store {hostname}{binds}{env}{} {}\nExecStop=/usr/bin/docker stop -t 120 store\nTimeoutStopSec=180\n[X-Fleet]\nMachineID=one\n",
            self.image,
            self.args.join(" "),
        )
    }

    /// Returns the findings of each reader about the data.
    fn told(&self) -> Vec<Option<Finding>> {
        let files = [("a.yaml", self.deployment()), ("a.yml", self.stack()), ("store.service", self.unit())];
        let of = |(path, text): &(&str, String)| {
            let verified = verify(&[File { path, text }], Bounds::default());
            assert_eq!(verified.searched.len(), 1, "{text}");
            let all: Vec<_> = verified.findings.into_iter().filter(|f| f.code == "data-ephemeral").collect();
            assert!(all.len() < 2, "{all:?}");
            all.into_iter().next()
        };
        files.iter().map(of).collect()
    }
}

#[test]
fn lost_data_has_the_same_level_on_every_orchestrator() {
    let none = Case::default();
    let bind = |from, to| [(from, to)];
    let (data, parent, tmp) = (
        bind("/mnt/d1/s", "/var/lib/postgresql/data"),
        bind("/mnt/d1/s", "/var/lib/postgresql"),
        bind("/tmp/s", "/var/lib/postgresql/data"),
    );
    let (own, rabbit) = (bind("/mnt/d1/s", "/pg"), bind("/mnt/d1/s", "/var/lib/rabbitmq"));
    let both = [("/mnt/d1/s/data", "/data"), ("/mnt/d1/s/log", "/datalog")];
    let settings = [("/mnt/d1/s", "/srv/db"), ("/etc/my.cnf", "/etc/mysql/my.cnf")];
    let (lost, kept, note) = (Some(Level::Violation), None, Some(Level::Note));
    let cases: &[(Case<'_>, Option<Level>)] = &[
        (Case { image: "postgres:16", ..none }, lost),
        (Case { image: "mysql:5.7", ..none }, lost),
        (Case { image: "acme/postgres:16", ..none }, lost),
        (Case { image: "postgres:16", binds: &data, ..none }, kept),
        (Case { image: "postgres:16", binds: &parent, ..none }, lost),
        (Case { image: "postgres:18", binds: &parent, ..none }, kept),
        (Case { image: "postgres:18", binds: &data, ..none }, lost),
        (Case { image: "postgres", binds: &data, ..none }, lost),
        (Case { image: "postgres:16", binds: &tmp, ..none }, lost),
        (Case { image: "postgres:16", binds: &own, env: &[("PGDATA", "/pg/data")], ..none }, kept),
        (Case { image: "postgres:16", binds: &data, env: &[("PGDATA", "/pg/data")], ..none }, lost),
        (Case { image: "mysql:8", binds: &own, args: &["--datadir=/pg"], ..none }, kept),
        (Case { image: "mysql:8", binds: &own, ..none }, lost),
        // The settings file may name the directory.
        (Case { image: "mysql:8", binds: &settings, ..none }, note),
        (Case { image: "acme/mysql:8", binds: &own, ..none }, kept),
        (Case { image: "bitnami/postgresql:16", binds: &data, ..none }, lost),
        (Case { image: "zookeeper:3.9", binds: &both[..1], ..none }, lost),
        (Case { image: "zookeeper:3.9", binds: &both, ..none }, kept),
        (Case { image: "rabbitmq:3.13", binds: &rabbit, ..none }, lost),
        (Case { image: "rabbitmq:3.13", binds: &rabbit, hostname: true, ..none }, kept),
        (
            Case {
                image: "rabbitmq:3.13",
                binds: &rabbit,
                env: &[("RABBITMQ_NODENAME", "rabbit@localhost")],
                ..none
            },
            kept,
        ),
        // A cache whose data its author wants to keep.
        (Case { image: "redis:7", binds: &own, ..none }, lost),
        (Case { image: "nginx:1", ..none }, kept),
    ];
    for (case, level) in cases {
        let levels: Vec<_> = case.told().into_iter().map(|f| f.map(|f| f.level)).collect();
        assert_eq!(levels, [*level; 3], "{} {:?} {:?} {:?}", case.image, case.binds, case.env, case.args);
    }
}

#[test]
fn the_fix_fits_the_version_and_each_member() {
    let fixes = |image| -> Vec<String> {
        Case { image, ..Case::default() }.told().into_iter().map(|f| f.unwrap().fix).collect()
    };
    assert_eq!(
        fixes("postgres:17"),
        [
            "kind: StatefulSet, with a claim template that is mounted at /var/lib/postgresql/data",
            "volumes: [\"/srv/store/data:/var/lib/postgresql/data\"], ports: [{ target: 5432, published: 5432, mode: host }]",
            "--mount type=bind,source=/mnt/d1/store,target=/var/lib/postgresql/data",
        ]
    );
    assert_eq!(
        fixes("zookeeper:3.9"),
        [
            "kind: StatefulSet, with a claim template that is mounted at /data and another at /datalog",
            "volumes: [\"/srv/store/data:/data\", \"/srv/store/datalog:/datalog\"], ports: [{ target: 2181, published: 2181, mode: host }]",
            "--mount type=bind,source=/mnt/d1/store/data,target=/data --mount type=bind,source=/mnt/d1/store/datalog,target=/datalog",
        ]
    );
    let kafka = fixes("apache/kafka:3.9.0");
    let start = "KAFKA_LOG_DIRS=/var/lib/kafka/data in the environment, and ";
    assert!(
        kafka.iter().all(|fix| fix.starts_with(start) && fix.contains("/var/lib/kafka/data")),
        "{kafka:?}"
    );
    // The volume of the other version is missing.
    let binds = [("/mnt/d1/s", "/var/lib/postgresql/data")];
    let any = Case { image: "postgres:latest", binds: &binds, ..Case::default() };
    for finding in any.told() {
        let Finding { message, fix, .. } = finding.unwrap();
        assert!(message.contains(">=18") && fix.contains("17"), "{message} {fix}");
    }
}

#[test]
fn each_instance_of_a_template_has_its_own_directory_and_pin() {
    let unit = "[Service]\nExecStart=/usr/bin/docker run --rm --name zk-%i --hostname zk-%i zookeeper:3.4\nExecStop=/usr/bin/docker stop -t 60 zk-%i\n[X-Fleet]\nConflicts=zk@*.service\n";
    let verified = verify(&[File { path: "zk@.service", text: unit }], Bounds::default());
    let found: Vec<_> = verified.findings.iter().filter(|f| f.code == "data-ephemeral").collect();
    assert!(!found.is_empty());
    for finding in found {
        assert!(finding.fix.contains("source=/mnt/d1/zk-%i/data,target=/data"), "{}", finding.fix);
        assert!(finding.fix.ends_with("in [X-Fleet] MachineMetadata=zk=%i"), "{}", finding.fix);
    }
    let stack = "services:\n  zoo1: { image: \"zookeeper:3.9\", environment: { ZOO_MY_ID: 1 } }\n  zoo2: { image: \"zookeeper:3.9\", environment: { ZOO_MY_ID: 2 } }\n";
    // The reader finds both; verify shows the second one with the first.
    let world = read(Target::Swarm, &[File { path: "a.yml", text: stack }], Images::builtin().into());
    let fixes: Vec<&str> =
        world.findings.iter().filter(|f| f.code == "data-ephemeral").map(|f| f.fix.as_str()).collect();
    // Each has a port of its own, in case two share a node.
    let of = |n: u32| {
        let port = 2180 + n;
        format!(
            "volumes: [\"/srv/zoo{n}/data:/data\", \"/srv/zoo{n}/datalog:/datalog\"], ports: [{{ target: 2181, published: {port}, mode: host }}], stop_grace_period: 55s, and deploy.placement.constraints: [\"node.labels.zoo{n} == 1\"]"
        )
    };
    assert_eq!(fixes, [of(1), of(2)]);
}

/// A member with data needs a grace period.
#[test]
fn members_with_data_must_not_be_killed_at_once() {
    let note = |path, text: &str| {
        let verified = verify(&[File { path, text }], Bounds::default());
        verified.findings.iter().any(|f| f.code == "grace-short" && f.message.contains("killed at once"))
    };
    let unit = |end| {
        format!(
            "[Service]\nExecStartPre=-/usr/bin/docker rm riak\nExecStart=/usr/bin/docker run --rm --name riak -v /mnt/d1/riak:/var/lib/riak basho/riak:2\nExecStop=/usr/bin/docker {end} riak\n[X-Fleet]\nMachineID=one\n"
        )
    };
    assert!(note("riak.service", &unit("kill")));
    assert!(note("riak.service", &unit("rm -f")));
    assert!(!note("riak.service", &unit("kill -s TERM")));
    assert!(!note("riak.service", &unit("kill").replace("-v /mnt/d1/riak:/var/lib/riak", "")));
    let stack = |grace| {
        format!(
            "services:\n  riak: {{ image: \"basho/riak:2\", stop_grace_period: {grace}, volumes: [\"/mnt/d1/riak:/var/lib/riak\"] }}\n"
        )
    };
    assert!(note("a.yml", &stack("0s")));
    assert!(!note("a.yml", &stack("30s")));
    let pod = |grace| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: riak }}\nspec: {{ terminationGracePeriodSeconds: {grace}, containers: [{{ name: riak, image: \"basho/riak:2\", volumeMounts: [{{ name: d, mountPath: /var/lib/riak }}] }}], volumes: [{{ name: d, hostPath: {{ path: /mnt/d1/riak }} }}] }}\n"
        )
    };
    assert!(note("a.yaml", &pod(0)));
    assert!(!note("a.yaml", &pod(30)));
}

/// An `emptyDir` below the claim, and pods of one set that keep their names.
#[test]
fn an_empty_dir_below_a_claim_loses_data() {
    let set = |mounts: &str, image: &str| {
        let text = format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{ name: db }}\nspec:\n  serviceName: db\n  selector: {{ matchLabels: {{ app: db }} }}\n  template:\n    metadata: {{ labels: {{ app: db }} }}\n    spec: {{ terminationGracePeriodSeconds: 120, volumes: [{{ name: fast, emptyDir: {{}} }}], containers: [{{ name: db, image: \"{image}\", volumeMounts: [{{ name: data, mountPath: {mounts} }}] }}] }}\n  volumeClaimTemplates: [{{ metadata: {{ name: data }}, spec: {{ accessModes: [ReadWriteOncePod] }} }}]\n"
        );
        let verified = verify(&[File { path: "a.yaml", text: &text }], Bounds::default());
        verified.findings.into_iter().find(|f| f.code == "data-ephemeral").map(|f| f.message)
    };
    let fast = |at: &str| format!("/var/lib/postgresql/data }}, {{ name: fast, mountPath: {at}");
    assert_eq!(set("/var/lib/postgresql/data", "postgres:16"), None);
    assert!(set(&fast("/var/lib/postgresql/data/pg_wal"), "postgres:16").unwrap().contains("pg_wal"));
    assert_eq!(set(&fast("/var/lib/postgresql/data/pg_stat_tmp"), "postgres:16"), None);
    assert_eq!(set("/var/lib/rabbitmq", "rabbitmq:3.13"), None);
}
