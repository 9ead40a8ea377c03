//! Checks the verdicts, ignored options and placements of the real fleet, on units written for
//! these tests.

use super::Version::{V0_13, V1_0};
use super::*;

/// Parses lines of the form `left => right`; ` ; ` means a new line.
fn table(text: &str) -> impl Iterator<Item = (String, String)> {
    let split = |line: &str| {
        let (left, right) = line.split_once("=>").unwrap();
        let lines = |side: &str| side.trim().replace(" ; ", "\n");
        (lines(left), lines(right))
    };
    text.trim().lines().map(split)
}

fn text(x_fleet: &str) -> String {
    format!("[Service]\nExecStart=/bin/sleep 9\n[X-Fleet]\n{x_fleet}\n")
}

/// Parses a set of units: the name of each unit, and the content of its `[X-Fleet]`.
fn set(units: &str) -> BTreeMap<String, String> {
    table(units).map(|(name, x_fleet)| (name, text(&x_fleet))).collect()
}

fn judged(text: &str, version: Version) -> String {
    judge(&set(text), version).join("\n")
}

fn unit(name: &str, x_fleet: &str) -> Unit {
    accept(name, &text(x_fleet), V1_0).unwrap()
}

/// Makes three machines: two are fast, and two are in the north. All units except templates are
/// started.
fn cluster(text: &str, instances: &[&str]) -> Cluster {
    let mut cluster = Cluster::default();
    let machines = "alder-00-01 => slot=1 ; disk=fast ; hall=north
        birch-00-02 => slot=2 ; disk=fast ; hall=north
        cedar-00-03 => slot=3 ; disk=slow ; hall=south";
    for (id, metadata) in table(machines) {
        let pairs = metadata.lines().filter_map(pair);
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        cluster.machines.insert(id, pairs.collect());
    }
    for (name, text) in set(text) {
        cluster.submit(accept(&name, &text, V1_0).unwrap());
        assert_eq!(cluster.start(&name).is_err(), is_template(&name));
    }
    instances.iter().for_each(|name| cluster.start(name).unwrap());
    cluster.settle();
    cluster
}

/// Returns the units that run on each machine, without `.service`.
fn running(cluster: &Cluster) -> String {
    let on = |id: &String| {
        let units = cluster.running().into_iter().filter(|(machine, _)| machine == id);
        units.map(|(_, name)| name.replace(".service", "")).collect::<Vec<_>>().join(" ")
    };
    cluster.machines.keys().map(on).collect::<Vec<_>>().join(" | ")
}

