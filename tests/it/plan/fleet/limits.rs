//! Tests errors and gaps of fleet, each with a spec that has the error or gap and a spec that does
//! not.

use super::{codes, compile_all, counted, per_node, units};

fn named(spec: &str, name: &str) -> String {
    spec.replace("service: db", &format!("service: {name}"))
}

fn fleet(spec: &str, more: &str) -> String {
    spec.replace("version: \"1.0.0\"", &format!("version: \"1.0.0\", {more}"))
}

fn volume(backend: &str, members: &str) -> String {
    counted(&format!(
        "members: {members}\nexclusive: {{ data: {{ data: {{ mount: /data, volume: {{ backend: {backend}, size: 1Gi }} }} }} }}"
    ))
}

#[test]
fn a_volume_without_a_fence_has_gaps_also_with_a_pin() {
    for (backend, members, said) in [
        ("scaleio", "{ count: 2 }", &["fleet/data/move"][..]),
        (
            "ceph-rbd",
            "{ count: 2 }",
            &["fleet/data/move", "fleet/data/partition", "fleet/data/reboot", "fleet/data/update"],
        ),
        ("storageos", "{ count: 2 }", &["fleet/data/move", "fleet/data/partition"]),
        ("nfs", "{ count: 2 }", &["fleet/data/partition", "fleet/data/reboot", "fleet/data/update"]),
        ("storageos", "{ count: 2, pin: db }", &["fleet/data/move"]),
        ("ceph-rbd", "{ count: 2, pin: db }", &["fleet/data/move", "fleet/data/relabel"]),
        ("nfs", "{ count: 2, pin: db }", &["fleet/data/relabel"]),
    ] {
        assert_eq!(codes(&[&volume(backend, members)]), said, "{backend} {members}");
    }
    assert_eq!(codes(&[&fleet(&volume("storageos", "{ count: 2 }"), "pin: db")]), ["fleet/data/move"]);
    // A directory on the machine also keeps the member there.
    let both = volume("ceph-rbd", "{ count: 1, pin: db }").replace(
        "data: { data:",
        "data: { log: { mount: /log, host: \"/mnt/d1/log-{{ member.id }}\" }, data:",
    );
    assert_eq!(codes(&[&both]), ["fleet/data/move"]);
}

/// Returns the codes without that of a crash of dockerd, which each volume of a plugin has.
fn besides_move(specs: &[&str]) -> Vec<String> {
    codes(specs).into_iter().filter(|code| code != "fleet/data/move").collect()
}

#[test]
fn volumes_need_a_zone_a_plugin_and_a_docker_version() {
    assert_eq!(besides_move(&[&volume("aws-ebs", "{ count: 2 }")]), ["zone-unknown"]);
    assert_eq!(besides_move(&[&volume("aws-ebs, zones: [a]", "{ count: 2 }")]), [""; 0]);
    assert_eq!(besides_move(&[&volume("aws-ebs", "{ count: 2, pin: db }")]), [""; 0]);
    assert_eq!(besides_move(&[&volume("azure-disk", "{ count: 1 }")]), ["volume-no-plugin"]);
    assert_eq!(
        besides_move(&[&volume("\"csi:x.example.com\", class: c", "{ count: 1 }")]),
        ["volume-no-plugin"]
    );
    let flocker = volume("flocker", "{ count: 1, pin: db }");
    assert_eq!(besides_move(&[&flocker]), [""; 0]);
    assert_eq!(besides_move(&[&fleet(&flocker, "docker: \"23.0\"")]), ["volume-gone"]);
    let two = "members: { count: 1 }\nexclusive: { data: { a: { mount: /a, volume: { backend: aws-ebs, size: 1Gi, zones: [x] } }, b: { mount: /b, volume: { backend: aws-ebs, size: 1Gi, zones: [y] } } } }";
    assert_eq!(besides_move(&[&counted(two)]), ["zone-unknown"]);
    let disk = "members: { count: 1 }\nexclusive: { data: { data: { mount: /a, volume: { backend: gce-pd, size: 1Gi, zones: [x] } } } }";
    let long = counted(&disk.replace("{ data: { data: {", "{ data: { twelve-chars: {"));
    assert_eq!(besides_move(&[&named(&long, &"x".repeat(49))]), ["name-too-long"]);
    assert_eq!(besides_move(&[&named(&long, &"x".repeat(48))]), [""; 0]);
    assert_eq!(besides_move(&[&counted(disk)]), [""; 0]);
}

