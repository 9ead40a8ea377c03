//! Finds clusters that never form, or fall apart: numbers and lists that do not fit the members of the files,
//! and several members without a setting that joins them.

use crate::finding::Level;

/// The settings of one server of a cluster, of which `count` members run.
#[derive(Debug, Default)]
pub struct Server {
    /// The software.
    pub software: String,
    /// The name of the image.
    pub image: String,
    /// The number of its members.
    pub count: u32,
    /// The variables and the options of its command, with their values.
    pub settings: Vec<(String, String)>,
    /// All that it is told: commands, hooks and the values of variables.
    pub words: String,
    /// Whether a file or another object may have more settings.
    pub more: bool,
    /// Whether its data outlives its containers.
    pub durable: bool,
}

/// A cluster that does not form.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The setting that says so; `None` if one is absent.
    pub key: Option<String>,
    /// The severity.
    pub level: Level,
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
        "kafka" => copies(own, members),
        "mongodb" => sets(own),
        _ => Vec::new(),
    };
    all.extend(joined(own));
    all.extend(moving(own));
    all
}

fn fault(key: Option<&str>, what: String, fix: &str) -> Fault {
    Fault { key: key.map(ToOwned::to_owned), level: Level::Violation, what, fix: fix.to_owned() }
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
    if own.count < 2 || own.more || told {
        return None;
    }
    let what = format!(
        "never becomes one cluster: nothing tells its {} members of each other, and each has data of its own",
        own.count
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
