//! Tests the container of a unit and its mounts.

use berthc::backend::Fences;
use berthc::world::{Missing, Source, Workload, World};

use super::{codes, emitted, find, read, unread};

/// Returns the world of one unit `a@1.service` with these lines in `[Service]`.
fn world(service: &str) -> World {
    read(&[("a@1.service", format!("[Service]\n{service}\n[X-Fleet]\n"))])
}

fn one(service: &str) -> Workload {
    let world = world(service);
    assert_eq!(unread(&world), [""; 0], "{service}");
    world.workloads.into_iter().next().unwrap()
}

/// Returns the mounts as `target=source`, and what happens if the source is missing.
fn mounts(w: &Workload) -> Vec<String> {
    let missing = |m: &Missing| if *m == Missing::Created { "+" } else { "" };
    let text = |source: &Source| match source {
        Source::Host { path, missing: m, .. } => format!("{path}{}", missing(m)),
        Source::Volume { name, fences, missing: m, .. } => format!("{name} {fences:?}{}", missing(m)),
        Source::Ephemeral => "-".to_owned(),
    };
    w.members[0].mounts.iter().map(|m| format!("{}={}", m.target, text(&m.source))).collect()
}

fn ports(w: &Workload) -> Vec<String> {
    assert!(w.ports.iter().all(|p| p.bound && !p.scheduled));
    w.ports.iter().map(|p| format!("{}/{}", p.number, p.protocol)).collect()
}

#[test]
fn every_form_of_a_docker_option_is_read() {
    for start in [
        "/usr/bin/docker run -v /srv/a:/data --publish=80:8080 --name=a --hostname h1 img:1",
        "/usr/bin/docker run -it --rm -v=/srv/a:/data -p80:8080 --name a -hh1 img:1 -v /x:/y",
        "docker --log-level warn container run --volume /srv/a/:/data -itp 80:8080 --name a -h h1 img:1",
        "/bin/env A=b timeout -k 5 90 docker run --name a -h h1 -v /srv/a:/data -p 0.0.0.0:80:8080 -- img:1",
        "/opt/bin/systemd-docker --cgroups name=systemd run --name %p -h h%i -v /srv/%p:/data -p [::]:80:8080 img:1",
        "/bin/sh -c 'exec docker run --name a -h h1 -v /srv/a:/data -p 80:8080 img:1'",
        "/bin/bash -ec \"A=/srv; B=$${A}/%p; docker run --name %p -h h1 -v $B:/data -p $((40+%i*40)):8080 img:1 >/dev/null 2>&1\"",
        "/bin/sh -c '/bin/true && exec \"$$0\" \"$$@\"' docker run --name a -h h1 -v /srv/a:/data -p 80:8080 img:1",
        "-/usr/bin/docker run \\\n  --name a \\\n  -h h1 -v /srv/a:/data \\\n  -p 80:8080 img:1",
    ] {
        let w = one(&format!("ExecStart={start}"));
        assert_eq!(mounts(&w), ["/data=/srv/a+"], "{start}");
        assert_eq!(ports(&w), ["80/tcp"], "{start}");
        let member = &w.members[0];
        assert_eq!(member.container.as_ref().map(|(n, _)| n.as_str()), Some("a"), "{start}");
        assert_eq!(member.hostname.as_ref().map(|(n, _)| n.as_str()), Some("h1"), "{start}");
        assert_eq!(w.image, "img", "{start}");
    }
}

#[test]
fn findings_point_to_the_line_of_the_option() {
    let w = one(
        "ExecStart=/usr/bin/docker run \\\n  --name a \\\n  # aside\n  --net=host \\\n  -v /srv/a:/data \\\n  img:1",
    );
    let member = &w.members[0];
    let at = &member.mounts[0].at;
    assert_eq!((at.line, at.field.as_str()), (6, "Service ExecStart --volume"));
    assert_eq!(member.container.as_ref().unwrap().1.line, 3);
    assert_eq!(w.node_network.as_ref().unwrap().line, 5);
}

