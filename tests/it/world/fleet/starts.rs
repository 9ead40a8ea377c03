//! Tests units that never start, and the directories that exist before a start.

use std::collections::BTreeSet;

use berthc::explore::Bounds;
use berthc::finding::Finding;
use berthc::verify::verify;
use berthc::world::UnreadKind;
use berthc::world::{File, Kind, Missing, Source};

use super::{codes, read, unit};

/// Returns the codes of all findings about the unit `db.service`.
fn told(text: &str) -> Vec<String> {
    let files = [File { path: "db.service", text }];
    let found = verify(&files, Bounds::default());
    let of = |f: &Finding| f.codes().map(|code| code.to_string()).collect();
    let codes: BTreeSet<String> = found.findings.iter().flat_map(|f| -> Vec<String> { of(f) }).collect();
    codes.into_iter().collect()
}

/// Returns what happens if the directory of `pre` and `run` is missing. `local` means a unit
/// without fleet.
fn missing(pre: &str, mount: &str, local: bool) -> Missing {
    let end = if local { "[Install]\nWantedBy=multi-user.target\n" } else { "[X-Fleet]\n" };
    let text = format!("{pre}\nExecStart=docker run --rm --name a {mount} img\n{end}");
    let world = read(&[("a.service", text)]);
    match &world.workloads[0].members[0].mounts[0].source {
        Source::Host { missing, .. } => *missing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_start_that_creates_its_directory_is_read() {
    let bind = "--mount type=bind,source=/mnt/d1/pg,target=/data";
    let service = |line: &str| format!("[Service]\n{line}");
    for made in [
        "ExecStartPre=/bin/mkdir -p /mnt/d1/pg",
        "ExecStartPre=-/usr/bin/mkdir -m 700 -p /mnt/d1/pg/base",
        "ExecStartPre=/usr/bin/install -d -o 999 /mnt/d1/pg/",
        "ExecStartPre=/bin/sh -c 'test -d /mnt/d1/pg || mkdir -p /mnt/d1/pg'",
    ] {
        assert_eq!(missing(&service(made), bind, false), Missing::Created, "{made}");
    }
    for kept in ["ExecStartPre=/bin/mkdir -p /mnt/d1", "ExecStartPre=/bin/mkdir -p /mnt/d1/pgx", ""] {
        assert_eq!(missing(&service(kept), bind, false), Missing::Refused, "{kept}");
    }
    let volume = "-v /mnt/d1/pg:/data";
    assert_eq!(missing(&service(""), volume, false), Missing::Created);
    for guard in [
        "ExecStartPre=/usr/bin/mountpoint -q /mnt/d1",
        "ExecStartPre=/usr/bin/test -d /mnt/d1/pg",
        "ExecStartPre=/bin/sh -c '[ -f /mnt/d1/pg/marker ] || exit 1'",
    ] {
        assert_eq!(missing(&service(guard), volume, false), Missing::Refused, "{guard}");
    }
    for none in ["ExecStartPre=-/usr/bin/mountpoint -q /mnt/d1", "ExecStartPre=/usr/bin/test -d /mnt/d1"] {
        assert_eq!(missing(&service(none), volume, false), Missing::Created, "{none}");
    }
    for unit in ["ConditionPathIsMountPoint=/mnt/d1", "AssertPathIsDirectory=/mnt/d1/pg"] {
        assert_eq!(missing(&format!("[Unit]\n{unit}\n[Service]"), volume, false), Missing::Refused, "{unit}");
    }
    for unit in ["RequiresMountsFor=/mnt/d1", "Requires=mnt-d1.mount\nAfter=mnt-d1.mount"] {
        assert_eq!(
            missing(&format!("[Unit]\n{unit}\n[Service]"), volume, false),
            Missing::Elsewhere,
            "{unit}"
        );
    }
    assert_eq!(missing("[Unit]\nAfter=mnt-d1.mount\n[Service]", volume, false), Missing::Created);
    // For a unit that stays on its machine, only a mounted disk can be missing.
    assert_eq!(missing(&service(""), volume, true), Missing::Created);
    assert_eq!(missing(&service(""), "-v /srv/pg:/data", true), Missing::Refused);
}

#[test]
fn a_unit_without_fleet_stays_on_its_machine() {
    let text = |more: &str, mount: &str, end: &str| {
        format!(
            "[Service]\nRestart=always\n{more}ExecStartPre=-/usr/bin/docker stop db\nExecStartPre=-/usr/bin/docker rm db\n\
             ExecStart=/usr/bin/docker run --rm --name db {mount} example/db:1\nExecStop=/usr/bin/docker stop db\n{end}"
        )
    };
    let install = "[Install]\nWantedBy=multi-user.target\n";
    assert_eq!(told(&text("", "-v /srv/db:/data", install)), [""; 0]);
    assert_eq!(told(&text("", "-v db:/data", install)), [""; 0]);
    assert_eq!(told(&text("", "-v /mnt/d1/db:/data", install)), ["fleet/data/reboot"]);
    let fleet =
        told(&text("", "-v /srv/db:/data", "[X-Fleet]\nConflicts=db.*.service\n[Install]\nWantedBy=x\n"));
    assert!(fleet.contains(&"fleet/data/partition".to_owned()), "{fleet:?}");
    let world = read(&[("db.service", text("", "-v db:/data", install))]);
    assert_eq!(world.workloads[0].kind, Kind::Local);
    // Two units of one machine write to the same directory.
    let (one, two) =
        (text("", "-v /srv/db:/data", install), text("", "-v /srv/db:/data", install).replace(" db", " d2"));
    let files = [File { path: "one.service", text: &one }, File { path: "two.service", text: &two }];
    let found = verify(&files, Bounds::default());
    assert!(found.findings.iter().any(|f| f.code == "fleet/data/neighbour"), "{:?}", found.findings);
    assert!(found.findings.iter().all(|f| f.story.iter().all(|e| !e.words.contains("fleet"))));
}

#[test]
fn a_dead_container_keeps_its_name() {
    let of = |service: &str| codes(&read(&[("a.service", format!("[Service]\n{service}\n"))]));
    let run = "ExecStart=/usr/bin/docker run --name a img";
    for bad in [
        run.to_owned(),
        format!("{run}\nExecStop=/usr/bin/docker rm -f a"),
        format!("ExecStartPre=-/usr/bin/docker rm b\n{run}"),
        format!("ExecStartPre=-/usr/bin/docker stop a\n{run}"),
    ] {
        assert_eq!(of(&bad).len(), 1, "{bad}");
        assert!(of(&bad)[0].starts_with("!update-stuck"), "{bad}");
    }
    for good in [
        format!("ExecStartPre=-/usr/bin/docker rm a\n{run}"),
        format!("ExecStartPre=-/usr/bin/docker rm -v $OLD\n{run}"),
        "ExecStart=/usr/bin/docker run --rm --name a img".to_owned(),
        "ExecStart=/usr/bin/docker run img".to_owned(),
        "ExecStartPre=-/usr/bin/docker create --name a img\nExecStart=/usr/bin/docker start -a a".to_owned(),
        "ExecStart=/bin/sh -c 'docker start -a a || docker run --name a img'".to_owned(),
    ] {
        assert_eq!(of(&good), [""; 0], "{good}");
    }
}

#[test]
fn two_units_on_one_port_are_read() {
    let run = "docker run --rm --name %p-%i -p 80:80 img";
    let of = |units: &[(&str, &str)]| {
        let texts: Vec<(&str, String)> =
            units.iter().map(|(name, rules)| (*name, unit(run, &rules.replace(';', "\n")))).collect();
        codes(&read(&texts)).into_iter().filter(|c| c.contains("update-stuck")).count()
    };
    assert_eq!(of(&[("a@.service", "")]), 1);
    assert_eq!(of(&[("a@.service", "MachineMetadata=tag=3")]), 1);
    assert_eq!(of(&[("a@.service", "Conflicts=a@*.service")]), 0);
    assert_eq!(of(&[("a@.service", "MachineMetadata=a=%i")]), 0);
    assert_eq!(of(&[("a.service", ""), ("b.service", "")]), 1);
    assert_eq!(of(&[("a.service", ""), ("b.service", "Conflicts=a.service")]), 0);
    assert_eq!(of(&[("a.service", "MachineMetadata=x=1"), ("b.service", "MachineMetadata=y=1")]), 0);
    assert_eq!(of(&[("a.service", "MachineMetadata=x=1"), ("b.service", "MachineMetadata=x=1")]), 1);
    assert_eq!(of(&[("a.service", "MachineMetadata=x=1"), ("b.service", "MachineOf=a.service")]), 1);
    assert_eq!(
        of(&[("mq@10.service", "Conflicts=mq@?.service"), ("mq@11.service", "Conflicts=mq@?.service")]),
        1
    );
}

#[test]
fn required_units_that_are_missing_are_reported() {
    let of = |line: &str| {
        let text = format!("[Unit]\n{line}\n[Service]\nExecStart=/bin/true\n");
        let world = read(&[
            ("wiki@1.service", text.as_str()),
            ("wiki-data@.service", "[Service]\nExecStart=/bin/true\n"),
            ("backup.service", "[Service]\nExecStart=/bin/true\n"),
        ]);
        // A unit of another kind of name may be elsewhere.
        let own = world.findings.into_iter().filter(|f| f.code != "not-among-files");
        own.map(|f| f.fix).collect::<Vec<_>>()
    };
    assert_eq!(of("Requires=wiki-data-1.service"), ["Requires=wiki-data@1.service"]);
    assert_eq!(of("BindsTo=wiki-data-%i.service"), ["BindsTo=wiki-data@%i.service"]);
    assert_eq!(of("Requires=bakcup.service"), ["Requires=backup.service"]);
    for good in [
        "Requires=wiki-data@1.service docker.service",
        "Requires=other.service",
        "Wants=wiki-data-1.service",
        "Requires=wiki-data-1.mount",
        "Requires=wiki@2.service",
    ] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
}

#[test]
fn commands_whose_text_is_elsewhere_are_not_searched() {
    let of = |service: &str| {
        let world = read(&[("a.service", format!("[Service]\n{service}\n"))]);
        world.unread.iter().filter(|u| u.kind == UnreadKind::NotSearched).count()
    };
    for open in [
        "ExecStart=/usr/bin/docker compose -f a.yml up",
        "ExecStart=/usr/local/bin/docker-compose up",
        "ExecStart=/usr/bin/docker stack deploy -c a.yml a",
        "ExecStart=/usr/bin/docker service create redis",
        "ExecStart=/usr/local/bin/start.sh",
        "ExecStart=/usr/bin/redis-server",
        "ExecStart=/usr/bin/systemd-nspawn -D /srv/a",
        "ExecStart=/bin/sh -c 'eval $RUN'",
        "EnvironmentFile=/etc/a\nExecStart=/usr/bin/docker run --name a --rm $OPTS img",
    ] {
        assert_eq!(of(open), 1, "{open}");
    }
    for closed in [
        "ExecStart=/usr/bin/docker logs -f a",
        "ExecStart=/bin/sh -c 'while true; do etcdctl set /a b; sleep 45; done'",
        "ExecStart=/usr/bin/docker run --name a --rm img $ARGS",
        "ExecStart=/usr/bin/docker run --name a --rm $IMAGE run",
        "ExecStart=/usr/bin/docker run --name a --rm $THE_IMAGE",
        "Type=oneshot\nExecStart=/usr/sbin/mkfs.ext4 /dev/sdb",
        "Environment=\"OPTS=-v /srv/a:/data\"\nExecStart=/usr/bin/docker run --name a --rm $OPTS img",
    ] {
        assert_eq!(of(closed), 0, "{closed}");
    }
}
