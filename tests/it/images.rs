//! The table of images: its data is well-formed, it recognizes images, and it gives the facts about
//! a container.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use berthc::images::{
    By, Container, Image, Images, Life, Loss, Premise, Seen, Software, Version, Versions, Why,
};

/// Returns the facts of the table about a container of `image`.
fn find(image: &str) -> Option<Arc<Software>> {
    Images::builtin().find(&Container { image, ..Container::default() })
}

fn set<'c>(image: &'c str, env: &[(&'c str, &'c str)], command: &[&'c str]) -> Arc<Software> {
    let env = env.iter().map(|(name, value)| (*name, Some(*value))).collect();
    let container = Container { image, env, command: command.to_vec(), ..Container::default() };
    Images::builtin().find(&container).unwrap()
}

/// Returns the lost data if a durable volume is mounted at each of `targets`.
fn lost(software: &Software, targets: &[&str]) -> Option<Loss> {
    let seen: Vec<Seen> =
        targets.iter().map(|target| Seen { target, life: Life::Durable, data: true }).collect();
    software.lost(&seen, true)
}

#[test]
fn the_table_is_well_formed() {
    assert_eq!(Images::fault(), None);
    let images = Images::builtin();
    let known: BTreeSet<&str> = images.software().map(|s| s.name.as_str()).collect();
    assert_eq!(known.len(), images.software().count(), "a software stands twice");
    assert!(images.all().count() >= 200);
    let mut ids = BTreeSet::new();
    for image in images.all() {
        assert!(ids.insert(&image.id), "{} stands twice", image.id);
        assert!(known.contains(image.software.as_str()), "{}: no software {}", image.id, image.software);
        assert!(!image.source.is_empty(), "{} has no source", image.id);
        for source in &image.source {
            assert!(
                source.repo.contains('/') && !source.path.is_empty() && source.commit.len() > 4,
                "{source:?}"
            );
        }
        for tool in image.tools.iter().flatten() {
            assert!(!image.lacks.iter().flatten().any(|t| t == tool), "{} has and lacks {tool:?}", image.id);
        }
        assert!(!image.stateless || image.data.is_empty(), "{} keeps data and does not", image.id);
        assert!(image.version_after.is_none() || image.versions.is_some(), "{}", image.id);
    }
}

/// A lock of the software itself has a source, like an image.
#[test]
fn a_lock_of_the_software_has_a_source() {
    let locks: Vec<_> = Images::builtin().software().filter_map(|s| s.own_lock.as_ref()).collect();
    assert!(locks.len() >= 8, "{}", locks.len());
    for lock in locks {
        assert!(!lock.file.is_empty() && lock.source.commit.len() == 40, "{lock:?}");
    }
    assert_eq!(find("mongo:6").unwrap().own_lock.as_deref(), Some("mongod.lock"));
    // A second process of an older version takes another directory.
    assert_eq!(find("elasticsearch:2.4").unwrap().own_lock, None);
    assert_eq!(find("elasticsearch:7.17").unwrap().own_lock.as_deref(), Some("node.lock"));
    // The file with the number of the process means nothing to another container.
    assert_eq!(find("postgres:16").unwrap().own_lock, None);
}

/// If two entries have the same image name, each version belongs to exactly one of them.
#[test]
fn each_version_of_an_image_name_has_one_entry() {
    let mut named: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for image in Images::builtin().all().filter(|i| i.tags.is_empty()) {
        let names: BTreeSet<&str> = image.names.iter().map(|name| name.0.as_str()).collect();
        names.into_iter().for_each(|name| named.entry(name).or_default().push(image));
    }
    for (name, images) in named {
        if images.len() == 1 {
            continue;
        }
        for version in
            ["1.8.10", "1.12.1", "2.7.1", "3.4.20", "3.4.30", "3.5.6", "3.5.7", "9.6.0", "17.2.1", "18.1.0"]
        {
            let parsed = version.parse::<Version>().unwrap();
            let takes = |i: &&&Image| i.versions.as_ref().is_some_and(|v| v.take(&parsed));
            let of: Vec<&str> = images.iter().filter(takes).map(|i| i.id.as_str()).collect();
            assert_eq!(of.len(), 1, "{name} {version}: {of:?}");
        }
    }
}

