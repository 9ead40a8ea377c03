//! Finds clusters that never form, or fall apart: numbers and lists that do not fit the members of the files,
//! and several members without a setting that joins them.

use crate::finding::{Level, codes};
use crate::world::{Member, Mount, Source};

/// The settings of one server of a cluster, of which `count` members run.
#[derive(Debug, Default)]
pub struct Server {
    /// The software.
    pub software: String,
    /// The name of the image.
    pub image: String,
    /// The number of its members.
    pub count: u32,
    /// The number of members that other descriptions of the same family have, and itself.
    pub alike: u32,
    /// The variables and the options of its command, with their values.
    pub settings: Vec<(String, String)>,
    /// All that it is told: commands, hooks and the values of variables.
    pub words: String,
    /// Whether a file or another object may have more settings.
    pub more: bool,
    /// Whether something else than a file may have them: a script, an object, another container.
    pub scripted: bool,
    /// Whether its data outlives its containers.
    pub durable: bool,
    /// Whether each of its members has data of its own.
    pub apart: bool,
    /// Whether one name leads its clients to all of its members.
    pub one_name: bool,
}

/// A cluster that does not form.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code of the finding.
    pub code: &'static str,
    /// The setting that says so; `None` if one is absent.
    pub key: Option<String>,
    /// The severity.
    pub level: Level,
    /// Whether no member in other files could mend it.
    pub alone: bool,
    /// What happens, after the name of the workload.
    pub what: String,
    /// The line to write.
    pub fix: String,
}

/// The settings that join the members of a software, in the form of [`plain`]; a part of the name is enough.
/// `alone` says what happens without. Sources: RabbitMQ "Cluster Formation and Peer Discovery"; ZooKeeper's
/// image, "ZOO_SERVERS"; etcd "Clustering Guide", `--initial-cluster` is by default the member alone; Consul
/// agent options; Cassandra's image, "CASSANDRA_SEEDS"; MongoDB `replication.replSetName`.
const JOINS: [(&str, &[&str], &str); 7] = [
    ("elasticsearch", &["DISCOVERY", "INITIAL_MASTER_NODES", "CLUSTER_HOSTS"], "discovery.seed_hosts: HOSTS"),
    ("opensearch", &["DISCOVERY", "INITIAL_MASTER_NODES", "CLUSTER_HOSTS"], "discovery.seed_hosts: HOSTS"),
    ("rabbitmq", &["CLUSTER", "DISCOVER"], "cluster_formation.peer_discovery_backend in rabbitmq.conf"),
    ("zookeeper", &["SERVERS"], "ZOO_SERVERS: server.N=HOST:2888:3888;2181, for each member"),
    ("etcd", &["INITIAL_CLUSTER", "DISCOVERY"], "--initial-cluster=NAME=http://HOST:2380, for each member"),
    ("consul", &["JOIN"], "-retry-join=HOST"),
    ("cassandra", &["SEED"], "CASSANDRA_SEEDS: HOST"),
];

/// Returns a name in capitals, with `_` for each other sign and without the dashes of an option.
fn plain(name: &str) -> String {
    name.trim_start_matches('-').to_uppercase().replace(['.', '-'], "_")
}

impl Server {
    fn get(&self, name: &str) -> Option<(&str, &str)> {
        let own = self.settings.iter().find(|(key, _)| {
            let key = plain(key);
            key == name
                || key.strip_prefix("KAFKA_CFG_").is_some_and(|k| name.strip_prefix("KAFKA_") == Some(k))
        })?;
        Some((&own.0, &own.1))
    }

    fn number(&self, name: &str) -> Option<(&str, u32)> {
        self.get(name).and_then(|(key, value)| Some((key, value.trim().parse().ok()?)))
    }

    fn has(&self, part: &str) -> bool {
        self.settings.iter().any(|(key, _)| plain(key).contains(part))
    }