#[test]
fn mounts_of_every_kind_are_read() {
    let of = |options: &str| mounts(&one(&format!("ExecStart=/usr/bin/docker run {options} img")));
    assert_eq!(of("--mount type=bind,src=/srv/a,dst=/data"), ["/data=/srv/a"]);
    assert_eq!(
        of("-v /srv/a:/data:rw,z -v /srv/b:/b:ro --mount type=bind,source=/c,target=/c,readonly"),
        ["/data=/srv/a+"]
    );
    assert_eq!(of("-v data:/data -v /cache --tmpfs /t:size=1m"), ["/data=volume data+", "/cache=-", "/t=-"]);
    assert_eq!(of("--volume-driver=rexray/ebs -v data-1:/data"), ["/data=data-1 Always+"]);
    assert_eq!(of("--mount type=volume,volume-driver=rexray/rbd:1,src=d,dst=/d"), ["/d=d Never+"]);
    assert_eq!(
        of(
            "--mount type=volume,src=d,dst=/d,volume-opt=type=nfs,volume-opt=device=:/share/d,volume-opt=o=addr=n"
        ),
        ["/d=:/share/d Never+"]
    );
    assert_eq!(
        of(
            "-v /var/run/docker.sock:/var/run/docker.sock -v /etc/localtime:/etc/localtime -v /dev:/dev -v /:/host"
        ),
        [""; 0]
    );
    let pre = "ExecStartPre=docker volume create -d flocker -o size=5 --name d\nExecStart=/usr/bin/docker run -v d:/d img";
    assert_eq!(mounts(&one(pre)), ["/d=d WhileConnected+"]);
    let pre = "ExecStartPre=docker volume inspect d\nExecStart=/usr/bin/docker run -v d:/d img";
    assert_eq!(mounts(&one(pre)), ["/d=volume d"]);
    let pre = "ExecStartPre=-docker volume inspect d\nExecStart=/usr/bin/docker run -v d:/d img";
    assert_eq!(mounts(&one(pre)), ["/d=volume d+"]);
}

#[test]
fn ports_and_networks_are_read() {
    let of = |options: &str| ports(&one(&format!("ExecStart=/usr/bin/docker run {options} img")));
    assert_eq!(of("-p 80 -p :81 -p 127.0.0.1::82 -P"), [""; 0]);
    assert_eq!(of("-p 7000-7002:7000-7002 -p 53:53/udp"), ["7000/tcp", "7001/tcp", "7002/tcp", "53/udp"]);
    assert_eq!(of("--network host -p 80:80"), [""; 0]);
    assert!(one("ExecStart=/usr/bin/docker run --net host img").node_network.is_some());
    assert_eq!(
        unread(&world("ExecStart=/usr/bin/docker run -p ${PORT}:80 img")),
        ["the port `${PORT}:80` is not known: it is left out"]
    );
}

#[test]
fn variables_and_specifiers_are_expanded() {
    let w = one(
        "Environment=\"DIR=/srv/%i\" N=a\nExecStart=/usr/bin/docker run --name ${N}-%p -v ${DIR}/x:/data -e A=$$HOME img",
    );
    assert_eq!(mounts(&w), ["/data=/srv/1/x+"]);
    assert_eq!(w.members[0].container.as_ref().unwrap().0, "a-a");
    let world = world(
        "Environment=N=a\nEnvironmentFile=/etc/environment\nExecStart=/usr/bin/docker run --name ${N} -v /m/%H:/data img",
    );
    let w = &world.workloads[0];
    assert_eq!(mounts(w), ["/data=/m/%H+"]);
    assert_eq!(
        unread(&world),
        [
            "EnvironmentFile= may override Environment=: treated as if it did not",
            "`/m/%H:/data` is known only on the machine: taken as it is written"
        ]
    );
    let named = one("ExecStart=@/usr/bin/docker mydocker run --name %N-%j img");
    assert_eq!(named.members[0].container.as_ref().unwrap().0, "a@1-a");
}

#[test]
fn commands_that_cannot_be_read_are_listed() {
    for (service, what) in [
        (
            "ExecStart=/usr/bin/etcd2",
            "it runs `/usr/bin/etcd2`, and no container that is read: what it holds is not searched",
        ),
        ("ExecStart=/usr/bin/rkt run img", "a container of rkt: what it holds is not searched"),
        (
            "ExecStart=/usr/bin/docker start -a a",
            "`docker start` of a container that is made elsewhere: what it holds is not searched",
        ),
        (
            "ExecStart=/usr/bin/docker run --volumes-from a-data img",
            "no file makes the container `a-data`: its volumes may hold data",
        ),
        (
            "ExecStart=/usr/bin/docker run --net container:b img",
            "the network of another container: its ports are left out",
        ),
        (
            "ExecStart=/usr/bin/docker run -v d:/d --volume-driver pxd img",
            "the volume driver `pxd` is unknown: treated as a share that every machine can mount",
        ),
        (
            "ExecStart=/usr/bin/docker run --name \"a img",
            "its quotes do not close: systemd ignores the line; the rest of the line is ignored",
        ),
        (
            "ExecStart=/bin/sh -c 'eval $X; docker run img'",
            "`eval` in a shell script; the rest of the line is ignored",
        ),
        ("ExecStart=/usr/bin/docker run", "`docker run` without an image; it is left out"),
    ] {
        assert_eq!(unread(&world(service)), [what], "{service}");
    }
}