#[test]
fn members_without_data_have_gaps_unless_pinned() {
    let plain = "members: { count: 1 }\nexclusive: ";
    let pin = |spec: &str| fleet(spec, "pin: db");
    let both = counted(&format!("{plain}{{ id: true, hostname: true }}"));
    let floats =
        ["partition", "reboot", "update"].map(|h| ["id", "hostname"].map(|r| format!("fleet/{r}/{h}")));
    let mut floats = floats.concat();
    let mut said = codes(&[&both]);
    floats.sort();
    said.sort();
    assert_eq!(said, floats);
    assert_eq!(codes(&[&pin(&both)]), ["fleet/id/relabel", "fleet/hostname/relabel"]);
    let writer = counted(&format!("{plain}{{ writer: true, hostname: true }}"));
    assert_eq!(codes(&[&writer]), ["writer-floats"]);
    assert_eq!(codes(&[&pin(&writer)]), ["fleet/writer/relabel"]);
    assert_eq!(codes(&[&counted(&format!("{plain}{{ ports: {{ a: 1 }} }}"))]), [""; 0]);
    // A fence for the data also protects the id.
    let data = counted("members: { count: 1, pin: db }\nexclusive: { id: true, hostname: true, DATA }");
    assert_eq!(codes(&[&data]), [""; 0]);
}

#[test]
fn per_node_needs_a_revision_and_shares_its_first_directory() {
    let base =
        per_node("exclusive: { data: { a: { mount: /a, host: /d/a }, b: { mount: /b, host: /d/b } } }");
    assert_eq!(codes(&[&base.replace("revision: v1\n", "")]), ["revision-missing"]);
    let other = base.replace("revision: v1", "revision: v2");
    assert_eq!(codes(&[&base, &other]), [""; 0]);
    let turned = other.replace("/d/a", "/d/x").replace("/d/b", "/d/a").replace("/d/x", "/d/b");
    assert_eq!(codes(&[&base, &turned]), ["fleet/data/relabel", "fleet/data/relabel"]);
    let apart = other.replace("/d/", "/e/");
    assert_eq!(codes(&[&base, &apart]), [""; 0]);
    let dedicated = per_node("").replace("per: node,", "per: node, dedicated: true,");
    assert_eq!(codes(&[&dedicated]), ["fleet/members.dedicated"]);
}

#[test]
fn apart_from_a_global_unit_needs_fleet_1() {
    let old = |spec: &str| spec.replace("1.0.0", "0.13.0");
    let es = named(&per_node("apart_from: [log]"), "es");
    let log = named(&counted("members: { count: 1 }\napart_from: [es]"), "log");
    assert_eq!(codes(&[&es, &log]), [""; 0]);
    assert_eq!(codes(&[&old(&es), &old(&log)]), ["fleet/apart_from", "fleet/apart_from"]);
    let es = named(&counted("members: { count: 1 }\napart_from: [log]"), "es");
    assert_eq!(codes(&[&old(&es), &old(&log)]), [""; 0]);
}

#[test]
fn a_metadata_key_cannot_appear_twice() {
    let on = per_node("").replace("{ db: \"true\" }", "{ db-revision: v9 }");
    assert_eq!(besides_move(&[&on]), ["name-clash"]);
    let zone = volume("aws-ebs, zones: [a]", "{ count: 1, pin: zone }");
    assert_eq!(besides_move(&[&zone]), ["name-clash"]);
    assert_eq!(
        besides_move(&[&fleet(&volume("aws-ebs, zones: [a]", "{ count: 1 }"), "pin: zone")]),
        ["name-clash"]
    );
}

#[test]
fn equal_names_on_fleet_are_an_error() {
    let one = |name: &str, more: &str| named(&counted(&format!("members: {{ count: 2 }}\n{more}")), name);
    let helper =
        |name: &str, helper: &str| one(name, &format!("helpers: {{ {helper}: {{ image: r.io/e:1 }} }}"));
    let volume = |name: &str, data: &str, first: u32| {
        let data = format!(
            "exclusive: {{ data: {{ {data}: {{ mount: /d, volume: {{ backend: scaleio, size: 1Gi }} }} }} }}"
        );
        one(name, &data).replace("count: 2", &format!("count: 2, first: {first}"))
    };
    for (a, b, clash) in [
        (helper("redis", "exporter"), one("redis-exporter", ""), true),
        (helper("redis", "exporter"), one("redis-exporters", ""), false),
        (helper("a-b", "c"), helper("a", "b-c"), true),
        (helper("a", "b"), helper("b", "b"), false),
        // One volume for two services.
        (volume("c", "a-b", 0), volume("b-c", "a", 0), true),
        (volume("c", "a-b", 0), volume("b-c", "a", 2), false),
        // The same container name: once from a volume, once from a member without data.
        (volume("kafka", "data", 0), one("data-kafka", ""), true),
        (volume("kafka", "data", 7), one("data-kafka", ""), false),
        (helper("x", "y-1"), one("x-1-y", ""), true),
        (helper("x", "y-1"), one("x-2-y", ""), false),
    ] {
        for pair in [[a.as_str(), &b], [&b, a.as_str()]] {
            let said = besides_move(&pair);
            assert_eq!(said, if clash { &["name-clash"][..] } else { &[] }, "{pair:?}");
        }
    }
}