    /// Whether it may be elected, as far as its settings say.
    pub fn votes(&self) -> bool {
        let no = |name: &str| self.get(name).is_some_and(|(_, v)| v == "false");
        let roles =
            |name: &str| self.get(name).is_some_and(|(_, v)| !v.contains("master") && !v.contains("manager"));
        let controller = self.get("KAFKA_PROCESS_ROLES").is_some_and(|(_, v)| v == "controller");
        !no("NODE_MASTER") && !roles("NODE_ROLES") && !controller
    }
}

/// Returns whether each of the first two members has data of its own.
pub fn apart(members: &[Member]) -> bool {
    let shared = |mount: &Mount| match &mount.source {
        Source::Volume { name, .. } => Some(name.clone()),
        Source::Host { .. } | Source::Ephemeral => None,
    };
    let [one, other, ..] = members else { return false };
    let names: Vec<String> = one.mounts.iter().filter_map(shared).collect();
    !other.mounts.iter().filter_map(shared).any(|name| names.contains(&name))
}

/// Returns why the cluster of a server with `members` members in all does not form.
pub fn faults(own: &Server, members: u32) -> Vec<Fault> {
    let mut all = match own.software.as_str() {
        "elasticsearch" | "opensearch" => masters(own, members),
        "etcd" => listed(own, members, "INITIAL_CLUSTER", ','),
        "zookeeper" => listed(own, members, "ZOO_SERVERS", ' ')
            .into_iter()
            .chain(listed(own, members, "ZOOKEEPER_SERVERS", ';'))
            .chain(deaf(own))
            .collect(),
        "consul" => expected(own, members),
        "kafka" => copies(own, members).into_iter().chain(cluster_id(own)).collect(),
        "mongodb" => sets(own),
        _ => Vec::new(),
    };
    all.extend(joined(own));
    all.extend(moving(own));
    all.extend(unrelated(own));
    if all.is_empty() {
        all.extend(two(own, members));
    }
    all.extend(plain_transport(own));
    all
}

fn fault(key: Option<&str>, what: String, fix: &str) -> Fault {
    let key = key.map(ToOwned::to_owned);
    Fault { code: codes::NEVER, key, level: Level::Violation, alone: false, what, fix: fix.to_owned() }
}

/// Returns the smallest majority of `members`.
fn majority(members: u32) -> u32 {
    members / 2 + 1
}

/// Elasticsearch before 7 elects a master among `discovery.zen.minimum_master_nodes` members ("Discovery
/// settings", 6.8); since 7 the first election needs a majority of `cluster.initial_master_nodes`
/// ("Bootstrapping a cluster").
fn masters(own: &Server, members: u32) -> Vec<Fault> {
    let mut all = Vec::new();
    let least = ["DISCOVERY_ZEN_MINIMUM_MASTER_NODES", "MINIMUM_MASTER_NODES", "NUMBER_OF_MASTERS"];
    if let Some((key, number)) = least.iter().find_map(|name| own.number(name)) {
        let fix = format!("{key}: {}", majority(members));
        if number > members {
            let what =
                format!("never elects a master: {key} asks for {number}, and the files have {members}");
            all.push(fault(Some(key), what, &fix));
        } else if number < majority(members) && members > 1 {
            let what =
                format!("splits into two clusters: {key} lets {number} of {members} members elect a master");
            all.push(fault(Some(key), what, &fix));
        }
    }
    if let Some((key, list)) = own.get("CLUSTER_INITIAL_MASTER_NODES") {
        let named = items(list, ',');
        if named > 0 && members < majority(named) {
            let what = format!(
                "never elects a master: {key} has {named} names, and {members} of the members are in the files"
            );
            all.push(fault(Some(key), what, &format!("{key}: the names of the members")));
        }
    }
    all
}

/// Returns the number of items in a list; 0 if a variable may stand for several.
fn items(list: &str, sign: char) -> u32 {
    if list.contains(['$', '{', '<', '%', '`']) {
        return 0;
    }
    let all =
        list.split([sign, '\n']).map(|i| i.trim().trim_matches(['"', '[', ']'])).filter(|i| !i.is_empty());
    u32::try_from(all.count()).unwrap_or(0)
}

