//! Tests the lines of the units for each decision.

use berthc::Options;

use super::reader::{HOST, docker, value, values, words, x_fleet};
use super::{compile_with, counted, per_node, units};

const PINNED: &str = "members: { count: 3, first: 1, pin: db }\nexclusive: { DATA }";
const VOLUME: &str = "members: { count: 2 }\nexclusive: { data: { data: { mount: /data, volume: { backend: aws-ebs, size: 1Gi, zones: [a, b] } } } }\naccept: [{ gap: fleet/data/move, because: x }]";

#[test]
fn the_container_name_comes_from_the_first_directory() {
    let all = units(&[&counted(PINNED)]);
    assert_eq!(all.keys().collect::<Vec<_>>(), ["db@1.service", "db@2.service", "db@3.service"]);
    let unit = &all["db@2.service"];
    assert_eq!(x_fleet(unit), ["MachineMetadata=db=2", "Conflicts=db@*.service"]);
    assert_eq!(value(unit, "RequiresMountsFor"), "/mnt/d1/db-2");
    let docker = docker(unit);
    assert_eq!(docker.one("--name"), "mnt.d1.db-2");
    assert_eq!(docker.one("--label"), "berth.unit=db@2.service");
    assert_eq!(docker.one("--mount"), "type=bind,source=/mnt/d1/db-2,target=/data");
    assert_eq!(docker.one("--hostname"), "db-2");
    assert_eq!((docker.image.as_str(), docker.args.len()), ("r.io/db:1", 0));
    for never in ["-v", "--volume", "-d", "--restart", "--detach"] {
        assert!(!docker.has(never), "{never}");
    }
    assert_eq!(words(&values(unit, "ExecStartPre")[1]), ["-/usr/bin/docker", "rm", "mnt.d1.db-2"]);
}

#[test]
fn systemd_restarts_failed_units_and_stops_the_container() {
    let unit = &units(&[&counted(PINNED)])["db@1.service"];
    for (key, is) in [
        ("Restart", "always"),
        ("RestartSec", "10"),
        ("TimeoutStartSec", "0"),
        ("TimeoutStopSec", "60"),
        ("KillMode", "mixed"),
        ("PartOf", "docker.service"),
    ] {
        assert_eq!(value(unit, key), is);
    }
    // A failed requirement, condition or assertion is never tried again.
    for key in ["Requires", "Requisite", "Type"] {
        assert!(values(unit, key).is_empty());
    }
    assert!(!unit.contains("Condition") && !unit.contains("Assert"));
}

#[test]
fn all_stop_commands_share_the_grace_period() {
    let before = "stop: { grace: 100s, before: { run: [drain, \"a b\"], within: 70s }, signal: SIGQUIT }\n";
    let unit = &units(&[&counted(&format!("{before}{PINNED}"))])["db@1.service"];
    let seconds = |line: &str| {
        let words = words(line);
        (words[0].starts_with('-'), words[3].clone(), words[4].clone(), words[5..].join("|"))
    };
    let stop = values(unit, "ExecStop");
    let own = String::from("db@1.service");
    assert_eq!(seconds(&stop[0]), (true, own.clone(), "70".into(), "drain|a b".into()));
    assert_eq!(seconds(&stop[1]), (false, own.clone(), "30".into(), String::new()));
    assert_eq!(seconds(&value(unit, "ExecStopPost")), (false, own.clone(), "100".into(), String::new()));
    assert_eq!(seconds(&values(unit, "ExecStartPre")[0]), (false, own, "100".into(), String::new()));
    // Each command gets this time. The longest one takes the grace period, or `within` and 5 s of
    // `timeout`.
    assert_eq!(value(unit, "TimeoutStopSec"), "130");
    assert_eq!(docker(unit).one("--stop-signal"), "SIGQUIT");
    assert_eq!(docker(unit).one("--stop-timeout"), "100");
}