#[test]
fn the_version_is_read_from_the_tag() {
    let of = |tag: &str, after: Option<&str>| Version::of_tag(tag, after).map(|v| v.to_string());
    for (tag, after, version) in [
        ("16", None, Some("16")),
        ("16.4-alpine3.20", None, Some("16.4")),
        ("v3.5.21", None, Some("3.5.21")),
        ("17-3.5", None, Some("17")),
        ("3-management", None, Some("3")),
        ("2.14.2-pg16", Some("pg"), Some("16")),
        ("latest-pg18", Some("pg"), Some("18")),
        ("2.14.2", Some("pg"), None),
        ("latest", None, None),
        ("lts", None, None),
        ("20240101", None, None),
        ("RELEASE.2024-01-01T00-00-00Z", None, None),
    ] {
        assert_eq!(of(tag, after).as_deref(), version, "{tag}");
    }
}

#[test]
fn ranges_of_versions_are_parsed_and_matched() {
    let takes =
        |range: &str, tag: &str| range.parse::<Versions>().unwrap().take(&tag.parse::<Version>().unwrap());
    for (range, inside, outside) in [
        ("<18", &["17", "17.9", "9.6", "1"][..], &["18", "18.0", "19.1"][..]),
        (">=18", &["18", "18.4", "20"], &["17", "17.9"]),
        // A short tag may mean any version that starts with it.
        (">=1.12, <2", &["1", "1.12", "1.99.3"], &["1.11", "2", "2.0", "1.8"]),
        ("<1.12", &["1", "1.8", "0.13"], &["1.12", "1.12.1", "2"]),
        (">=3.4.24, <3.5 || >=3.5.7", &["3.4.30", "3.5.7", "3.5", "3", "4"], &["3.5.6", "3.4.23", "2"]),
        ("9.x - 17", &["9", "9.6", "13", "17", "17.4"], &["8.4", "18"]),
        ("2", &["2", "2.7", "2.7.10"], &["1", "3", "20"]),
        ("<=6.0", &["6", "6.0", "6.0.4", "5.1"], &["6.1", "7"]),
    ] {
        inside.iter().for_each(|tag| assert!(takes(range, tag), "{tag} is in {range}"));
        outside.iter().for_each(|tag| assert!(!takes(range, tag), "{tag} is not in {range}"));
    }
    for wrong in ["", "latest", "<", ">=x", "1..2", "16-alpine", "1 to 2"] {
        assert!(wrong.parse::<Versions>().is_err(), "{wrong}");
    }
    let sample = |range: &str| range.parse::<Versions>().unwrap().sample();
    assert_eq!(sample("<18").as_deref(), Some("17"));
    assert_eq!(sample(">=18").as_deref(), Some("18"));
    assert_eq!(sample(">=1.12, <2").as_deref(), Some("1.12"));
}

