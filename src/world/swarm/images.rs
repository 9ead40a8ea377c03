//! Images that keep data, and where.

/// Image and the paths of its data.
#[rustfmt::skip]
const IMAGES: [(&str, &[&str]); 24] = [
    ("cassandra", &["/var/lib/cassandra"]),
    ("clickhouse-server", &["/var/lib/clickhouse"]),
    ("cockroach", &["/cockroach/cockroach-data"]),
    ("consul", &["/consul/data"]),
    ("couchdb", &["/opt/couchdb/data"]),
    ("cp-kafka", &["/var/lib/kafka/data"]),
    ("cp-zookeeper", &["/var/lib/zookeeper/data"]),
    ("elasticsearch", &["/usr/share/elasticsearch/data"]),
    ("etcd", &["/var/lib/etcd", "/etcd-data", "/bitnami/etcd"]),
    ("influxdb", &["/var/lib/influxdb", "/var/lib/influxdb2"]),
    ("kafka", &["/var/lib/kafka", "/bitnami/kafka", "/kafka", "/tmp/kraft-combined-logs"]),
    ("mariadb", &["/var/lib/mysql", "/bitnami/mariadb"]),
    ("mariadb-galera-swarm", &["/var/lib/mysql"]),
    ("mongo", &["/data/db", "/data/configdb"]),
    ("mysql", &["/var/lib/mysql", "/bitnami/mysql"]),
    ("neo4j", &["/data"]),
    ("opensearch", &["/usr/share/opensearch/data"]),
    ("percona-xtradb-cluster", &["/var/lib/mysql"]),
    ("postgis", &["/var/lib/postgresql"]),
    ("postgres", &["/var/lib/postgresql"]),
    ("rabbitmq", &["/var/lib/rabbitmq"]),
    ("redis", &["/data"]),
    ("timescaledb", &["/var/lib/postgresql"]),
    ("zookeeper", &["/data", "/datalog", "/bitnami/zookeeper"]),
];

/// Where `image`, named without registry and tag, keeps its data; nothing for others.
pub fn data(image: &str) -> &'static [&'static str] {
    IMAGES.iter().find(|(name, _)| *name == image).map_or(&[], |(_, paths)| paths)
}

/// Whether it keeps data.
pub fn stateful(image: &str) -> bool {
    !data(image).is_empty()
}
