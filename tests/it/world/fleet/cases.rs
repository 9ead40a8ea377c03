//! Tests units that fleet rejects, ignores or can never run.

use berthc::world::{Kind, Whom};

use super::{codes, find, read, unit, unread};

fn docker(name: &str) -> String {
    format!("/usr/bin/docker run --rm --name {name} -v /srv/{name}:/data r.io/shop/app:1")
}

/// The findings of units `name => X-Fleet lines`.
fn found(units: &[(&str, &str)]) -> Vec<String> {
    let texts: Vec<(&str, String)> = units
        .iter()
        .map(|(name, x_fleet)| (*name, unit(&docker("%p-%i"), &x_fleet.replace(" ; ", "\n"))))
        .collect();
    codes(&read(&texts))
}

#[test]
fn units_that_fleet_refuses_are_reported() {
    for (x_fleet, line, error) in [
        ("MachineID=a\nConflicts=b.service", 5, "MachineID cannot be used with Conflicts"),
        ("MachineID=a\nMachineOf=b.service", 5, "MachineID cannot be used with Peers"),
        ("Global=yes\nMachineID=a", 4, "MachineID cannot be used with Global"),
        ("Global=1\nX-ConditionMachineOf=b.service", 5, "Global cannot be used with Peers"),
        ("Replaces=b.service\nX-Conflicts=c.service", 4, "Conflicts cannot be used with Replaces"),
        (
            "MachineOf=b.service\nConflicts=b*",
            5,
            "unresolvable requirements: peer \"b.service\" matches conflict \"b*\"",
        ),
        ("[A] b", 4, "found garbage after section name : [98]"),
        ("key", 4, "unexpected newline encountered while parsing option name"),
    ] {
        let world = read(&[("a.service", unit("/bin/true", x_fleet))]);
        assert_eq!(codes(&world), [format!("!file-refused a.service:{line}")], "{x_fleet}");
        assert_eq!(world.findings[0].message, format!("fleet refuses a.service: {error}"));
        assert!(world.workloads.is_empty());
    }
    let long = format!("[Service]\nExecStart=/bin/{}\n[X-Fleet]\n", "x".repeat(2040));
    let world = read(&[("a.service", long.as_str()), ("a b.service", "[A]\nk=v"), ("x@1.mount", "[A]\nk=v")]);
    assert_eq!(
        codes(&world),
        ["!file-refused a.service:2", "!file-refused a b.service:1", "!file-refused x@1.mount:1"]
    );
    assert!(read(&[("a.service", "# nothing\n")]).findings[0].message.contains("no ExecStart"));
}

#[test]
fn options_that_fleet_combines_are_accepted() {
    for x_fleet in [
        "MachineID=0123456789abcdef\nMachineMetadata=disk=ssd",
        "Global=true\nMachineMetadata=\"disk=ssd\" \"hall=north\"\nConflicts=a@*.service",
        "Global=true\nGlobal=false\nMachineOf=b.service",
        "X-ConditionMachineMetadata=disk=ssd\nX-Conflicts=b.service a@*.service",
    ] {
        let others = [("b.service", unit("/bin/true", "")), ("a@1.service", unit(&docker("a"), x_fleet))];
        assert_eq!(codes(&read(&others)), [""; 0], "{x_fleet}");
    }
}

#[test]
fn options_that_fleet_ignores_are_reported() {
    for (x_fleet, fix) in [
        ("Conflict=a@*.service", "Conflicts="),
        ("MachineMetaData=a=b", "MachineMetadata="),
        ("X-MachineOf=b.service", "MachineOf="),
        ("[X-fleet]\nConflicts=a@*.service", "[X-Fleet]"),
        ("MachineMetadata=disk=ssd hall=north", "MachineMetadata=disk=ssd   MachineMetadata=hall=north"),
        ("MachineMetadata=disk", "MachineMetadata=KEY=VALUE"),
        ("MachineMetadata=host=%H", "MachineMetadata=host=%i: only %n %N %p %i are expanded"),
        ("Global=ture", "Global=true"),
        ("MachineID=a\nMachineID=b", "MachineMetadata=KEY=VALUE, once for each allowed value"),
    ] {
        let world = read(&[("a@1.service", unit(&docker("a"), x_fleet))]);
        assert_eq!(world.findings.len(), 1, "{:?}", world.findings);
        assert_eq!(
            (world.findings[0].code.to_string().as_str(), world.findings[0].fix.as_str()),
            ("rule-ignored", fix)
        );
        assert!(codes(&world)[0].starts_with('!') && world.findings[0].at[0].line >= 4);
    }
    assert_eq!(found(&[("a@1.service", "Owner=team-a")]), ["rule-ignored a@1.service:4"]);
    assert_eq!(found(&[("a@1.service", "Replaces=a@*.service")]), ["rule-ignored a@1.service:4"]);
    let early = format!("Global=true\n{}", unit("/bin/true", ""));
    assert_eq!(codes(&read(&[("a.service", early)])), ["!rule-ignored a.service:1"]);
    assert_eq!(codes(&read(&[("a.target", "[X-Fleet]\nMachineID=b\n")])), ["!rule-ignored a.target:1"]);
}