#[test]
fn registries_and_mirrors_do_not_change_the_image() {
    for (image, software, place, by) in [
        ("postgres:16", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("docker.io/postgres:16", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("docker.io/library/postgres:18", "postgresql", "/var/lib/postgresql", By::Image),
        (
            "registry.local:5000/mirror/docker.io/library/postgres:17.2",
            "postgresql",
            "/var/lib/postgresql/data",
            By::Image,
        ),
        ("public.ecr.aws/docker/library/postgres:17", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("localhost/mirror/postgres:17", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("arm64v8/postgres:17", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("timescale/timescaledb:2.14.2-pg16", "postgresql", "/var/lib/postgresql/data", By::Image),
        ("timescale/timescaledb:latest-pg18", "postgresql", "/var/lib/postgresql", By::Image),
        ("ghcr.io/zalando/spilo-17:4.0", "postgresql", "/home/postgres/pgdata/pgroot/data", By::Image),
        ("bitnami/postgresql:16", "postgresql", "/bitnami/postgresql", By::Image),
        ("bitnamilegacy/postgresql:16", "postgresql", "/bitnami/postgresql", By::Image),
        ("public.ecr.aws/bitnami/mysql:8", "mysql", "/bitnami/mysql/data", By::Image),
        ("registry.local/proxy/bitnamisecure/mongodb", "mongodb", "/bitnami/mongodb/data", By::Image),
        (
            "docker.elastic.co/elasticsearch/elasticsearch:8.1",
            "elasticsearch",
            "/usr/share/elasticsearch/data",
            By::Image,
        ),
        ("confluentinc/cp-kafka:7.6", "kafka", "/var/lib/kafka/data", By::Image),
        ("confluentinc/cp-server:7.6", "kafka", "/var/lib/kafka/data", By::Image),
        ("quay.io/coreos/etcd:v3.5.21", "etcd", "/var/lib/etcd/default.etcd", By::Image),
        ("quay.io/coreos/etcd:v3.3.8", "etcd", "/default.etcd", By::Image),
        ("gcr.io/etcd-development/etcd:v3.5.21", "etcd", "/var/lib/etcd/default.etcd", By::Image),
        ("cockroachdb/cockroach:v24.1.0", "cockroachdb", "/cockroach/cockroach-data", By::Image),
        ("percona:8.0", "mysql", "/var/lib/mysql", By::Image),
        ("container-registry.oracle.com/mysql/community-server:8.4", "mysql", "/var/lib/mysql", By::Image),
        ("influxdb:1.8", "influxdb", "/var/lib/influxdb", By::Image),
        ("influxdb:2.7-alpine", "influxdb", "/var/lib/influxdb2", By::Image),
        ("ghost:0.11", "ghost", "/var/lib/ghost", By::Image),
        ("ghost:5-alpine", "ghost", "/var/lib/ghost/content", By::Image),
        ("wordpress:6.4-fpm", "wordpress", "/var/www/html", By::Image),
        ("bitnamilegacy/wordpress:6", "wordpress", "/bitnami/wordpress", By::Image),
        ("docker.n8n.io/n8nio/n8n", "n8n", "/home/node/.n8n", By::Image),
        ("ghcr.io/dani-garcia/vaultwarden:1.34", "vaultwarden", "/data", By::Image),
        ("codeberg.org/forgejo/forgejo:9-rootless", "forgejo", "/var/lib/gitea", By::Image),
        ("lscr.io/linuxserver/mariadb:11", "mariadb", "/config", By::Image),
        ("quay.io/keycloak/keycloak:22.0", "keycloak", "/opt/keycloak/data/h2", By::Image),
        // The image of another vendor may keep the data elsewhere.
        ("supabase/postgres:15.8", "postgresql", "/var/lib/postgresql/data", By::Name),
        ("citusdata/citus:12", "postgresql", "/var/lib/postgresql/data", By::Name),
        (
            "acme/docker-elasticsearch-kubernetes:2",
            "elasticsearch",
            "/usr/share/elasticsearch/data",
            By::Name,
        ),
        ("example/percona_xtradb_cluster:5", "galera", "/var/lib/mysql", By::Name),
    ] {
        let found = find(image).unwrap_or_else(|| panic!("{image} is not known"));
        assert_eq!((found.name.as_str(), found.place().as_str(), found.by), (software, place, by), "{image}");
    }
    for image in [
        "nginx:1",
        "memcached:1.6",
        "pingcap/tidb:v8",
        "prom/mysqld-exporter",
        "mongo-express:1",
        "phpmyadmin/phpmyadmin",
        "acme/keycloak:22",
    ] {
        assert!(find(image).is_none(), "{image}");
    }
}

#[test]
fn hints_find_software_that_the_image_name_hides() {
    let find = |image, env: &[&'static str], ports: &[u16], targets: &[&'static str], name| {
        let container = Container {
            image,
            env: env.iter().map(|e| (*e, Some("x"))).collect(),
            ports: ports.to_vec(),
            targets: targets.to_vec(),
            names: vec![name],
            ..Container::default()
        };
        let found = Images::builtin().find(&container);
        let by = if image.contains("thing") { By::Variables } else { By::Hints };
        let hint = |f: &Arc<Software>| image.contains("store") || f.by == by;
        found.inspect(|f| assert!(hint(f), "{image}: {:?}", f.by)).map(|f| f.name.clone())
    };
    type Case = (
        &'static str,
        &'static [&'static str],
        &'static [u16],
        &'static [&'static str],
        &'static str,
        Option<&'static str>,
    );
    let cases: [Case; 13] = [
        ("example/thing:1", &["PGDATA"], &[], &[], "a", Some("postgresql")),
        ("example/images:etcd", &["ETCD_DISCOVERY"], &[], &[], "one", Some("etcd")),
        (
            "example/store:1",
            &["WSREP_CLUSTER_ADDRESS", "MYSQL_ROOT_PASSWORD"],
            &[3306],
            &[],
            "a",
            Some("galera"),
        ),
        ("example/store:1", &["POSTGRES_PASSWORD"], &[5432], &[], "a", Some("postgresql")),
        ("example/store:1", &["PGDATA"], &[], &[], "a", Some("postgresql")),
        ("example/store:1", &["ZOO_MY_ID"], &[], &[], "a", Some("zookeeper")),
        ("example/store:1", &["KAFKA_ADVERTISED_LISTENERS"], &[], &[], "a", Some("kafka")),
        ("example/store:1", &["MYSQL_ROOT_PASSWORD"], &[], &["/var/lib/mysql"], "a", Some("mysql")),
        ("example/store:1", &[], &[27017], &[], "mongodb-1", Some("mongodb")),
        // A variable that clients also have is not enough, and neither is a port or a name.
        ("example/web:1", &["POSTGRES_PASSWORD", "POSTGRES_USER"], &[8080], &[], "web", None),
        ("example/web:1", &[], &[5432], &[], "web", None),
        ("example/web:1", &[], &[8080], &[], "mysql", None),
        ("example/proxy:1", &[], &[3306], &[], "mysql-proxy", None),
    ];
    for (image, env, ports, targets, name, found) in cases {
        assert_eq!(
            find(image, env, ports, targets, name).as_deref(),
            found,
            "{image} {env:?} {ports:?} {name}"
        );
    }
}

#[test]
fn a_declared_volume_hides_a_mount_above_it() {
    let why = |image: &str, target: &str| lost(&find(image).unwrap(), &[target]).map(|l| (l.why, l.targets));
    let over = |volume: &str, mount: &str| {
        Some((Why::Over { volume: volume.into(), mount: mount.into() }, vec![volume.to_owned()]))
    };
    let data = "/var/lib/postgresql/data";
    assert_eq!(why("postgres:16", data), None);
    assert_eq!(why("postgres:16", "/var/lib/postgresql"), over(data, "/var/lib/postgresql"));
    assert_eq!(why("postgres:18", "/var/lib/postgresql"), None);
    let elsewhere = Some((Why::Nothing, vec!["/var/lib/postgresql".to_owned()]));
    assert_eq!(why("postgres:18", data), elsewhere);
    assert_eq!(why("mongo:7", "/data"), over("/data/db", "/data"));
    assert_eq!(
        why("confluentinc/cp-kafka:7.6", "/var/lib/kafka"),
        over("/var/lib/kafka/data", "/var/lib/kafka")
    );
    assert_eq!(why("bitnami/minio:2024", "/bitnami"), over("/bitnami/minio/data", "/bitnami"));
    assert_eq!(why("bitnami/postgresql:16", "/bitnami/postgresql"), None);
    assert_eq!(why("rabbitmq:4", "/var/lib/rabbitmq/mnesia"), None);
    assert_eq!(why("neo4j:5", "/var/lib/neo4j/data"), None);
    assert_eq!(why("cassandra:5", "/opt/cassandra/data"), None);
}

/// Without a version, the data must be kept in every possible version.
#[test]
fn without_a_version_every_version_must_keep_its_data() {
    for image in
        ["postgres", "postgres:latest", "postgres@sha256:0123", "registry.local/mirror/postgres:latest"]
    {
        let software = find(image).unwrap();
        let loss = |target: &str| lost(&software, &[target]).unwrap();
        let newer = loss("/var/lib/postgresql/data");
        assert_eq!((newer.versions.as_deref(), newer.pin.as_deref()), (Some(">=18"), Some("17")), "{image}");
        let older = loss("/var/lib/postgresql");
        assert_eq!((older.versions.as_deref(), older.pin.as_deref()), (Some("<18"), Some("18")), "{image}");
        assert_eq!(lost(&software, &[]).unwrap().versions, None);
    }
    assert_eq!(lost(&find("postgres:16@sha256:0123").unwrap(), &["/var/lib/postgresql/data"]), None);
}

#[test]
fn settings_move_the_data() {
    type Case =
        (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str], &'static str);
    let cases: [Case; 23] = [
        ("postgres:17", &[("PGDATA", "/pg/data")], &[], "/pg"),
        ("bitnami/postgresql:16", &[("POSTGRESQL_VOLUME_DIR", "/pg")], &[], "/pg"),
        ("mysql:8", &[], &["--datadir=/m"], "/m"),
        ("mysql:8", &[], &["mysqld", "--datadir", "/m"], "/m"),
        ("mysql:8", &[], &["sh", "-c", "exec mysqld --datadir='/m'"], "/m"),
        ("mongo:7", &[], &["mongod", "--dbpath", "/m"], "/m"),
        ("mongo:7", &[], &["mongod", "--configsvr"], "/data/configdb"),
        ("quay.io/coreos/etcd:v3.5.9", &[], &["etcd", "--data-dir=/e"], "/e"),
        ("quay.io/coreos/etcd:v3.5.9", &[("ETCD_DATA_DIR", "/e")], &[], "/e"),
        ("redis:7", &[], &["redis-server", "--dir", "/r"], "/r"),
        ("rabbitmq:4", &[("RABBITMQ_MNESIA_BASE", "/m")], &[], "/m"),
        ("apache/kafka:3.9.0", &[("KAFKA_LOG_DIRS", "/k")], &[], "/k"),
        ("apache/kafka:3.9.0", &[("KAFKA_NODE_ID", "1")], &[], "/tmp/kafka-logs"),
        ("apache/kafka:3.9.0", &[], &[], "/tmp/kraft-combined-logs"),
        ("cockroachdb/cockroach:v24", &[], &["start", "--store=path=/c,size=1G"], "/c"),
        ("prom/prometheus:v3", &[], &["--storage.tsdb.path=/p"], "/p"),
        ("minio/minio:latest", &[], &["server", "/m", "--console-address", ":9001"], "/m"),
        ("minio/minio:latest", &[], &["server", "http://minio{1...4}/m"], "/m"),
        ("influxdb:2", &[("INFLUXD_BOLT_PATH", "/i/b"), ("INFLUXD_ENGINE_PATH", "/i/e")], &[], "/i"),
        ("elasticsearch:8.1.0", &[("path.data", "/e")], &[], "/e"),
        ("consul:1.15", &[], &["agent", "-data-dir=/c"], "/c"),
        ("victoriametrics/victoria-metrics:v1", &[], &["--storageDataPath=/v"], "/v"),
        // The part of the path that only the machine knows is below the known part.
        ("postgres:17", &[("PGDATA", "/pg/$(POD_NAME)")], &[], "/pg"),
    ];
    for (image, env, command, target) in cases {
        let software = set(image, env, command);
        assert_eq!(software.by, By::Image);
        assert_eq!(lost(&software, &[target]), None, "{image} {env:?} {command:?}");
        let loss = lost(&software, &["/elsewhere"]);
        assert!(loss.is_some(), "{image} {env:?} {command:?} is lost with a mount elsewhere");
    }
    // The meaning of a relative path is unknown.
    assert_eq!(lost(&set("quay.io/coreos/etcd:v3.5.9", &[], &["etcd", "--data-dir", "data"]), &["/x"]), None);
    let mysql = set("mysql:8", &[], &["--defaults-file=/conf/my.cnf"]);
    assert_eq!(lost(&mysql, &["/x"]).unwrap().premise, Some(Premise::Settings));
    assert_eq!(lost(&mysql, &[]).unwrap().premise, None);
}

/// The settings of these images decide whether they keep data at all.
#[test]
fn settings_move_the_data_to_another_store() {
    type Case = (
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
        Option<&'static str>,
    );
    let cases: [Case; 16] = [
        ("keycloak/keycloak:22.0", &[], &["start-dev"], Some("/opt/keycloak/data/h2")),
        ("keycloak/keycloak:22.0", &[("KC_DB", "dev-file")], &["start"], Some("/opt/keycloak/data/h2")),
        ("keycloak/keycloak:22.0", &[("KC_DB", "postgres")], &["start"], None),
        ("keycloak/keycloak:22.0", &[], &["start", "--db=postgres"], None),
        ("keycloak/keycloak:22.0", &[], &["export", "--dir", "/tmp"], None),
        ("n8nio/n8n:1.70.0", &[("DB_TYPE", "postgresdb")], &[], Some("/home/node/.n8n")),
        ("n8nio/n8n:1.70.0", &[("DB_TYPE", "postgresdb"), ("N8N_ENCRYPTION_KEY", "x")], &[], None),
        ("metabase/metabase:v0.50.0", &[], &[], Some("/metabase.db")),
        ("metabase/metabase:v0.50.0", &[("MB_DB_TYPE", "postgres")], &[], None),
        ("traefik:v3.1", &[], &["--providers.docker=true"], None),
        (
            "traefik:v3.1",
            &[],
            &["--certificatesresolvers.le.acme.storage=/acme/acme.json"],
            Some("/acme/acme.json"),
        ),
        ("logstash:8.15.0", &[], &[], None),
        ("logstash:8.15.0", &[("QUEUE_TYPE", "persisted")], &[], Some("/usr/share/logstash/data")),
        ("storm:2.4", &[], &["storm", "nimbus"], Some("/data")),
        ("storm:2.4", &[], &["storm", "ui"], None),
        ("rancher/k3s:v1.30.2-k3s1", &[], &["agent", "--server", "https://k3s:6443"], None),
    ];
    for (image, env, command, place) in cases {
        let env = env.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let container = Container { image, env, command: command.to_vec(), ..Container::default() };
        let loss = Images::builtin().find(&container).and_then(|software| lost(&software, &[]));
        let paths = loss.map(|loss| loss.paths);
        let expected = place.map(|path| vec![path.to_owned()]);
        assert_eq!(paths, expected, "{image} {command:?}");
    }
    // Only the image before 1.0 links its directory to this path.
    let places = |image| lost(&find(image).unwrap(), &["/root/.n8n"]).map(|loss| loss.paths);
    assert_eq!(places("n8nio/n8n:0.236.0"), None);
    assert_eq!(places("n8nio/n8n:1.70.0"), Some(vec!["/home/node/.n8n".to_owned()]));
    assert_eq!(lost(&find("drupal:10.2").unwrap(), &["/var/www/html/sites"]), None);
}

#[test]
fn every_needed_directory_must_be_kept() {
    let zookeeper = find("zookeeper:3.8").unwrap();
    assert_eq!(lost(&zookeeper, &["/data", "/datalog"]), None);
    assert_eq!(lost(&zookeeper, &["/data"]).unwrap().targets, ["/datalog"]);
    assert_eq!(lost(&zookeeper, &[]).unwrap().targets, ["/data", "/datalog"]);
    let one = set("zookeeper:3.8", &[("ZOO_DATA_LOG_DIR", "/data/log")], &[]);
    assert_eq!(lost(&one, &["/data"]), None);
    // Logs are no data.
    assert_eq!(lost(&find("neo4j:5").unwrap(), &["/data"]), None);
}

#[test]
fn a_hostname_in_the_path_must_be_fixed() {
    let seen = [Seen { target: "/var/lib/rabbitmq", life: Life::Durable, data: true }];
    let why = |software: &Software, fixed| software.lost(&seen, fixed).map(|l| l.why);
    let rabbit = find("rabbitmq:3.13").unwrap();
    assert_eq!(why(&rabbit, true), None);
    assert_eq!(why(&rabbit, false), Some(Why::Hostname));
    assert_eq!(why(&set("rabbitmq:3.13", &[("RABBITMQ_NODENAME", "rabbit@localhost")], &[]), false), None);
    let kafka = find("wurstmeister/kafka:2.13-2.8.1").unwrap();
    let seen = [Seen { target: "/kafka", life: Life::Durable, data: true }];
    assert_eq!(kafka.lost(&seen, false).map(|l| l.why), Some(Why::Hostname));
    assert_eq!(kafka.lost(&seen, true), None);
}