#[test]
fn each_revision_is_one_global_unit() {
    let more = "exclusive: { data: { data: { mount: /data, host: /mnt/d1/db } }, ports: { db: 5000 }, address: node }\nenv: { NODE: \"at-{{ member.node }}/{{ member }}\" }";
    let (v1, v2) = (per_node(more), per_node(more).replace("revision: v1", "revision: v2"));
    let all = units(&[&v1, &v2]);
    assert_eq!(all.keys().collect::<Vec<_>>(), ["db.v1.service", "db.v2.service"]);
    let unit = &all["db.v2.service"];
    let expected = [
        "Global=true",
        "MachineMetadata=db=true",
        "MachineMetadata=db-revision=v2",
        "Conflicts=db.*.service",
        "Conflicts=db.service",
    ];
    assert_eq!(x_fleet(unit), expected);
    let run = docker(unit);
    // Both revisions have the same container name, so docker refuses the second one until the first
    // is gone.
    assert_eq!(run.one("--name"), docker(&all["db.v1.service"]).one("--name"));
    assert_eq!(run.one("--net"), "host");
    assert!(!run.has("-p") && !run.has("--hostname"));
    assert_eq!(run.env("NODE").unwrap(), format!("at-{HOST}/{HOST}"));
    // Each revision has its own files, because one waits while the other runs.
    let file = "\nfiles: { /etc/x: { content: x } }\n";
    let with = units(&[&(v1 + file), &(v2 + file)]);
    assert!(with["db.v1.service"].contains("source=/run/berth/db.v1/etc/x,target=/etc/x,readonly"));
    assert!(with["db.v2.service"].contains("source=/run/berth/db.v2/etc/x,target=/etc/x,readonly"));
}

#[test]
fn fleet_0_13_has_no_conflicts_of_global_units() {
    let old = |spec: String| spec.replace("1.0.0", "0.13.0");
    let (all, said) = compile_with(&[&old(per_node(""))], &Options::default());
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(crate::judges::fleet::judge(&all, crate::judges::fleet::Version::V0_13), [""; 0]);
    assert!(!all["db.v1.service"].contains("Conflicts="));
    let (all, _) = compile_with(&[&old(counted(PINNED))], &Options::default());
    assert_eq!(crate::judges::fleet::judge(&all, crate::judges::fleet::Version::V0_13), [""; 0]);
    assert!(all["db@1.service"].contains("Conflicts=db@*.service\n"));
}

#[test]
fn a_volume_is_used_in_its_zone_and_never_created() {
    let all = units(&[&counted(VOLUME)]);
    for (unit, zone, volume) in [("db@0.service", "a", "data-db-0"), ("db@1.service", "b", "data-db-1")] {
        let text = &all[unit];
        assert_eq!(x_fleet(text)[0], format!("MachineMetadata=zone={zone}"));
        let run = docker(text);
        assert_eq!(run.one("--name"), volume);
        let mount =
            format!("type=volume,volume-driver=rexray/ebs,source={volume},target=/data,volume-nocopy");
        assert_eq!(run.one("--mount"), mount);
        assert_eq!(words(&values(text, "ExecStartPre")[1])[3..], [volume, "rexray/ebs"]);
        assert!(values(text, "RequiresMountsFor").is_empty());
    }
}

#[test]
fn every_field_of_the_spec_becomes_an_option_of_docker_run() {
    let more = "user: \"5:6\"\nresources: { cpu: 1500m, memory: 1Gi }\nulimits: { nofile: { soft: 1, hard: 2 } }\n\
        labels: { team: store }\ntmpfs: { /dev/shm: 64Mi, /tmp/x: 1Mi }\n\
        secrets: { a.b: { ref: sec/k-1 } }\nhealth: { tool: nc, ready: { tcp: two }, live: { tcp: one, every: 20s, timeout: 4s, failures: 2 }, start: 90s }\n\
        accept: [{ gap: fleet/health.live, because: x }]\nmembers: { count: 1 }\nexclusive: { ports: { one: 81, two: 82 } }\n";
    let unit = &units(&[&counted(more)])["db@0.service"];
    let run = docker(unit);
    for (option, is) in [
        ("-p", &["81:81", "82:82"][..]),
        ("--label", &["berth.unit=db@0.service", "team=store"]),
        ("--user", &["5:6"]),
        ("--cpus", &["1.5"]),
        ("--memory", &["1g"]),
        ("--memory-swap", &["1g"]),
        ("--ulimit", &["nofile=1:2"]),
        ("--shm-size", &["64m"]),
        (
            "--mount",
            &[
                "type=tmpfs,target=/tmp/x,tmpfs-size=1m",
                "type=bind,source=/etc/berth/secrets/sec/k-1,target=/run/secrets/a.b,readonly",
            ],
        ),
        ("--name", &["db-0"]),
        ("--health-cmd", &["nc -z -w 4 127.0.0.1 81"]),
        ("--health-interval", &["20s"]),
        ("--health-timeout", &["4s"]),
        ("--health-retries", &["2"]),
        ("--health-start-period", &["90s"]),
    ] {
        assert_eq!(run.all(option), is, "{option}");
    }
    assert_eq!(
        words(&values(unit, "ExecStartPre")[1]),
        ["/usr/bin/test", "-s", "/etc/berth/secrets/sec/k-1"]
    );
    assert_eq!(x_fleet(unit), ["Conflicts=db@*.service"]);
}