#[test]
fn conflicts_that_match_nothing_are_reported() {
    for (name, glob, level) in [
        // No suffix, no valid glob, the unit itself, the template, a name that cannot exist.
        ("a@.service", "a@1", "!"),
        ("a@.service", "a@[", "!"),
        ("a@.service", "a@[1-", "!"),
        ("a@.service", "%n", "!"),
        ("a@.service", "a@.service", "!"),
        ("a@.service", "%H.service", "!"),
        ("a.service", "a.service", ""),
        ("a.service", "a@*.service", "!"),
        ("a.v1.service", "%n", ""),
        ("a@1.service", "a@1.service", "!"),
        ("a@1.service", "a.service", "!"),
        ("a@1.service", "b.service", ""),
    ] {
        let line = format!("Conflicts={glob}");
        assert_eq!(
            found(&[(name, &line)]),
            [format!("{level}rule-matches-nothing {name}:4")],
            "{name} {glob}"
        );
    }
    for (name, globs) in [
        ("a@.service", "a@*.service"),
        ("a@.service", "%p@*.service"),
        ("a@1.service", "a@?.service a.service"),
        ("a@1.service", "a@[5-9].service"),
        ("a.v1.service", "a.*.service a.service"),
        (r"a\x2db@.service", r"a\\x2db@*.service"),
    ] {
        assert_eq!(found(&[(name, &format!("Conflicts={globs}"))]), [""; 0], "{name} {globs}");
    }
    // A continuation line leaves its backslash as a word.
    let two = "Conflicts=a@*.service \\\n  b.service";
    assert_eq!(found(&[("a@.service", two), ("b.service", "")]), ["!rule-matches-nothing a@.service:4"]);
    // The glob does not match one unit of the family, until that unit has its own rule.
    let own = "Conflicts=a@*.service";
    assert_eq!(found(&[("a@.service", own), ("a.service", "")]), ["rule-matches-nothing a@.service:4"]);
    assert_eq!(found(&[("a@.service", own), ("a.service", own)]), [""; 0]);
}

#[test]
fn a_unit_that_conflicts_with_its_machine_of_is_stuck() {
    let stuck = |units: &[(&str, &str)]| found(units);
    assert_eq!(
        stuck(&[("a@.service", "Conflicts=a*.service"), ("a-log@.service", "MachineOf=a@%i.service")]),
        ["!update-stuck a@.service:4"]
    );
    // fleet checks the text before it expands specifiers, so it does not see this conflict.
    assert_eq!(
        stuck(&[("a.service", ""), ("a-log.service", "MachineOf=a.service ; Conflicts=%p* a*.service")]),
        ["!file-refused a-log.service:5"]
    );
    assert_eq!(
        stuck(&[("ab.service", ""), ("a.service", "MachineOf=ab.service ; Conflicts=%pb.*")]),
        ["!update-stuck a.service:5"]
    );
    assert_eq!(stuck(&[("a.service", "MachineOf=a.service")]), ["!update-stuck a.service:4"]);
    assert_eq!(
        stuck(&[
            ("a@1.service", "Conflicts=a@*.service"),
            ("a@2.service", ""),
            ("b.service", "MachineOf=a@1.service ; MachineOf=a@2.service"),
        ]),
        ["!update-stuck a@1.service:4"]
    );
    assert_eq!(
        stuck(&[
            ("a.service", "MachineMetadata=slot=1"),
            ("b.service", "MachineOf=a.service"),
            ("c.service", "MachineOf=b.service ; MachineMetadata=slot=2 ; MachineMetadata=slot=3"),
        ]),
        ["!update-stuck c.service:4"]
    );
    assert_eq!(
        stuck(&[("a@.service", "Conflicts=a@*.service"), ("a-log@.service", "MachineOf=a@%i.service")]),
        [""; 0]
    );
    let fix = read(&[
        ("a@.service", unit(&docker("a-%i"), "Conflicts=a*.service")),
        ("a-log@.service", unit(&docker("l-%i"), "MachineOf=a@%i.service")),
    ]);
    assert_eq!(fix.findings[0].fix, "Conflicts=a@*.service");
    assert_eq!(fix.findings[0].at[1].file.as_ref(), "a-log@.service");
}