/// Members of etcd and ZooKeeper know each other from a list, and serve with a majority of it (etcd "Clustering
/// Guide"; ZooKeeper Administrator's Guide, "Clustered Setup").
fn listed(own: &Server, members: u32, name: &str, sign: char) -> Vec<Fault> {
    let Some((key, list)) = own.get(name) else { return Vec::new() };
    let named = items(list, sign);
    let what = if named > 1 && members < majority(named) {
        format!("never has a leader: {key} has {named} members, and the files have {members}")
    } else if named > 0 && members > named && own.count > 1 {
        format!("has {members} members, and {key} only {named}: the others never join")
    } else {
        return Vec::new();
    };
    vec![fault(Some(key), what, &format!("{key}: one item for each member"))]
}

/// Since 3.5, ZooKeeper's own image writes no `clientPort`: a server listens for clients only where its line in
/// ZOO_SERVERS names the port (31z4/zookeeper-docker, `3.9.5/docker-entrypoint.sh`).
fn deaf(own: &Server) -> Option<Fault> {
    let (name, tag) = own.image.rsplit_once(':').unwrap_or((&own.image, ""));
    let ours = ["zookeeper", "library/zookeeper", "docker.io/zookeeper", "docker.io/library/zookeeper"];
    let old = ["3.3", "3.4"].iter().any(|version| tag.starts_with(version));
    let (key, list) = own.get("ZOO_SERVERS")?;
    let named = list.contains("server.") && !list.contains(';');
    if !ours.contains(&name) || old || own.more || !named || own.words.contains("clientPort") {
        return None;
    }
    let what = format!("listens to no client: no line of {key} ends in the port for clients");
    Some(fault(Some(key), what, &format!("{key}: server.N=HOST:2888:3888;2181, for each member")))
}

/// Consul elects its first leader when `-bootstrap-expect` servers have joined (Consul, "Bootstrapping a
/// Datacenter"); with 1 each server elects itself.
fn expected(own: &Server, members: u32) -> Vec<Fault> {
    let Some((key, number)) = own.number("BOOTSTRAP_EXPECT") else { return Vec::new() };
    let what = if number > members {
        format!("never elects a leader: {key} waits for {number} servers, and the files have {members}")
    } else if number == 1 && own.count > 1 {
        format!("never becomes one cluster: with {key}=1 each of its {members} servers elects itself")
    } else if number == 1 && members > 1 && !own.durable {
        format!(
            "may split the cluster: with {key}=1 a new container, which has no data, elects itself beside the others"
        )
    } else {
        return Vec::new();
    };
    vec![fault(Some(key), what, &format!("{key}={members}"))]
}

/// Kafka makes no topic with more copies than brokers, and with `acks=all` takes no record with fewer copies
/// in sync than `min.insync.replicas` (Kafka documentation, "Broker Configs"). The offsets of consumers have
/// 3 copies by default; Confluent's image leaves that default.
fn copies(own: &Server, members: u32) -> Vec<Fault> {
    let mut all = Vec::new();
    const TOPICS: [(&str, &str); 3] = [
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "no consumer group works"),
        ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "no transaction works"),
        ("KAFKA_DEFAULT_REPLICATION_FACTOR", "no topic is made by itself"),
    ];
    for (name, end) in TOPICS {
        if let Some((key, number)) = own.number(name).filter(|(_, number)| *number > members) {
            let what = format!("has {members} brokers, and {key} asks for {number} copies: {end}");
            all.push(fault(Some(key), what, &format!("{key}: {members}")));
        }
    }
    let unset = own.get(TOPICS[0].0).is_none() && own.image.contains("cp-") && !own.more;
    if unset && members < 3 {
        let what = format!(
            "has {members} brokers, and keeps the offsets of consumers in 3 copies by default: no consumer group works"
        );
        all.push(fault(None, what, &format!("{}: {members}", TOPICS[0].0)));
    }
    if let Some((key, _)) = own.number(TOPICS[0].0).filter(|(_, number)| *number == 1 && members > 2) {
        let what = format!(
            "has {members} brokers, and keeps the offsets of consumers once: they go with one broker"
        );
        all.push(Fault { level: Level::Note, ..fault(Some(key), what, &format!("{key}: 3")) });
    }
    if let Some((key, number)) = own.number("KAFKA_MIN_INSYNC_REPLICAS") {
        let most = own.number(TOPICS[2].0).map_or(members, |(_, copies)| copies.min(members));
        if number > most {
            let what = format!(
                "takes no record with acks=all: {key} asks for {number} copies in sync, and there are {most}"
            );
            all.push(fault(Some(key), what, &format!("{key}: {}", majority(most).min(most))));
        }
    }
    all
}