#[test]
fn a_container_that_is_created_and_then_started_is_read() {
    let w = one(
        "ExecStartPre=-docker rm a\nExecStartPre=docker create --name a -v /srv/a:/data img\nExecStart=/usr/bin/docker start -a a",
    );
    assert_eq!((mounts(&w), w.outlives), (vec!["/data=/srv/a+".to_owned()], None));
    let w = one(
        "ExecStartPre=docker create --name a -v /srv/a:/data img\nExecStart=/usr/bin/docker start a\nExecStop=docker stop a",
    );
    assert_eq!(w.outlives.unwrap().field, "Service ExecStart");
}

#[test]
fn containers_that_outlive_their_unit_are_reported() {
    for (service, line) in [
        ("ExecStart=/usr/bin/docker run --rm -d --name a img", 2),
        (
            "ExecStartPre=docker run --rm -dit --name a img\nExecStart=/usr/bin/docker logs -f a\nExecStop=docker stop a",
            2,
        ),
        ("ExecStart=/usr/bin/docker run --rm --restart=always --name a img", 2),
        ("ExecStart=/usr/bin/docker run --rm --restart unless-stopped --name a img", 2),
        ("ExecStart=/usr/bin/docker run --rm --name a img\nKillMode=none", 3),
        ("ExecStart=/bin/sh -c 'ID=$(docker run -d img); docker wait $ID'", 2),
    ] {
        let world = world(service);
        assert_eq!(codes(&world), [format!("!container-outlives a@1.service:{line}")], "{service}");
        assert_eq!(world.workloads[0].outlives.as_ref().unwrap().line, line);
    }
    for service in [
        "ExecStart=/usr/bin/docker run --rm --detach=false --restart=no --name a img",
        "ExecStart=/usr/bin/docker run --rm --restart=on-failure:3 --name a img",
        "KillMode=none\nKillMode=mixed\nExecStart=/usr/bin/docker run --rm --name a img",
    ] {
        assert_eq!(codes(&world(service)), [""; 0], "{service}");
    }
    // The unit stops its container, if the container reacts to the signal.
    let world =
        world("ExecStart=/usr/bin/docker run --rm --name a img\nKillMode=none\nExecStop=docker stop a");
    assert_eq!(codes(&world), ["container-outlives a@1.service:3"]);
    assert!(world.workloads[0].outlives.is_none());
}

#[test]
fn the_stop_timeout_is_read() {
    for (service, grace, line) in [
        ("", 90, None),
        ("TimeoutStopSec=2min 5s", 125, Some(3)),
        ("TimeoutSec=20", 20, Some(3)),
        ("TimeoutStopSec=infinity", u32::MAX, Some(3)),
        ("ExecStop=docker stop a", 10, Some(3)),
        ("ExecStop=docker stop --time=60 a", 60, Some(3)),
        ("ExecStop=-/bin/sh -c 'docker stop -t 45 a || true'", 45, Some(3)),
        ("ExecStop=docker kill -s TERM a", 90, Some(3)),
        ("ExecStop=docker kill a", 0, Some(3)),
        ("ExecStop=docker rm -f a", 0, Some(3)),
    ] {
        let world = world(&format!("ExecStart=/usr/bin/docker run --rm --name a img\n{service}"));
        let w = &world.workloads[0];
        assert_eq!((w.grace, w.grace_at.as_ref().map(|at| at.line)), (grace, line), "{service}");
        assert_eq!(codes(&world), [""; 0], "{service}");
    }
    let db = |more: &str| {
        codes(&world(&format!(
            "ExecStart=/usr/bin/docker run --rm --name a -e MYSQL_ROOT_PASSWORD=x -v /d:/var/lib/mysql library/mysql:8\n{more}\nRestart=always"
        )))
    };
    // systemd waits for the same time again after its signal, and the kill by the daemon does not
    // need the client.
    assert_eq!(db("ExecStop=docker stop -t 180 a"), [""; 0]);
    assert_eq!(db("ExecStop=docker stop -t 181 a"), ["grace-short a@1.service:3"]);
    assert_eq!(db("TimeoutStopSec=60\nExecStop=docker stop -t 60 a"), [""; 0]);
    assert_eq!(db("ExecStop=docker stop -t 3 a"), ["grace-short a@1.service:3"]);
    assert_eq!(db("ExecStop=docker kill a"), ["!grace-short a@1.service:3"]);
    assert_eq!(db("ExecStop=docker stop a"), ["grace-short a@1.service:3"]);
    assert_eq!(db("TimeoutStopSec=20"), ["grace-short a@1.service:3"]);
    assert_eq!(db("TimeoutStopSec=61\nExecStop=docker stop -t 60 a"), [""; 0]);
    assert_eq!(db(""), [""; 0]);
    assert_eq!(db("TimeoutStopSec=0\nExecStop=docker stop -t 300 a"), [""; 0]);
}