#[test]
fn a_template_stands_for_its_instances() {
    let text =
        unit(&docker("%p-%i"), "MachineMetadata=slot=%i\nMachineMetadata=disk=ssd\nConflicts=%p@*.service");
    let world = read(&[("deploy/a@.service", text.as_str())]);
    assert_eq!(
        unread(&world),
        ["the files do not say which instances of a@.service run: 1, 2 and 3 represent all of them"]
    );
    let names: Vec<&str> = world.workloads.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, ["a@1.service", "a@2.service", "a@3.service"]);
    let two = find(&world, "a@2.service");
    assert_eq!((two.family.as_str(), two.kind, two.members.len()), ("a", Kind::Unit, 1));
    let member = &two.members[0];
    assert_eq!((member.name.as_str(), member.ordinal), ("a-2", Some(2)));
    assert_eq!((member.wants[0].key.as_str(), &member.wants[0].values), ("slot", &vec!["2".to_owned()]));
    assert_eq!((two.wants[0].key.as_str(), two.wants[0].at.line), ("disk", 5));
    assert_eq!(member.container.as_ref().unwrap().0, "a-2");
    assert!(matches!(&two.apart[0].whom, Whom::Units(glob) if glob == "a@*.service"));
    assert_eq!((two.apart[0].at.line, two.apart[0].at.field.as_str()), (6, "X-Fleet Conflicts"));
    assert_eq!(two.at.file.as_ref(), "deploy/a@.service");

    // Instances with their own files are the only instances.
    let world = read(&[("a@.service", text.as_str()), ("a@7.service", text.as_str())]);
    assert_eq!(world.workloads.len(), 1);
    assert_eq!(unread(&world), ["further instances of the template: only those with files are searched"]);
    let log = unit(&docker("log-%i"), "MachineOf=a@%i.service");
    let world = read(&[("a@7.service", text.as_str()), ("log@.service", log.as_str())]);
    assert_eq!(find(&world, "log@7.service").members[0].ordinal, Some(7));
}

#[test]
fn a_unit_with_machine_of_has_the_pin_of_the_other() {
    // All units use the same directory.
    let docker = |name: &str| docker(name).replace(&format!("/srv/{name}:"), "/srv/all:");
    let a = |i: u32| {
        unit(&docker(&format!("a-{i}")), &format!("MachineMetadata=slot={i}\nConflicts=a@*.service"))
    };
    let log = |i: u32| unit(&docker(&format!("l-{i}")), &format!("MachineOf=a@{i}.service"));
    let world = read(&[
        ("a@1.service", a(1)),
        ("a@2.service", a(2)),
        ("log@1.service", log(1)),
        ("log@2.service", log(2)),
    ]);
    assert_eq!(codes(&world), [""; 0]);
    let one = find(&world, "log@1.service");
    assert_eq!(one.members[0].wants[0].values, ["1"]);
    let apart: Vec<&str> =
        one.apart.iter().map(|a| if let Whom::Units(glob) = &a.whom { glob.as_str() } else { "" }).collect();
    assert_eq!(apart, ["a@2.service", "log@2.service"]);
    let world = read(&[("log@1.service", log(1))]);
    assert_eq!(unread(&world), ["a@1.service is not among the files: where it may run is not known"]);
}

#[test]
fn metadata_and_machine_ids_become_wants() {
    let text = unit(&docker("a"), "MachineMetadata=hall=north\nX-ConditionMachineMetadata=hall=south");
    let world = read(&[("a.service", text)]);
    assert_eq!(world.workloads[0].wants[0].values, ["north", "south"]);
    let world = read(&[("a.service", unit(&docker("a"), "X-ConditionMachineBootID=c\nMachineID=0123abcd"))]);
    let want = &world.workloads[0].wants[0];
    assert_eq!(
        (want.key.as_str(), &want.values, want.one_node),
        ("MachineID", &vec!["0123abcd".to_owned()], true)
    );
    let world = read(&[("a.v2.service", unit(&docker("a"), "Global=on"))]);
    assert_eq!((world.workloads[0].kind, world.workloads[0].family.as_str()), (Kind::GlobalUnit, "a"));
    assert_eq!(world.workloads[0].members[0].name, "a.v2.service");
}

#[test]
fn one_name_is_one_unit_and_drop_ins_are_ignored() {
    let text = unit(&docker("a"), "Conflicts=a@*.service");
    let other = unit(&docker("b"), "");
    // The name appears again; the first text counts.
    let world = read(&[("v1/a@1.service", &text), ("v2/a@1.service", &other), ("v3/a@1.service", &text)]);
    assert_eq!(codes(&world), ["rule-ignored v2/a@1.service:3"]);
    assert_eq!(world.workloads.len(), 1);
    // systemd reads drop-ins, fleet does not.
    let drop_in =
        "[Service]\nExecStart=\nExecStart=/usr/bin/docker run --rm --name late -d img\nTimeoutStopSec=20\n";
    let world = read(&[
        ("a@1.service.d/10-late.conf", drop_in),
        ("a@1.service", &text),
        ("a@.service.d/20.conf", "[X-Fleet]\nConflicts=b.service\n"),
        ("b.service.d/x.conf", "[Service]\nA=b\n"),
        ("notes.md", "# notes"),
    ]);
    assert_eq!(
        codes(&world),
        ["!rule-ignored a@.service.d/20.conf:2", "!container-outlives a@1.service.d/10-late.conf:3"]
    );
    assert_eq!(
        unread(&world),
        [
            "its name is not the name of a unit: it is ignored",
            "b.service is not among the files: its drop-in is left out"
        ]
    );
    assert_eq!(world.workloads[0].members[0].container.as_ref().unwrap().0, "late");
    assert_eq!(world.workloads[0].grace, 20);
}