/// Several members of MongoDB without the name of a replica set are servers of their own.
fn sets(own: &Server) -> Vec<Fault> {
    let named = own.has("REPLSET") || own.has("REPLICA_SET") || own.words.to_lowercase().contains("replset");
    if own.count < 2 || own.more || named || own.words.contains("mongos") {
        return Vec::new();
    }
    let what =
        format!("has {} members, and no --replSet makes them one: each has data of its own", own.count);
    vec![fault(None, what, "command: [mongod, --replSet, rs0, --bind_ip_all]")]
}

/// Several members of one description need a setting that joins them.
fn joined(own: &Server) -> Option<Fault> {
    let (_, names, fix) = JOINS.iter().find(|(software, ..)| *software == own.software)?;
    let words = own.words.to_uppercase().replace(['.', '-'], "_");
    let told = names.iter().any(|name| own.has(name) || words.contains(name));
    let count = own.count.max(own.alike);
    if count < 2 || own.more || told {
        return None;
    }
    let what = format!(
        "never becomes one cluster: nothing tells its {count} members of each other, and each has data of its own"
    );
    Some(fault(None, what, fix))
}

/// A member of etcd keeps the addresses of the others in its data: one that comes back under another address
/// is not found (etcd "Runtime reconfiguration": an address changes by `etcdctl member update` only).
fn moving(own: &Server) -> Option<Fault> {
    let (key, value) =
        own.get("INITIAL_ADVERTISE_PEER_URLS").or_else(|| own.get("ETCD_INITIAL_ADVERTISE_PEER_URLS"))?;
    let upper = value.to_uppercase();
    let changes = ["POD_IP", "PODIP", "MY_IP", "HOST_IP_OF_POD"].iter().any(|ip| upper.contains(ip))
        || value.contains("//172.17.");
    if own.software != "etcd" || !own.durable || !changes {
        return None;
    }
    let what = format!(
        "falls apart when containers start again: {key} is an address that changes, and the others keep the old one"
    );
    Some(fault(Some(key), what, "the name of the member: http://$(NAME).SERVICE:2380"))
}

/// Software whose public image starts a server of its own in each container, and copies nothing by itself
/// (docker-library/postgres, mysql and mariadb `docker-entrypoint.sh`; InfluxDB OSS has no cluster; MinIO,
/// "Deploy MinIO: Multi-Node Multi-Drive": each server names the drives of all).
const UNRELATED: [&str; 5] = ["postgresql", "mysql", "mariadb", "influxdb", "minio"];
/// Words of settings that make one server copy another.
const COPIES: [&str; 12] = [
    "REPL",
    "MASTER",
    "PRIMARY",
    "SLAVE",
    "STANDBY",
    "FOLLOW",
    "GALERA",
    "WSREP",
    "CLUSTER",
    "PATRONI",
    "SERVER_ID",
    "://",
];