#[test]
fn starts_that_kill_another_container_are_reported() {
    let with = |pre: &str, x_fleet: &str| {
        let text = format!(
            "[Service]\nExecStartPre={pre}\nExecStart=/usr/bin/docker run --rm --name db --label tier=db --label berth.unit=%n -v /d:/d img\n[X-Fleet]\n{x_fleet}\n"
        );
        read(&[("db@1.service", &text), ("db@2.service", &text)])
    };
    for pre in [
        "-/usr/bin/docker kill db",
        "-docker rm --force db",
        "-docker rm -vf db",
        "docker stop -t 5 db",
        "-/bin/bash -c 'docker kill db > /dev/null 2>&1'",
        "/bin/sh -c 'for c in $$(docker ps -q); do :; done; docker kill $(docker ps -q --filter name=db)'",
        "/bin/sh -c 'docker ps -aq | xargs docker rm -f'",
        "/bin/sh -c 'docker ps -q -f name=d | xargs -r docker kill'",
        "/bin/sh -c 'docker ps -q -f name=x -f name=^/d | xargs docker kill'",
        "/bin/sh -c 'docker ps -q -f name=^db.*$ | xargs docker kill'",
        "/bin/sh -c 'docker ps -q -f name=^/db$ | xargs docker kill'",
        "/bin/sh -c 'c=`docker ps -q --filter label=tier=db`; docker stop $c'",
    ] {
        let world = with(pre, "Conflicts=db@*.service");
        assert_eq!(codes(&world), ["!start-kills db@1.service:2", "!start-kills db@2.service:2"], "{pre}");
        assert_eq!(find(&world, "db@1.service").kills.as_ref().unwrap().line, 2);
    }
    for pre in [
        "-/usr/bin/docker rm db",
        "-docker kill other",
        "/bin/sh -c 'docker ps -q -f name=^/d$ | xargs docker kill'",
        "/bin/sh -c 'c=$$(docker ps -q --filter label=berth.unit=%n); test -z \"$$c\" || docker stop $$c'",
    ] {
        let world = with(pre, "");
        assert_eq!(codes(&world), [""; 0], "{pre}");
        assert!(world.workloads.iter().all(|w| w.kills.is_none()));
    }
    // Each of these machines has one of the units.
    let text = |i: u32| {
        format!(
            "[Service]\nExecStartPre=-docker kill db\nExecStart=/usr/bin/docker run --rm --name db img\n[X-Fleet]\nMachineMetadata=db={i}\n"
        )
    };
    let world = read(&[("db@1.service", text(1)), ("db@2.service", text(2))]);
    assert_eq!(codes(&world), [""; 0]);
    assert!(find(&world, "db@1.service").kills.is_some());
}