#[test]
fn the_simulator_reads_units_as_go_systemd_does() {
    let read = |text: &str| format!("{:?}", parse(text).map(|file| file.options));
    let odd = "lost\n[A]\n# x \\\ny=1\n;z=2\n k = v # w \r\n=e\n[B C]\nk=\n";
    assert_eq!(read(odd), r#"Ok([["A", "k", "v # w"], ["A", "", "e"], ["B C", "k", ""]])"#);
    let long = "[A]\nk=one \\\n  two\\\n\nl=3\\";
    assert_eq!(read(long), r#"Ok([["A", "k", "one \\\n  two\\\n"], ["A", "l", "3\\"]])"#);
    let line = |len: usize, start: &str| parse(&format!("[A]\n{start:x<len$}\n")).err();
    assert_eq!(line(2047, "k="), None);
    assert_eq!(line(2048, "k="), Some("line too long (max 2048 bytes)".into()));
    assert_eq!(line(2048, "#"), line(2048, "k="));
    let errors = "[A] b ; k=v => found garbage after section name : [98]
        [A ; k=v => unable to find end of section
        [A] ; k ; l => unexpected newline encountered while parsing option name
        [A] ; k => EOF
        [A] ; # k => unit does not exist and options field empty";
    for (text, error) in table(errors) {
        assert_eq!(accept("a.service", &text, V1_0).err(), Some(error));
    }
}

#[test]
fn unit_names_and_templates_are_parsed() {
    let refused = |name: &str| accept(name, "[A]\nk=v", V1_0).err().unwrap_or_default();
    let names = r#" => unit name cannot be empty
        a => unit name must contain "."
        a. => unit name cannot end in "."
        a.unit => invalid unit type: "unit"
        a@1.mount => invalid unit type for template: "mount"
        a b.service => invalid character ' ' in unit name
        @1.service => unit name cannot start in "@"
        a-B:c_d.e\x2d@1.service => "#;
    for (name, error) in table(&format!("{names}\n{:n<250}.timer => ", "")) {
        assert_eq!(refused(&name), error);
    }
    assert_eq!(refused(&format!("{:n<251}.timer", "")), "unit name exceeds maximum length (256)");
    assert_eq!(split_name("a@b@c.d.service"), Some(("a", Some("b@c.d"), ".service")));
    let mut cluster = cluster("a@.service => ", &["a@1"]);
    assert_eq!(cluster.start("a@"), Err("cannot activate template \"a@.service\"".into()));
    assert!(cluster.start("b@1.service").is_err());
}

#[test]
fn options_of_x_fleet_are_parsed() {
    let of = |x_fleet: &str| unit("db@7.service", x_fleet);
    let several = of("X-Conflicts=a\nConflicts=b \\\n\"c\"\nConflicts=\"d e\" \"f\"");
    assert_eq!(several.conflicts(), ["a", "b", "\\", "\"c\"", "d", "e", "f"]);
    let expanded = of("Conflicts=%n %N %p@%i %H %%i").conflicts();
    assert_eq!(expanded, ["db@7.service", "db@7", "db@7", "%H", "%7"]);
    assert_eq!(of("Replaces=a b").replaces(), ["a b"]);
    assert_eq!(of("X-ConditionMachineOf=a\nMachineOf=b\nmachineof=c").peers(), ["a", "b"]);
    let ids = of("X-ConditionMachineBootID=c\nX-ConditionMachineID=b\nMachineID=a");
    assert_eq!(ids.machine_ids(), ["a", "b", "c"]);
    assert!(of("Global=no\nGlobal=YES").is_global() && !of("Global=1\nGlobal=0").is_global());
    let demands = "MachineMetadata=\"a=1\" \"b=%i\"\nX-ConditionMachineMetadata=a=2\nMachineMetadata=c=";
    let demands = format!("{:?}", of(demands).demands());
    assert_eq!(demands, r#"{"a": {"1", "2"}, "b": {"7"}}"#);
    let old = accept("a.service", "[X-Fleet]\nConflicts=a b", V0_13).unwrap();
    assert_eq!(old.conflicts(), ["a b"]);
}

#[test]
fn options_that_exclude_each_other_are_rejected() {
    let pairs = r#"MachineID=a ; MachineOf=b.service => MachineID cannot be used with Peers
        X-ConditionMachineBootID=a ; Conflicts=b => MachineID cannot be used with Conflicts
        MachineID=a ; Global=on => MachineID cannot be used with Global
        MachineID=a ; Replaces=b => MachineID cannot be used with Replaces
        Global=t ; MachineOf=b.service => Global cannot be used with Peers
        Global=true ; Replaces=b => Global cannot be used with Replaces
        Conflicts=a ; Replaces=b => Conflicts cannot be used with Replaces
        MachineOf=b.timer ; Conflicts=b* => unresolvable requirements: peer "b.timer" matches conflict "b*"
        MachineOf=b.timer ; Replaces=?.* => unresolvable requirements: peer "b.timer" matches replace "?.*"
        MachineID=a ; MachineMetadata=b=c => 
        MachineOf=b.timer ; Conflicts=c.timer ; Global=false => 
        MachineOf=b.timer ; Conflicts=%p.timer => "#;
    let refused = |x_fleet: &str, version| {
        let refused = accept("b.service", &format!("[X-Fleet]\n{x_fleet}"), version).err();
        refused.unwrap_or_default()
    };
    for (x_fleet, error) in table(pairs) {
        assert_eq!([V1_0, V0_13].map(|version| refused(&x_fleet, version)), [&*error, &error]);
    }
    let global = "Global=true\nMachineMetadata=a=b\nConflicts=c.service";
    let errors = [V1_0, V0_13].map(|version| refused(global, version));
    assert_eq!(errors, ["", "Global cannot be used with Conflicts"]);
}

#[test]
fn globs_match_as_in_gos_path_match() {
    let hits = r"es@*.service=>es@1.service;*a*b?=>xaxxabb;[^a-c]?=>db;[x\]]=>];a\*=>a*;[^a]=>/";
    let misses = r"es@*.service=>es-x@1.service;es@1=>es@1.service;*=>a/b;[^a-c]?=>bb;a\x2d=>a\x2d;[=>[";
    let all = |pairs: &str, hit| {
        let mut pairs = pairs.split(';').filter_map(|pair| pair.split_once("=>"));
        pairs.all(|(glob, name)| matches(glob, name) == hit)
    };
    assert!(all(hits, true) && all(misses, false));
    let malformed = [r"[", r"a[", r"[]a]", r"[a-]", r"[-a]", r"[a", r"a\", r"[^]", r"[a-\", r"*["];
    assert!(malformed.iter().all(|pattern| glob(pattern).is_none()));
    assert!(may_share("a@?*.service", "a@[1-3].*") && !may_share("a@?*.service", "a@.service"));
    assert!(["x*", "*.[a-t]ocket", "x@?.timer"].into_iter().all(can_match));
    assert!(!["x.servic", "x *", "x", "%H.service"].into_iter().any(can_match));
}

#[test]
fn options_that_fleet_ignores_are_listed() {
    let traps = r#"
        Conflict=c.timer => unrecognized requirement in [X-Fleet] section: "Conflict"
        [X-fleet] ; Conflicts=a => section "X-fleet" is silently ignored
        MachineMetadata=a=b c=d => MachineMetadata value "a=b c=d" is silently ignored (job.go:294-303)
        MachineMetadata=a=%i => MachineMetadata value "a=%i" is silently ignored (job.go:294-303)
        MachineMetadata=a=%H => MachineMetadata value "a=%H" is literal
        MachineMetadata=a=b # c => MachineMetadata value "a=b # c" is literal
        Conflicts=b.*x => Conflicts pattern "b.*x" cannot match a full unit name (no suffix?)
        Conflicts=b.* \ => Conflicts pattern "\\" cannot match a full unit name (no suffix?) ; Conflicts pattern "\\" is malformed: never matches
        Conflicts=b\.timer => Conflicts pattern "b\\.timer" has a \ that escapes, and is no part of a name
        Global=ture => Global value "ture" means false
        MachineID=a ; MachineID=b => MachineID value "b" is silently ignored: the first wins (job.go:255-282)
        Replaces=b.timer => Replaces "b.timer" excludes nothing: it moves the other unit (engine/scheduler.go:65-99)"#;
    let told = |name, x_fleet: &str| {
        let unit = unit(name, x_fleet);
        [warnings(&unit), super::traps(&unit)].concat().join("\n")
    };
    for (x_fleet, trap) in table(traps) {
        assert_eq!(told("b.service", &x_fleet), trap);
    }
    let global = r#"name "b@.service" blocks once submitted (engine/state.go:93-107)"#;
    assert_eq!(told("b@.service", "Global=1"), global);
    assert_eq!(told("b.target", ""), r#"name "b.target" gets .service (unit/unit.go:151-166)"#);
    assert_eq!(told("b@.service", "MachineMetadata=a=%i\nConflicts=%p@*.service b\\\\x2d.timer"), "");
    let early = accept("b.service", "Global=true\n[Unit]\nk=v", V1_0).unwrap();
    let trap = r#"text "Global=true" before the first section is silently ignored"#;
    assert_eq!(super::traps(&early), [trap]);
}

#[test]
fn conflicts_put_one_member_on_each_machine() {
    let units = "cassandra@.service => Conflicts=%p@*.service";
    let members = ["cassandra@1", "cassandra@2", "cassandra@3", "cassandra@4"];
    let mut cluster = cluster(units, &members);
    assert_eq!(running(&cluster), "cassandra@1 | cassandra@2 | cassandra@3");
    cluster.machines.remove("birch-00-02");
    cluster.settle();
    assert_eq!(running(&cluster), "cassandra@1 | cassandra@3");
    assert_eq!(judged(units, V1_0), "");
}

#[test]
fn a_pinned_member_never_moves() {
    let units = "consul@.service => MachineMetadata=slot=%i ; Conflicts=consul@*.service";
    let mut cluster = cluster(units, &["consul@1", "consul@2", "consul@3"]);
    let lost = cluster.machines.remove("birch-00-02").unwrap();
    cluster.settle();
    assert_eq!(running(&cluster), "consul@1 | consul@3");
    cluster.machines.insert("birch-00-02".into(), lost);
    cluster.settle();
    assert_eq!(running(&cluster), "consul@1 | consul@2 | consul@3");
    assert_eq!(judged(units, V1_0), "");
}

#[test]
fn a_global_unit_keeps_away_the_units_in_its_conflicts() {
    let units = r#"postgres.service => MachineMetadata=disk=slow
        scylla.service => Global=true ; MachineMetadata="disk=fast" "hall=north" ; Conflicts=post*.service"#;
    assert_eq!(running(&cluster(units, &[])), "scylla | scylla | postgres");
    assert_eq!(judged(units, V1_0), "");
    let rejected = "scylla.service: rejected: Global cannot be used with Conflicts";
    assert_eq!(judged(units, V0_13), rejected);
}

#[test]
fn a_glob_that_matches_its_own_sidecar_is_found() {
    let units = "nats@.service => Conflicts=nats*.service
        nats-proxy@.service => MachineOf=nats@%i.service";
    assert_eq!(running(&cluster(units, &["nats@1", "nats-proxy@1"])), "nats@1 |  | ");
    let found = "conflicts with \"nats@1.service\", which it follows
nats-proxy@.service: can never be scheduled, whatever the machines";
    assert_eq!(judged(units, V1_0), format!("nats-proxy@.service: {found}"));
}

#[test]
fn metadata_limits_the_machines_of_a_unit() {
    let units = r#"all.service => MachineMetadata="disk=fast" "hall=south"
        any.service => MachineMetadata=hall=south ; MachineMetadata=hall=west
        lost.service => MachineMetadata=disk=slow hall=south"#;
    assert_eq!(running(&cluster(units, &[])), "lost |  | any");
}

#[test]
fn conflicts_that_match_nothing_are_found() {
    let units = "etcd@.service => Conflicts=etcd@1 etcd@2
        mongo@.service => Conflict=mongo@*.service
        riak@.service => Conflicts=riak@[";
    let members = ["etcd@", "mongo@", "riak@"].map(|of| [1, 2, 3, 4].map(|i| format!("{of}{i}")));
    let members = members.concat();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    assert_eq!(cluster(units, &members).placed.len(), 12);
    let found = r#"etcd@.service: Conflicts pattern "etcd@1" cannot match a full unit name (no suffix?)
etcd@.service: Conflicts pattern "etcd@2" cannot match a full unit name (no suffix?)
mongo@.service: unrecognized requirement in [X-Fleet] section: "Conflict"
riak@.service: Conflicts pattern "riak@[" cannot match a full unit name (no suffix?)
riak@.service: Conflicts pattern "riak@[" is malformed: never matches"#;
    assert_eq!(judged(units, V1_0), found);
}

#[test]
fn units_are_placed_as_fleet_places_them() {
    for (units, places) in [
        ("a.service => Global=1 ; MachineMetadata=slot=1\nb.service => \nc.service => ", "a | b | c"),
        ("a.service => MachineID=cedar-00-03\nb.service => MachineID=cedar-00", " |  | a b"),
        ("a.service => Conflicts=b.service\nb.service => ", "a | b | "),
        ("a.service => \nb.service => Conflicts=a.service", "a | b | "),
        ("a.service => \nb.service => Conflicts=*.service\nc.service => ", "a | b | c"),
        ("a.service => Global=1 ; Conflicts=b*\nb.service => ", "a | a | a"),
        ("a.service => Global=1 ; MachineMetadata=slot=2\nb.service => Global=1 ; Conflicts=a*", "b | a | b"),
        (
            "a.service => MachineOf=b.service ; MachineOf=c.service\nb.service => \nc.service => MachineOf=b.service",
            "a b c |  | ",
        ),
        ("a@.service => Global=1 ; Conflicts=b*\nb.service => ", " |  | "),
    ] {
        assert_eq!(running(&cluster(units, &[])), places, "{units}");
    }
    let mut crew = cluster("a.service => MachineOf=b.service\nb.service => ", &[]);
    let back = crew.machines.remove("alder-00-01").unwrap();
    crew.settle();
    crew.machines.insert("alder-00-01".into(), back);
    crew.settle();
    assert_eq!(running(&crew), " | a b | ");
}

#[test]
fn the_simulator_accepts_good_units_and_names_faults() {
    let good = "db@1.service => MachineMetadata=slot=1 ; Conflicts=db@*.service
        db@2.service => MachineMetadata=slot=2 ; Conflicts=db@*.service
        db-log@1.service => MachineOf=db@1.service ; MachineMetadata=disk=slow
        es.v1.service => Global=1 ; Conflicts=es.service ; Conflicts=es.*.service
        mon.service => Global=1 ; Conflicts=db@*.service ; MachineMetadata=disk=fast
        x-y.service =>";
    let faults = r#" => 
        MachineID=a ; Global=1 => rejected: MachineID cannot be used with Global
        Conflicts=dp@*.service => Conflicts pattern "dp@*.service" hits nothing
        Conflicts=db@.service => Conflicts pattern "db@.service" hits nothing
        Conflicts=%n => Conflicts pattern "x.service" hits nothing
        Conflicts=db@[5-9].service => 
        MachineOf=gone.service => MachineOf "gone.service" is not in the set ; never
        MachineOf=x-y.service ; Conflicts=%p-* => conflicts with "x-y.service", which it follows ; never
        MachineID= => never
        MachineOf=x.service => never
        MachineOf=db@1.service ; MachineOf=db@2.service => never
        MachineOf=db@1.service ; MachineMetadata=slot=2 => never
        MachineMetadata=disk=fast ; Conflicts=mon.service => never
        Global=1 ; MachineMetadata=disk=fast ; Conflicts=mon.service => never
        Conflicts=mon.service => "#;
    for (x_fleet, faults) in table(faults) {
        let faults = faults.replace("never", "can never be scheduled, whatever the machines");
        let faults: Vec<_> = faults.lines().map(|fault| format!("x.service: {fault}")).collect();
        let units = format!("{good}\nx.service => {}", x_fleet.replace('\n', " ; "));
        assert_eq!(judged(&units, V1_0), faults.join("\n"));
    }
}