/// Several servers of one description that know nothing of each other: a client finds other data at each
/// connection.
fn unrelated(own: &Server) -> Option<Fault> {
    let told = |text: &str| {
        let text = text.to_uppercase().replace('-', "_");
        COPIES.iter().any(|word| text.contains(word))
    };
    let joined = told(&own.words) || own.settings.iter().any(|(key, value)| told(key) || told(value));
    if own.count < 2 || own.scripted || joined || !own.apart || !UNRELATED.contains(&own.software.as_str()) {
        return None;
    }
    let what = format!(
        "runs as {} servers that copy nothing from each other: whoever asks for them by one name finds other data each time",
        own.count
    );
    // A file may join them.
    let level = if own.one_name && !own.more { Level::Violation } else { Level::Note };
    Some(Fault {
        level,
        alone: true,
        ..fault(None, what, "one member, or software that copies the data between them")
    })
}

/// Two members that vote: the majority of two is two (etcd FAQ, "Why an odd number of cluster members";
/// ZooKeeper Administrator's Guide; Elasticsearch "Two-node clusters"; Consul "Deployment Table").
fn two(own: &Server, members: u32) -> Option<Fault> {
    const VOTE: [&str; 5] = ["etcd", "zookeeper", "consul", "elasticsearch", "opensearch"];
    let search = matches!(own.software.as_str(), "elasticsearch" | "opensearch");
    // The file of a search server may take its vote away, and the agents of Consul do not vote.
    let may_not = search && (own.more || own.has("MINIMUM_MASTER_NODES"))
        || own.software == "consul" && !own.words.contains("-server");
    let counts = own.count == 2 && members == 2 && own.votes();
    if !counts || may_not || !VOTE.contains(&own.software.as_str()) {
        return None;
    }
    let what =
        "has 2 members that vote, and their majority is 2: an update or a drain of one stops both".to_owned();
    let fix = "three members, or one";
    Some(Fault { code: codes::UPDATE_TOGETHER, level: Level::Note, ..fault(None, what, fix) })
}

/// With security on, Elasticsearch 8 refuses to start as soon as other hosts can reach its transport without
/// TLS (elastic/elasticsearch `x-pack/plugin/core/…/ssl/TransportTLSBootstrapCheck.java`). The image listens
/// on all addresses, and a single node makes no such check.
fn plain_transport(own: &Server) -> Option<Fault> {
    let is = |name: &str, value: &str| own.get(name).is_some_and(|(_, v)| v == value);
    let tag = own.image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let major = tag.split('.').next().and_then(|number| number.parse::<u32>().ok());
    let (key, _) = own.get("XPACK_SECURITY_ENABLED").filter(|(_, value)| *value == "true")?;
    let open = own.get("XPACK_SECURITY_TRANSPORT_SSL_ENABLED").is_none_or(|(_, value)| value == "false");
    let checked = open && !is("DISCOVERY_TYPE", "single-node");
    if own.software != "elasticsearch" || own.more || !checked || major.is_none_or(|m| !(8..100).contains(&m))
    {
        return None;
    }
    let what = format!("never starts: {key} is on, and its transport has no TLS, which version 8 refuses");
    Some(Fault {
        alone: true,
        ..fault(
            Some(key),
            what,
            "xpack.security.transport.ssl.enabled: \"true\", with a certificate for each member",
        )
    })
}

/// Bitnami's Kafka makes an id of its own for the cluster where none is given, and members with other ids
/// never join (bitnami/containers `bitnami/kafka/…/libkafka.sh`, `kraft_initialize`).
fn cluster_id(own: &Server) -> Option<Fault> {
    let roles = own.get("KAFKA_PROCESS_ROLES").is_some_and(|(_, roles)| roles.contains("controller"));
    let voters = own.get("KAFKA_CONTROLLER_QUORUM_VOTERS").map_or(0, |(_, list)| items(list, ','));
    let id = own.get("KAFKA_KRAFT_CLUSTER_ID").is_some();
    if !own.image.contains("bitnami") || own.more || !roles || id || voters.max(own.count) < 2 {
        return None;
    }
    let what = "never becomes one cluster: without KAFKA_KRAFT_CLUSTER_ID each member makes an id of its own"
        .to_owned();
    Some(fault(None, what, "KAFKA_KRAFT_CLUSTER_ID: one id, the same for all members"))
}