#[test]
fn a_check_is_emitted_only_if_the_image_has_a_shell() {
    let check = |run: &str, more: &str| {
        let spec = counted(&format!("{more}\nhealth: {{ run: {run} }}\nmembers: {{ count: 1 }}"));
        let all = units(&[&spec]);
        let run = docker(&all["db@0.service"]);
        run.all("--health-cmd").first().map(|c| (*c).to_owned())
    };
    assert_eq!(check("[db, ping]", ""), None);
    assert_eq!(check("[sh, -c, \"db 'ping' $X\"]", "").unwrap(), r#"sh -c 'db '\''ping'\'' $X'"#);
    assert_eq!(check("[db, ping]", "update: { healthy: \"true\" }").unwrap(), "db ping");
    assert_eq!(
        check("[db, \"{{ member.node }}\"]", "update: { healthy: \"true\" }").unwrap(),
        format!("db '{HOST}'")
    );
}

#[test]
fn command_arguments_and_guard_are_passed_to_docker() {
    let run = |more: &str| {
        let spec = counted(&format!("members: {{ count: 1, pin: db }}\n{more}"));
        docker(&units(&[&spec])["db@0.service"])
    };
    let plain = run("args: [a, -b, c]\nexclusive: { DATA }");
    assert!(!plain.has("--entrypoint"));
    assert_eq!(plain.args, ["a", "-b", "c"]);
    let command = run("command: [/bin/db, x]\nargs: [\"\", y]\nexclusive: { DATA }");
    assert_eq!(command.one("--entrypoint"), "/bin/db");
    assert_eq!(command.args, ["x", "", "y"]);
    let guard = run("command: [/bin/db, x]\nargs: [y]\nexclusive: { DATA, guard: lock }");
    assert_eq!(guard.one("--entrypoint"), "/bin/sh");
    let script = r#"exec 9<"$0" && flock -n 9 && exec "$@""#;
    assert_eq!(guard.args, ["-c", script, "/data", "/bin/db", "x", "y"]);
}

#[test]
fn bootstrap_is_emitted_only_on_request() {
    let spec = counted(&format!(
        "env: {{ STATE: existing, A: a }}\nbootstrap: {{ env: {{ STATE: new, B: b }} }}\n{PINNED}"
    ));
    let env_of = |options: &Options, spec: &str, unit: &str| {
        let all = compile_with(&[spec], options).0;
        docker(&all[unit]).all("-e").join(" ")
    };
    let env = |options: &Options| env_of(options, &spec, "db@1.service");
    assert_eq!(env(&Options::default()), "STATE=existing A=a");
    let first = Options { bootstrap: ["db".to_owned()].into(), ..Options::default() };
    assert_eq!(env(&first), "STATE=new A=a B=b");
    assert_eq!(env_of(&first, &spec, "db@2.service"), env(&Options::default()));
    let all = spec.replace("bootstrap: { env", "bootstrap: { for: all, env");
    assert_eq!(env_of(&first, &all, "db@2.service"), env(&first));
}

#[test]
fn the_unit_of_a_helper_follows_its_member() {
    let helper = "helpers: { exporter: { image: r.io/e:1, command: [/e, -v], env: { ID: \"{{ member.id }}\", P: \"{{ secret('s').path }}\" }, ports: { metrics: 9000 }, resources: { memory: 64Mi } } }\nsecrets: { s: { ref: a/b }, t: { ref: a/c } }\n";
    let all = units(&[&counted(&format!("{helper}{PINNED}"))]);
    assert_eq!(all.len(), 6);
    let unit = &all["db-exporter@3.service"];
    assert_eq!(x_fleet(unit), ["MachineOf=db@3.service"]);
    assert_eq!(value(unit, "BindsTo"), "db@3.service");
    assert_eq!(value(unit, "After"), "docker.service network-online.target db@3.service");
    let run = docker(unit);
    assert_eq!(run.one("--name"), "db-3-exporter");
    assert_eq!(run.one("--label"), "berth.unit=db-exporter@3.service");
    assert_eq!(run.one("-p"), "9000:9000");
    assert_eq!(run.env("ID").unwrap(), "3");
    assert_eq!((run.one("--entrypoint"), &run.args[..]), ("/e", &["-v".to_owned()][..]));
    // The helper gets only the secret that it names.
    assert_eq!(run.one("--mount"), "type=bind,source=/etc/berth/secrets/a/b,target=/run/secrets/s,readonly");
    assert_eq!(words(&values(unit, "ExecStartPre")[1]), ["/usr/bin/test", "-s", "/etc/berth/secrets/a/b"]);
    // A unit that is bound to a restarting member comes back only if the member wants it.
    assert!(values(&all["db@3.service"], "Wants").contains(&"db-exporter@3.service".to_owned()));

    let all = units(&[&per_node("helpers: { exporter: { image: r.io/e:1 } }")]);
    let unit = &all["db-exporter.v1.service"];
    let expected = ["Global=true", "MachineMetadata=db=true", "MachineMetadata=db-revision=v1"];
    assert_eq!(x_fleet(unit), expected);
    assert_eq!(value(unit, "BindsTo"), "db.v1.service");
    assert_eq!(docker(unit).one("--name"), "db-exporter");
}

#[test]
fn apart_from_depends_on_the_kind_of_the_other_service() {
    let named = |spec: String, name: &str| spec.replace("service: db", &format!("service: {name}"));
    let node = named(per_node("apart_from: [log]"), "es");
    let log = named(counted("members: { count: 1 }\napart_from: [es]"), "log");
    let all = units(&[&node, &log]);
    assert_eq!(
        x_fleet(&all["log@0.service"]),
        ["Conflicts=log@*.service", "Conflicts=es.*.service", "Conflicts=es.service"]
    );
    assert!(x_fleet(&all["es.v1.service"]).contains(&"Conflicts=log@*.service"));
    // A service without the target fleet cannot conflict with a unit.
    let log = log.replace("fleet: { version: \"1.0.0\" }", "kubernetes: { version: \"1.34\", namespace: n }");
    assert!(!units(&[&node, &log])["es.v1.service"].contains("log@"));
}

#[test]
fn addresses_come_from_the_pin_or_the_domain() {
    let env = "env: { A: \"{{ members | join(',') }}\" }\n";
    let at =
        "members: { count: 2, pin: { label: db, at: { 0: 10.0.0.1, 1: 10.0.0.2 } } }\nexclusive: { DATA }";
    let all = units(&[&counted(&format!("{env}{at}"))]);
    assert_eq!(docker(&all["db@0.service"]).env("A").unwrap(), "10.0.0.1,10.0.0.2");
    let domain = counted(&format!("{env}{VOLUME}")).replace("\"1.0.0\"", "\"1.0.0\", domain: x.example");
    assert_eq!(docker(&units(&[&domain])["db@1.service"]).env("A").unwrap(), "db-0.x.example,db-1.x.example");
}

#[test]
fn nfs_volumes_use_dockers_own_driver() {
    let nfs = "members: { count: 1, pin: db }\nexclusive: { data: { data: { mount: /data, volume: { backend: nfs, size: 1Gi } } } }\naccept: [{ gap: fleet/data/relabel, because: x }]";
    let unit = &units(&[&counted(nfs)])["db@0.service"];
    assert_eq!(
        docker(unit).one("--mount"),
        "type=volume,volume-driver=local,source=data-db-0,target=/data,volume-nocopy"
    );
    assert_eq!(words(&values(unit, "ExecStartPre")[1])[3..], ["data-db-0"]);
}

#[test]
fn raw_options_follow_the_options_of_berthc() {
    let more = "{ Unit: { OnFailure: alert.service }, Service: { SyslogIdentifier: [A=b, \"C=%H\"], LimitNOFILE: \"9\" }, X-Fleet: { MachineMetadata: disk=ssd } }";
    let spec = counted(PINNED).replace("\"1.0.0\"", &format!("\"1.0.0\", unit: {more}"));
    let unit = &units(&[&spec])["db@1.service"];
    assert_eq!(values(unit, "SyslogIdentifier"), ["A=b", "C=%H"]);
    assert_eq!((value(unit, "LimitNOFILE"), value(unit, "OnFailure")), ("9".into(), "alert.service".into()));
    assert_eq!(x_fleet(unit)[..2], ["MachineMetadata=db=1", "MachineMetadata=disk=ssd"]);
}

#[test]
fn ports_are_published_with_their_protocol_and_for_the_node_alone() {
    let ports = "ports: { web: 80, gossip: { port: 8301, protocol: udp, for: peers }, admin: { port: 9, for: node } }";
    let all =
        units(&[&counted(&format!("members: {{ count: 1, pin: db }}\nexclusive: {{ DATA, {ports} }}"))]);
    let run = docker(&all["db@0.service"]);
    assert_eq!(run.all("-p"), ["80:80", "8301:8301/udp", "127.0.0.1:9:9"]);
}