#[test]
fn data_that_is_lost_with_the_container_is_reported() {
    let of = |run: &str| {
        codes(&world(&format!(
            "ExecStart=/usr/bin/docker run --rm -e MYSQL_ROOT_PASSWORD=x {run}\nRestart=always"
        )))
    };
    // Members of a quorum come back with their old identity, but without their log.
    for run in
        ["zookeeper:3.4", "r.io:5000/h/zookeeper@sha256:0", "-v /c:/c:ro --entrypoint etcd coreos/etcd"]
    {
        assert_eq!(of(run), ["!data-ephemeral a@1.service:2"], "{run}");
    }
    // A single database also loses its data.
    for run in
        ["-v /data mysql:8", "-v d:/elsewhere mysql", "-v /srv:/data zookeeper", "-v /tmp/d:/data/db mongo:7"]
    {
        assert_eq!(of(run), ["!data-ephemeral a@1.service:2"], "{run}");
    }
    for run in [
        "-v /srv:/data -v /log:/datalog zookeeper",
        "-v d:/elsewhere acme/mysql",
        "-v d:/elsewhere mysql --datadir=/elsewhere",
        "nginx",
        "mongo:3 mongodump",
    ] {
        assert_eq!(of(run), [""; 0], "{run}");
    }
    assert_eq!(of("--volumes-from d mysql"), ["not-among-files a@1.service:2"]);
    // A cache without any mount is often intended.
    assert_eq!(of("redis"), ["data-ephemeral a@1.service:2"]);
    assert_eq!(mounts(&world("ExecStart=/usr/bin/docker run mongo:3").workloads[0]), ["/data/db=-"]);
}

#[test]
fn only_locks_inside_the_container_count() {
    let guard = r#"'exec 9<"$$0" && flock -n 9 && exec "$$@"'"#;
    let w = one(&format!(
        "ExecStart=/usr/bin/docker run -v /d:/data --entrypoint /bin/sh img -c {guard} /data /run"
    ));
    assert_eq!(w.lock.unwrap().0, "/data");
    let w = one("ExecStart=/usr/bin/docker run -v /d:/data img flock -n /data/lock /run");
    assert_eq!(w.lock.unwrap().0, "/data/lock");
    for start in
        ["/usr/bin/flock -n /d/lock docker run -v /d:/data img", "/usr/bin/flock /d/lock -c 'docker run img'"]
    {
        let world = world(&format!("ExecStart={start}"));
        assert_eq!(codes(&world), ["!rule-ignored a@1.service:2"], "{start}");
        assert!(world.workloads[0].lock.is_none() && world.findings[0].message.contains("the lock is free"));
    }
}

#[test]
fn emitted_units_are_read_back_as_the_spec_says() {
    let world = read(&emitted("specs"));
    let zookeeper = find(&world, "zookeeper@2.service");
    assert_eq!(mounts(zookeeper), ["/data=/mnt/d1/zookeeper-2"]);
    assert_eq!(ports(zookeeper), ["2181/tcp", "2888/tcp", "3888/tcp"]);
    assert_eq!((zookeeper.image.as_str(), zookeeper.grace), ("zookeeper", 30));
    assert_eq!(zookeeper.members[0].hostname.as_ref().unwrap().0, "zookeeper-2");
    assert_eq!(zookeeper.wants[0].values, ["2"]);
    let cloud = find(&world, "cockroachdb-cloud@1.service");
    assert_eq!(
        mounts(cloud),
        [format!("/cockroach/cockroach-data=store-cockroachdb-cloud-1 {:?}", Fences::Always)]
    );
    let replica = find(&world, "mysql-replica@2.service");
    assert_eq!(mounts(replica), ["/var/lib/mysql=data-mysql-replica-2 Always"]);
    let data = find(&world, "elasticsearch-data.v1.service");
    assert_eq!(mounts(data), ["/usr/share/elasticsearch/data=/mnt/d1/elasticsearch"]);
    assert_eq!(data.lock.as_ref().unwrap().0, "/usr/share/elasticsearch/data");
    assert!(data.node_network.is_some() && data.ports.is_empty() && data.kind.per_node());
}