#[test]
fn lines_have_less_than_2048_bytes() {
    let env =
        |len: usize| counted(&format!("members: {{ count: 1 }}\nenv: {{ LONG: \"{}\" }}", "x".repeat(len)));
    let (_, said) = compile_all(&[&env(2040)]);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].code, "line-too-long");
    assert!(said[0].message.contains("-eLONG=xxx"), "{}", said[0].message);
    assert_eq!(said[0].place.start, env(2040).find("\"xxx").unwrap());
    let longest = units(&[&env(2015)])["db@0.service"].lines().map(str::len).max();
    assert!(longest.is_some_and(|l| l > 2020 && l < 2047), "{longest:?}");
    let args = counted(&format!("members: {{ count: 1 }}\nargs: [a, \"{}\"]", "%".repeat(1100)));
    assert_eq!(codes(&[&args]), ["line-too-long"]);
    // An image with many words and a long path.
    let path = format!("/{}", ["d".repeat(200).as_str(); 5].join("/"));
    let deep = counted(&format!(
        "members: {{ count: 1, pin: db }}\nexclusive: {{ data: {{ data: {{ mount: {path}, host: \"{path}-{{{{ member.id }}}}\" }} }} }}"
    ));
    assert!(codes(&[&deep]).contains(&"line-too-long".to_owned()));
}

#[test]
fn secrets_in_arguments_are_refused() {
    let base = "members: { count: 1 }\nsecrets: { s: { ref: a/b } }\n";
    for (more, code) in [
        ("args: [\"{{ secret('s') }}\"]", "runtime-not-here"),
        ("command: [x, \"-p{{ secret('s') }}\"]", "runtime-not-here"),
        ("health: { run: [sh, -c, \"{{ secret('s') }}\"] }", "runtime-not-here"),
        ("stop: { before: { run: [x, \"{{ secret('s') }}\"], within: 1s } }", "runtime-not-here"),
        ("env: { a.b: \"{{ secret('s') }}\" }", "bad-name"),
    ] {
        assert_eq!(codes(&[&counted(&format!("{base}{more}"))]), [code], "{more}");
    }
}

#[test]
fn characters_that_systemd_rejects_are_refused() {
    for (more, place) in
        [("args: [\"\\uFFFE\"]", "args"), ("files: { /f: { content: \"\\uFDD0\" } }", "files")]
    {
        let said = codes(&[&counted(&format!("members: {{ count: 1 }}\n{more}"))]);
        assert_eq!(said, ["character-forbidden"], "{place}");
    }
}

#[test]
fn a_missing_address_is_an_error_only_where_a_value_uses_it() {
    let plain = "members: { count: 1, pin: db }\nexclusive: { DATA }\n";
    assert_eq!(codes(&[&counted(plain)]), [""; 0]);
    let (_, said) = compile_all(&[&counted(&format!("{plain}env: {{ A: \"{{{{ member.address }}}}\" }}"))]);
    assert_eq!(said[0].code, "address-unknown");
    assert_eq!(said[0].fixes[0].line, "targets: { fleet: { domain: example.com } }");
}

#[test]
fn raw_options_that_weaken_a_rule_are_refused() {
    let with = |section: &str, option: &str| {
        let base = counted("members: { count: 1, pin: db }\nexclusive: { DATA }");
        codes(&[&fleet(&base, &format!("unit: {{ {section}: {{ {option} }} }}"))])
    };
    for (section, option) in [
        ("Service", "ExecStartPre: /bin/x"),
        ("Service", "ExecStop: /bin/x"),
        ("Service", "Restart: \"no\""),
        ("Service", "KillMode: none"),
        ("Service", "Type: oneshot"),
        ("Service", "TimeoutStopSec: \"1\""),
        ("Service", "User: core"),
        ("Service", "environment: A=b"),
        ("Service", "SyslogIdentifier: \"\""),
        ("Service", "Environment: DOCKER_HOST=tcp://elsewhere"),
        ("Service", "SyslogIdentifier: \"A=b\\nRestart=no\""),
        ("Service", "SyslogIdentifier: \"A=b \\\\\""),
        ("Service", "\"Limit\\nRestart\": \"no\""),
        ("Unit", "ConditionPathExists: /x"),
        ("Unit", "AssertPathExists: /x"),
        ("Unit", "Requires: x.service"),
        ("Unit", "Conflicts: x.service"),
        ("Unit", "DefaultDependencies: \"no\""),
        ("Install", "WantedBy: multi-user.target"),
        ("X-Fleet", "Global: \"true\""),
        ("X-Fleet", "Conflicts: x.service"),
        ("X-Fleet", "MachineOf: x.service"),
        ("X-Fleet", "Replaces: x.service"),
        ("X-Fleet", "MachineID: x"),
        ("X-Fleet", "MachineMetadata: db=2"),
        ("X-Fleet", "MachineMetadata: a=b c=d"),
        ("X-Fleet", "MachineMetadata: a=b=c"),
        ("X-Fleet", "MachineMetadata: a"),
    ] {
        assert_eq!(with(section, option), ["hatch-overwrites"], "{section} {option}");
    }
    for (section, option) in [
        ("Unit", "OnFailure: alert@%n.service"),
        ("Unit", "After: [a.service, b.service]"),
        ("Service", "LimitMEMLOCK: infinity"),
        ("Service", "Nice: \"-5\""),
        ("X-Fleet", "MachineMetadata: [disk=ssd, disk=nvme]"),
    ] {
        assert_eq!(with(section, option), [""; 0], "{section} {option}");
    }
}
