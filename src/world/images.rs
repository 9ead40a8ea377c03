//! What is known of well-known images: where the software in them keeps its data, how long it
//! takes to stop, whether its members keep a quorum. From the images' own documentation.

/// A stateful software, by its images.
#[derive(Debug, Clone, Copy)]
pub struct Software {
    /// Its own name.
    pub name: &'static str,
    /// Last parts of image names that are it, without `docker-`, `-server` and the like.
    images: &'static [&'static str],
    /// Where its images keep data, unless told otherwise; the first is the official image's.
    pub data: &'static [&'static str],
    /// The programs that serve; another command in the image is not the software.
    programs: &'static [&'static str],
    /// First arguments with which the image's own program serves.
    verbs: &'static [&'static str],
    /// Seconds that a clean stop may well take.
    pub grace: u32,
    /// Its members vote or hold each other's copies, so that losing several at once hurts.
    pub quorum: bool,
    /// Often run on purpose without data that lasts.
    pub cache: bool,
}

const NONE: Software = Software {
    name: "",
    images: &[],
    data: &[],
    programs: &[],
    verbs: &[],
    grace: 30,
    quorum: true,
    cache: false,
};

/// The table.
const TABLE: &[Software] = &[
    Software {
        name: "elasticsearch",
        images: &["elasticsearch"],
        data: &["/usr/share/elasticsearch/data", "/bitnami/elasticsearch"],
        programs: &["elasticsearch", "docker-entrypoint.sh", "eswrapper"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "opensearch",
        images: &["opensearch"],
        data: &["/usr/share/opensearch/data", "/bitnami/opensearch"],
        programs: &["opensearch", "opensearch-docker-entrypoint.sh", "opensearchwrapper"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "zookeeper",
        images: &["zookeeper"],
        data: &["/data", "/datalog", "/bitnami/zookeeper", "/var/lib/zookeeper"],
        programs: &["zkServer.sh", "start-zookeeper", "zookeeper-server-start.sh"],
        ..NONE
    },
    Software {
        name: "kafka",
        images: &["kafka"],
        data: &[
            "/var/lib/kafka/data",
            "/bitnami/kafka",
            "/tmp/kafka-logs",
            "/tmp/kraft-combined-logs",
            "/kafka",
        ],
        programs: &["kafka-server-start.sh", "kafka-server-start", "start-kafka.sh"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "cassandra",
        images: &["cassandra", "dse"],
        data: &["/var/lib/cassandra", "/bitnami/cassandra"],
        programs: &["cassandra", "docker-entrypoint.sh"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "scylla",
        images: &["scylla", "scylladb"],
        data: &["/var/lib/scylla", "/bitnami/scylladb"],
        programs: &["scylla", "docker-entrypoint.py"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "mongodb",
        images: &["mongo", "mongodb", "mongodb-sharded", "percona-server-mongodb"],
        data: &["/data/db", "/data/configdb", "/bitnami/mongodb"],
        programs: &["mongod", "docker-entrypoint.sh"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "mysql",
        images: &["mysql", "percona", "percona-server", "percona-xtradb", "mysql-innodb"],
        data: &["/var/lib/mysql", "/bitnami/mysql"],
        programs: &["mysqld", "mysqld_safe", "docker-entrypoint.sh"],
        grace: 45,
        quorum: false,
        ..NONE
    },
    Software {
        name: "mariadb",
        images: &["mariadb"],
        data: &["/var/lib/mysql", "/bitnami/mariadb"],
        programs: &["mysqld", "mysqld_safe", "mariadbd", "docker-entrypoint.sh"],
        grace: 45,
        quorum: false,
        ..NONE
    },
    Software {
        name: "galera",
        images: &["mariadb-galera", "galera", "mariadb-galera-swarm", "percona-xtradb-cluster", "pxc"],
        data: &["/var/lib/mysql", "/bitnami/mariadb"],
        programs: &["mysqld", "mysqld_safe", "mariadbd", "docker-entrypoint.sh"],
        verbs: &["seed", "node"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "postgresql",
        images: &[
            "postgres",
            "postgresql",
            "postgis",
            "pgvector",
            "timescaledb",
            "spilo",
            "postgresql-repmgr",
        ],
        data: &["/var/lib/postgresql", "/bitnami/postgresql", "/home/postgres/pgdata"],
        programs: &["postgres", "docker-entrypoint.sh"],
        grace: 45,
        quorum: false,
        ..NONE
    },
    Software {
        name: "cockroachdb",
        images: &["cockroach", "cockroachdb"],
        data: &["/cockroach/cockroach-data"],
        programs: &["cockroach", "cockroach.sh"],
        verbs: &["start", "start-single-node"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "etcd",
        images: &["etcd"],
        data: &["/default.etcd", "/etcd-data", "/var/lib/etcd", "/bitnami/etcd"],
        programs: &["etcd"],
        ..NONE
    },
    Software {
        name: "consul",
        images: &["consul"],
        data: &["/consul/data", "/bitnami/consul"],
        programs: &["consul"],
        verbs: &["agent"],
        cache: true,
        ..NONE
    },
    Software {
        name: "redis",
        images: &["redis", "valkey", "keydb", "redis-stack"],
        data: &["/data", "/bitnami/redis", "/bitnami/valkey"],
        programs: &["redis-server", "valkey-server", "keydb-server"],
        quorum: false,
        cache: true,
        ..NONE
    },
    Software {
        name: "rabbitmq",
        images: &["rabbitmq"],
        data: &["/var/lib/rabbitmq", "/bitnami/rabbitmq"],
        programs: &["rabbitmq-server", "docker-entrypoint.sh"],
        grace: 45,
        cache: true,
        ..NONE
    },
    Software {
        name: "influxdb",
        images: &["influxdb", "influxdb2"],
        data: &["/var/lib/influxdb", "/var/lib/influxdb2", "/bitnami/influxdb"],
        programs: &["influxd"],
        quorum: false,
        ..NONE
    },
    Software {
        name: "couchdb",
        images: &["couchdb"],
        data: &["/opt/couchdb/data", "/bitnami/couchdb"],
        programs: &["couchdb"],
        ..NONE
    },
    Software {
        name: "neo4j",
        images: &["neo4j"],
        data: &["/data", "/bitnami/neo4j"],
        programs: &["neo4j"],
        grace: 45,
        ..NONE
    },
    Software {
        name: "solr",
        images: &["solr"],
        data: &["/var/solr", "/bitnami/solr"],
        programs: &["solr", "solr-foreground"],
        ..NONE
    },
    Software {
        name: "clickhouse",
        images: &["clickhouse"],
        data: &["/var/lib/clickhouse", "/bitnami/clickhouse"],
        programs: &["clickhouse", "clickhouse-server"],
        grace: 45,
        quorum: false,
        ..NONE
    },
    Software {
        name: "minio",
        images: &["minio"],
        data: &["/data", "/bitnami/minio", "/export"],
        programs: &["minio"],
        verbs: &["server"],
        ..NONE
    },
    Software {
        name: "vault",
        images: &["vault"],
        data: &["/vault/file", "/vault/data", "/bitnami/vault"],
        programs: &["vault"],
        verbs: &["server"],
        cache: true,
        ..NONE
    },
    Software {
        name: "nats",
        images: &["nats", "nats-streaming"],
        data: &["/data"],
        programs: &["nats-server"],
        cache: true,
        ..NONE
    },
    Software {
        name: "prometheus",
        images: &["prometheus"],
        data: &["/prometheus"],
        programs: &["prometheus"],
        quorum: false,
        cache: true,
        ..NONE
    },
];

/// Programs of these images that keep no data.
const OTHERS: [&str; 12] = [
    "mongos",
    "mongosh",
    "mongo",
    "mongodump",
    "redis-sentinel",
    "redis-cli",
    "psql",
    "pg_dump",
    "mysql",
    "mysqldump",
    "mariadb",
    "mariadb-dump",
];

/// What vendors put around the name of a software.
const BEFORE: [&str; 5] = ["docker-", "kubernetes-", "k8s-", "cp-", "ubi-"];
const AFTER: [&str; 14] = [
    "-kubernetes",
    "-docker",
    "-k8s",
    "-oss",
    "-server",
    "-ha",
    "-cluster",
    "-community",
    "-enterprise",
    "-standalone",
    "-alpine",
    "-kraft",
    "-native",
    "-wolfi",
];

/// The image without its registry, tag and digest: `elasticsearch/elasticsearch`, `bitnami/kafka`.
pub fn name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let image = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    let image = match image.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => image,
    };
    image.strip_prefix("library/").unwrap_or(image)
}

/// The software that serves in a container of `image`, which is started with `command`
/// (entrypoint and arguments, as far as they are given); `None` when it is not known, or
/// when the command is another program.
pub fn software(image: &str, command: &[&str]) -> Option<&'static Software> {
    let last = name(image).rsplit('/').next().unwrap_or_default();
    let mut short = last;
    let found = loop {
        if let Some(found) = TABLE.iter().find(|s| s.images.contains(&short)) {
            break found;
        }
        let before = BEFORE.iter().find_map(|b| short.strip_prefix(b));
        short = before.or_else(|| AFTER.iter().find_map(|a| short.strip_suffix(a)))?;
    };
    // Options alone go to the image's own program, and one of them makes Redis a sentinel.
    let sentinel =
        found.name == "redis" && command.iter().any(|t| t.split_whitespace().any(|w| w == "--sentinel"));
    let own = |first: &&str| first.starts_with('-') || found.verbs.contains(first);
    if !sentinel && (command.first().is_none_or(own) || found.serves(command)) {
        return Some(found);
    }
    // Kafka's images hold ZooKeeper, too.
    TABLE.iter().find(|s| found.name == "kafka" && s.name == "zookeeper" && s.serves(command))
}

impl Software {
    /// Whether one of its programs is among the words of `command`, and does not start another.
    fn serves(&self, command: &[&str]) -> bool {
        let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let words = command.iter().flat_map(|t| t.split(|c| !part(c))).filter(|w| !w.is_empty());
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let other = words
                .peek()
                .is_some_and(|next| word.starts_with("docker-entrypoint") && OTHERS.contains(next));
            if self.programs.contains(&word) && !other {
                return true;
            }
        }
        false
    }

    /// Whether a mount at `target` has its data, or a part of it.
    pub fn keeps(&self, target: &str) -> bool {
        let target = target.trim_end_matches('/');
        if target.is_empty() {
            return false;
        }
        self.data
            .iter()
            .any(|data| crate::text::path::within(data, target) || crate::text::path::within(target, data))
    }
}
