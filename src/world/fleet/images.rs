//! Images that keep data, and where.

#[rustfmt::skip]
const IMAGES: [(&str, &[&str]); 19] = [
    ("cassandra", &["/var/lib/cassandra"]),
    ("cockroach", &["/cockroach/cockroach-data"]),
    ("consul", &["/consul/data"]),
    ("couchdb", &["/opt/couchdb/data"]),
    ("cp-kafka", &["/var/lib/kafka/data"]),
    ("elasticsearch", &["/usr/share/elasticsearch/data"]),
    ("etcd", &["/var/lib/etcd"]),
    ("influxdb", &["/var/lib/influxdb"]),
    ("kafka", &["/var/lib/kafka/data"]),
    ("mariadb", &["/var/lib/mysql"]),
    ("mongo", &["/data/db"]),
    ("mongodb", &["/data/db"]),
    ("mysql", &["/var/lib/mysql"]),
    ("neo4j", &["/data"]),
    ("postgres", &["/var/lib/postgresql/data"]),
    ("rabbitmq", &["/var/lib/rabbitmq"]),
    ("redis", &["/data"]),
    ("solr", &["/var/solr"]),
    ("zookeeper", &["/data"]),
];

/// Programs of these images that keep no data.
pub const STATELESS: [&str; 9] =
    ["mongos", "mongosh", "mongo", "mongodump", "redis-sentinel", "redis-cli", "psql", "mysql", "mysqldump"];

/// Where `image`, named without registry and tag, keeps its data; nothing for others.
pub fn data(image: &str) -> &'static [&'static str] {
    IMAGES.iter().find(|(name, _)| *name == image).map_or(&[], |(_, paths)| paths)
}

/// An image without registry, tag and digest.
pub fn short(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default().to_owned()
}
