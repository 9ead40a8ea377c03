//! Reads the lists in which known software names its other members, or the servers that it needs.

use crate::images;

/// The form of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A host, with or without a port.
    Host,
    /// `host:port`.
    Port,
    /// `host:port:port`.
    Ports,
    /// `scheme://host:port`.
    Url,
}

/// The variables and options with such a list, in capitals and with `_` for each other sign. Sources: the
/// entrypoints of the images; ZooKeeper Administrator's Guide (`server.x`), Kafka
/// `controller.quorum.voters`, etcd "Clustering Guide".
const LISTS: &[(&str, Form)] = &[
    ("BOOTSTRAP_SERVERS", Form::Host),
    ("CASSANDRA_SEEDS", Form::Host),
    ("DISCOVERY_SEED_HOSTS", Form::Host),
    ("DISCOVERY_ZEN_PING_UNICAST_HOSTS", Form::Host),
    ("EDISCOVERY_SEED_HOSTS", Form::Host),
    ("ETCD_INITIAL_CLUSTER", Form::Url),
    ("INITIAL_CLUSTER", Form::Url),
    ("JOIN", Form::Host),
    ("KAFKA_BOOTSTRAP_SERVERS", Form::Host),
    ("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS", Form::Port),
    ("KAFKA_CFG_ZOOKEEPER_CONNECT", Form::Host),
    ("KAFKA_CONTROLLER_QUORUM_VOTERS", Form::Port),
    ("KAFKA_ZOOKEEPER_CONNECT", Form::Host),
    ("MARIADB_GALERA_CLUSTER_ADDRESS", Form::Host),
    ("MARIADB_MASTER_HOST", Form::Host),
    ("MYSQL_MASTER_HOST", Form::Host),
    ("POSTGRESQL_MASTER_HOST", Form::Host),
    ("POSTGRES_MASTER_HOST", Form::Host),
    ("REDIS_MASTER_HOST", Form::Host),
    ("REPLICATE_FROM", Form::Host),
    ("SCYLLA_SEEDS", Form::Host),
    ("SEEDS", Form::Host),
    ("WSREP_CLUSTER_ADDRESS", Form::Host),
    ("ZK_HOSTS", Form::Host),
    ("ZOOKEEPER_CONNECT", Form::Host),
    ("ZOOKEEPER_HOSTS", Form::Host),
    ("ZOOKEEPER_SERVERS", Form::Ports),
    ("ZOO_SERVERS", Form::Ports),
];

/// The items of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seeds {
    /// The names of the hosts, without addresses and without items that contain variables.
    pub hosts: Vec<String>,
    /// The first item that the software refuses, and the form that it wants.
    refused: Option<(String, &'static str)>,
    /// The software that reads the list; clients have lists of other forms under the same name.
    of: &'static str,
}

impl Seeds {
    /// Returns the item that the software in `image` refuses, and the form that it wants.
    pub fn refused_by(&self, image: &str) -> Option<&(String, &'static str)> {
        self.refused.as_ref().filter(|_| images::name(image).contains(self.of))
    }
}

/// Reads the value of a variable or option; `None` if it is no such list.
pub fn read(name: &str, value: &str) -> Option<Seeds> {
    let name = name.trim_start_matches('-').to_uppercase().replace(['.', '-'], "_");
    let (_, form) = LISTS.iter().find(|(list, _)| *list == name)?;
    let of = match form {
        Form::Host => "",
        Form::Port => "kafka",
        Form::Ports => "zookeeper",
        Form::Url => "etcd",
    };
    let mut seeds = Seeds { of, ..Seeds::default() };
    let items = value.split([',', ';', ' ', '\n']).map(|item| item.trim_matches(['"', '\'', '[', ']', '\\']));
    for item in items.filter(|i| !i.is_empty() && i.contains(|c: char| c.is_alphabetic())) {
        if item.contains(['$', '{', '<', '%', '(', '*', '`']) {
            continue;
        }
        let own = item.split_once('=').map_or(item, |(_, own)| own);
        let (scheme, rest) = own.split_once("://").map_or((None, own), |(s, rest)| (Some(s), rest));
        let rest = rest.split(['/', '?']).next().unwrap_or_default();
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let (host, after) = rest.split_once(':').map_or((rest, ""), |(host, after)| (host, after));
        let port = |text: &str| text.split(['-', ':']).next().is_some_and(|t| t.parse::<u16>().is_ok());
        let wants = match form {
            Form::Port if !port(after) => Some("ID@HOST:PORT"),
            // Without `server.ID=`, ZooKeeper takes the line for a property and starts alone.
            Form::Ports if !item.contains('=') => None,
            Form::Ports if !port(after) || !after.split_once(':').is_some_and(|(_, b)| port(b)) => {
                Some("HOST:2888:3888")
            }
            Form::Url if !port(after) || scheme.is_none() => Some("NAME=http://HOST:2380"),
            _ => None,
        };
        if seeds.refused.is_none() {
            seeds.refused = wants.map(|form| (item.to_owned(), form));
        }
        let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if plain && !address && !host.is_empty() && !host.starts_with("localhost") {
            seeds.hosts.push(host.to_owned());
        }
    }
    Some(seeds)
}

/// Returns the pairs of name and value in the words of a command: `--name=value` and `--name value`.
pub fn options<'w>(words: &[&'w str]) -> Vec<(&'w str, &'w str)> {
    let words: Vec<&str> = words.iter().flat_map(|w| w.split_whitespace()).collect();
    let options = words.iter().enumerate().filter(|(_, word)| word.starts_with('-'));
    let pair = |(i, word): (usize, &&'w str)| match word.split_once('=') {
        Some(pair) => Some(pair),
        None => Some((*word, *words.get(i + 1)?)),
    };
    options.filter_map(pair).collect()
}