#[test]
fn a_port_of_one_address_and_a_shared_lock_exclude_nothing() {
    let of = |run: &str| world(&format!("ExecStart=/usr/bin/docker run --name a {run}"));
    for (port, bound) in [
        ("5000:5000", true),
        ("0.0.0.0:5000:5000", true),
        ("[::]:5000:5000", true),
        // Tried on docker 20.10.24 and 28.5.2: it keeps away 127.0.0.1:5000 and 0.0.0.0:5000.
        ("127.0.0.1:5000:5000", true),
        ("10.0.0.1:5000:5000/tcp", false),
        ("5000", false),
    ] {
        assert_eq!(!of(&format!("-p {port} img")).workloads[0].ports.is_empty(), bound, "{port}");
    }
    for (lock, held) in [
        ("-n /data /db", true),
        ("-xn /data /db", true),
        ("-ns /data /db", false),
        ("-n /data", false),
        ("-x -w 5 /data /db", true),
        ("-s /data /db", false),
        ("--shared -n /data /db", false),
        ("-no /data /db", false),
        ("-u /data /db", false),
    ] {
        let world = of(&format!("--mount type=bind,source=/d,target=/data img flock {lock}"));
        assert_eq!(world.workloads[0].lock.is_some(), held, "{lock}");
        assert_eq!(world.unread.len(), usize::from(!held), "{lock}");
    }
}

#[test]
fn different_spellings_of_a_directory_are_one_directory() {
    for mount in ["/srv//db/", "/srv/x/../db"] {
        let w = one(&format!("ExecStart=/usr/bin/docker run --name a -v {mount}:/data img"));
        assert_eq!(mounts(&w), ["/data=/srv/db+"], "{mount}");
    }
    for mount in [
        "--mount TYPE=bind,Source=/srv/./db,Target=/data",
        r#"--mount 'type=BIND,"source=/srv/db/","target=/data"'"#,
    ] {
        let w = one(&format!("ExecStart=/usr/bin/docker run --name a {mount} img"));
        assert_eq!(mounts(&w), ["/data=/srv/db"], "{mount}");
    }
    let read_only = r#"--mount 'type=bind,source=/srv/db,Target=/data,"ReadOnly"'"#;
    assert_eq!(mounts(&one(&format!("ExecStart=/usr/bin/docker run --name a {read_only} img"))), [""; 0]);
    let quoted = r#"--mount 'type=bind,"source=/srv/a,b",target=/data'"#;
    assert_eq!(
        mounts(&one(&format!("ExecStart=/usr/bin/docker run --name a {quoted} img"))),
        ["/data=/srv/a,b"]
    );
    for (options, source) in [
        ("--opt type=none --opt device=/srv//c/", "/srv/c"),
        ("--opt type=nfs --opt device=:/exp//db/", ":/exp/db Never+"),
    ] {
        let make = format!("ExecStartPre=docker volume create {options} d");
        let w = one(&format!("{make}\nExecStart=/usr/bin/docker run --name a -v d:/d img"));
        assert_eq!(mounts(&w), [format!("/d={source}")]);
    }
}

#[test]
fn values_that_only_the_machine_knows_are_listed() {
    let of = |pre: &str, name: &str| {
        let world =
            world(&format!("ExecStartPre=-{pre}\nExecStart=/usr/bin/docker run --name {name} -v /d:/d img"));
        world.unread.iter().filter(|u| u.what.starts_with("the containers that `docker ")).count()
    };
    let each = "/bin/bash -c \"for c in srv.db x; do docker rm -f $$c; done\"";
    assert_eq!(of(each, "a"), 1);
    assert_eq!(of("/bin/sh -c \"docker ps | grep db | xargs docker kill\"", "a"), 1);
    assert_eq!(of("docker kill db-%H", "a"), 1);
    assert_eq!(of("docker kill db-%H", "db-%H"), 0);
    assert_eq!(of("docker kill db", "a"), 0);
    assert_eq!(of("/bin/sh -c \"docker ps -q -f label=a | xargs docker kill\"", "a"), 0);
}

#[test]
fn directories_that_may_be_data_are_listed() {
    let of =
        |mount: &str| unread(&world(&format!("ExecStart=/usr/bin/docker run --name a -v {mount} img"))).len();
    for mount in ["/srv/pihole:/etc/pihole", "/usr/local/ledger:/data", "/usr/ledger/data/:/data"] {
        assert_eq!(of(mount), 1, "{mount}");
    }
    for mount in [
        "/srv/pihole:/etc/pihole:ro",
        "/srv/nginx.conf:/etc/nginx/nginx.conf",
        "/srv/nginx/conf:/etc/nginx",
        "/etc/ssl:/etc/ssl",
        "/usr/share/zoneinfo:/zones",
        "/usr/local/bin/tool:/tool",
        "/usr/local:/host",
        "/var/run/docker.sock:/etc/sock",
        "named:/etc/pihole",
        "/srv/a:/data",
    ] {
        assert_eq!(of(mount), 0, "{mount}");
    }
}
