//! Runs the scripts of the units in the real `/bin/sh`, with a docker that records its calls.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::reader::{HOST, docker, value, values, words};
use super::{counted, per_node, units};

/// Text with a special meaning for every layer.
pub const HOSTILE: &str =
    "a\n'\"`\\ \\n $HOME ${X} $(id) $$ $ %n %% % {{ x: #;&|<>*?~!é\u{2028}\u{1b}\t\r😀 \\";

/// Returns the text as a YAML scalar.
fn yaml(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{2028}', "\\u2028")
}

/// Returns the text as a YAML scalar, with `{{` escaped.
fn value_of(text: &str) -> String {
    yaml(&text.replace("{{", "{{ '{{' }}"))
}

/// A folder in which the commands of a unit run with a fake docker.
struct Bench(tempfile::TempDir);

impl Bench {
    /// Makes a bench with `script` as docker; the script can use `$DIR`.
    fn new(script: &str) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        // Another process writes the file. Otherwise a child that this process forks at the same
        // time would keep the file open, and a file that is open for writing cannot be executed.
        let text = format!("#!/bin/sh\nDIR={}\n{script}\n", bench.0.path().display());
        let write = r#"printf %s "$1" >"$2" && chmod 755 "$2""#;
        let args = ["-c", write, "sh", &text, &bench.path("docker")];
        assert!(Command::new("/bin/sh").args(args).status().unwrap().success());
        bench
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Returns whether a command line of a unit succeeds. A leading `-` belongs to systemd.
    fn run(&self, line: &str) -> bool {
        let words: Vec<String> = words(line)
            .iter()
            .map(|w| w.replace("/usr/bin/docker", &self.path("docker")))
            .map(|w| w.replace("/run/berth", &self.path("run")).replace("/etc/berth", &self.path("etc")))
            .collect();
        let out = Command::new(words[0].trim_start_matches('-')).args(&words[1..]).output().unwrap();
        out.status.success()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

fn write(path: &str, text: &str) {
    std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const PINNED: &str = "members: { count: 1, pin: db }\nexclusive: { DATA }\n";

#[test]
fn a_stop_ends_only_the_containers_of_its_unit() {
    let unit = &units(&[&counted(PINNED)])["db@0.service"];
    let stop = value(unit, "ExecStop");
    for line in [&stop, &value(unit, "ExecStopPost"), &values(unit, "ExecStartPre")[0]] {
        let bench = Bench::new(r#"echo "$*" >>$DIR/log; test "$1" != ps || echo c0ffee"#);
        assert!(bench.run(line));
        assert_eq!(bench.said(), "ps -q --filter label=berth.unit=db@0.service\nstop -t 30 c0ffee\n");
    }
    let nothing = Bench::new(r#"echo "$1" >>$DIR/log"#);
    assert!(nothing.run(&stop));
    assert_eq!(nothing.said(), "ps\n");
    // If the daemon does not answer or the container does not stop, the command fails.
    assert!(!Bench::new("exit 1").run(&stop));
    assert!(!Bench::new(r#"test "$1" = ps && echo c0ffee"#).run(&stop));
}

#[test]
fn the_stop_command_of_the_spec_runs_first() {
    let before = format!(
        "stop: {{ grace: 30s, before: {{ run: [drain, {}], within: 2s }} }}\n{PINNED}",
        value_of(HOSTILE)
    );
    let unit = &units(&[&counted(&before)])["db@0.service"];
    let line = &values(unit, "ExecStop")[0];
    let bench = Bench::new(
        r#"test "$1" = ps && { echo c0ffee; exit; }; for a; do printf '<%s>' "$a" >>$DIR/log; done"#,
    );
    assert!(bench.run(line));
    assert_eq!(bench.said(), format!("<exec><c0ffee><drain><{HOSTILE}>"));
    assert!(Bench::new("test $1 = ps").run(line), "no container, no command");
    let slow = Bench::new(r#"test "$1" = ps && { echo c0ffee; exit; }; exec sleep 60"#);
    assert!(!slow.run(line), "the command is ended after `within`, so it fails");
}

#[test]
fn a_start_needs_an_existing_volume_of_the_right_plugin() {
    let check = |backend: &str, says: &str| {
        let more = format!(
            "members: {{ count: 1, pin: db }}\nexclusive: {{ data: {{ data: {{ mount: /data, volume: {{ backend: {backend}, size: 1Gi, zones: [a] }} }} }} }}"
        );
        let hazard = if backend == "nfs" { "relabel" } else { "move" };
        let accept = format!("accept: [{{ gap: fleet/data/{hazard}, because: x }}]");
        let all = units(&[&counted(&format!("{more}\n{accept}"))]);
        Bench::new(says).run(&values(&all["db@0.service"], "ExecStartPre")[1])
    };
    assert!(check("aws-ebs", "test \"$*\" = 'volume inspect -f {{.Driver}} data-db-0' && echo rexray/ebs"));
    assert!(check("aws-ebs", "echo rexray/ebs:latest"));
    for wrong in ["echo local", "echo rexray/ebsx", "echo", "exit 1", "echo rexray/ebs; exit 1"] {
        assert!(!check("aws-ebs", wrong), "{wrong}");
    }
    assert!(check("nfs", "test \"$5\" = data-db-0 && echo local nfs") && check("nfs", "echo local nfs4"));
    for wrong in
        ["echo 'local <no value>'", "echo 'local '", "echo local cifs", "echo rexray/ebs nfs", "exit 1"]
    {
        assert!(!check("nfs", wrong), "{wrong}");
    }
}

#[test]
fn files_arrive_byte_for_byte() {
    let long = format!("{}\n{HOSTILE}{HOSTILE}", "x%$'\"\\".repeat(2000));
    let many = "\n".repeat(3000);
    for text in
        ["", "x", "no newline\nat the end", "-n\n-e\n", HOSTILE, "%s\\n\n", long.as_str(), many.as_str()]
    {
        let file =
            format!("files: {{ /etc/a.d/f+1@x: {{ content: {}, mode: \"0750\" }} }}\n{PINNED}", yaml(text));
        let unit = &units(&[&counted(&file)])["db@0.service"];
        let bench = Bench::new("");
        let path = bench.path("run/db@0/etc/a.d/f+1@x");
        // An earlier start failed and left another file there.
        write(&path, "old and longer than the new one, perhaps");
        let lines = values(unit, "ExecStartPre");
        for line in lines.iter().filter(|l| l.contains("printf")) {
            assert!(bench.run(line));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o750);
        let mount = "type=bind,source=/run/berth/db@0/etc/a.d/f+1@x,target=/etc/a.d/f+1@x,readonly";
        assert!(docker(unit).all("--mount").contains(&mount));
    }
}

#[test]
fn a_rendered_file_reaches_the_disk_with_the_name_of_the_machine() {
    let text = value_of(&format!("{HOSTILE}NODE{HOSTILE}")).replace("NODE", "{{ member.node }}");
    let file = format!("files: {{ /f: {{ content: {text}, template: true }} }}\n{PINNED}");
    let unit = &units(&[&counted(&file)])["db@0.service"];
    let bench = Bench::new("");
    let lines = values(unit, "ExecStartPre");
    assert!(lines.iter().filter(|l| l.contains("printf")).all(|line| bench.run(line)));
    let written = std::fs::read_to_string(bench.path("run/db@0/f")).unwrap();
    assert_eq!(written, format!("{HOSTILE}{HOST}{HOSTILE}"));
}

#[test]
fn each_line_of_a_file_is_written_by_its_own_line_of_the_unit() {
    let file = format!("files: {{ /etc/f: {{ content: \"one\\ntwo words\\n\" }} }}\n{PINNED}");
    let unit = &units(&[&counted(&file)])["db@0.service"];
    assert!(unit.contains(" \\\n  \"one\\n\" \\\n  \"two words\\n\"\n"), "{unit}");
}

#[test]
fn hostile_text_reaches_the_container_unchanged() {
    let text = value_of(HOSTILE);
    let lines = format!(
        "command: [/bin/x, {text}]\nargs: [{text}, \";\", \"\", \"-\", yes, \"1e3\", \" b \", \"#\", \"{{{{ member.node }}}}:%H\", {{ each: members, arg: {text} }}]\n\
         env: {{ A: {text}, B: \"\", C.d: \"{{{{ member.node }}}}%n$$\" }}\nhealth: {{ run: [sh, -c, {text}] }}\n\
         annotations: {{ a.b/c: {} }}\n",
        yaml(HOSTILE)
    );
    let unit = &units(&[&counted(&format!("{lines}{PINNED}"))])["db@0.service"];
    let run = docker(unit);
    let node = format!("{HOST}:%H");
    let args = [HOSTILE, HOSTILE, ";", "", "-", "yes", "1e3", " b ", "#", &node, HOSTILE];
    assert_eq!(run.args, args);
    assert_eq!(run.env("A").unwrap(), HOSTILE);
    assert_eq!(run.all("--label").last(), Some(&format!("a.b/c={HOSTILE}").as_str()));
    assert_eq!((run.env("B").unwrap(), run.env("C.d").unwrap()), (String::new(), format!("{HOST}%n$$")));
    // The shell of the image also reads the check.
    let check = run.one("--health-cmd").strip_prefix("sh -c ").unwrap().to_owned();
    let out = Command::new("/bin/sh").args(["-c", &format!("printf %s {check}")]).output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), HOSTILE);
}

#[test]
fn secrets_become_variables_and_never_arguments() {
    let more = format!(
        "secrets: {{ p.w: {{ ref: db/pass }}, q: {{ ref: db/q }} }}\n\
         env: {{ URL: \"x://u:{{{{ secret('p.w') }}}}@{{{{ member.node }}}}/'$(id)'{{{{ secret('q') }}}}\", PASS: \"{{{{ secret('p.w') }}}}\", PLAIN: {} }}\n\
         args: [\"a b\", \"$c\"]\n",
        value_of(HOSTILE)
    );
    for spec in [counted(&format!("{more}{PINNED}")), per_node(&more)] {
        let all = units(&[&spec]);
        let unit = all.values().next().unwrap();
        let dump = r#"printf '%s\n' "$URL" "$PASS" >$DIR/env; for a; do printf '<%s>' "$a" >>$DIR/log; done"#;
        let bench = Bench::new(dump);
        let start = value(unit, "ExecStart");
        assert!(!bench.run(&start), "a secret that is missing starts nothing");
        assert_eq!(bench.said(), "");
        write(&bench.path("etc/secrets/db/pass"), "s3'\"$(x)\\ \n");
        write(&bench.path("etc/secrets/db/q"), "q");
        assert!(bench.run(&start));
        let env = std::fs::read_to_string(bench.path("env")).unwrap();
        assert_eq!(env, format!("x://u:s3'\"$(x)\\ @{HOST}/'$(id)'q\ns3'\"$(x)\\ \n"));
        let said = bench.said();
        assert!(said.starts_with("<run><--rm><--name>") && said.ends_with("<r.io/db:1><a b><$c>"), "{said}");
        assert!(said.contains("<-e><URL><-e><PASS><-e><PLAIN=a\n") && !said.contains("s3"));
    }
}

/// Checks the units with systemd, if it is installed.
#[test]
fn systemd_accepts_units_with_hostile_text() {
    let more = format!(
        "command: [/bin/x, {0}]\nenv: {{ A: {0}, S: \"{{{{ secret('s') }}}}\" }}\nsecrets: {{ s: {{ ref: a/b }} }}\nfiles: {{ /f: {{ content: {1} }}, /g: {{ content: {0}, template: true }} }}\n\
         stop: {{ before: {{ run: [x, {0}], within: 1s }}, grace: 9s }}\nhelpers: {{ h: {{ image: r.io/h:1, args: [{0}] }} }}\n{PINNED}",
        value_of(HOSTILE),
        yaml(HOSTILE)
    );
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    // The programs of the machine are missing here, so the test only checks that systemd can read
    // each line.
    let program = folder.path().join("true");
    std::os::unix::fs::symlink("/bin/true", &program).unwrap();
    for (name, text) in units(&[&counted(&more)]) {
        let path = folder.path().join(name);
        std::fs::write(&path, text.replace("/usr/bin/docker", program.to_str().unwrap())).unwrap();
        paths.push(path);
    }
    std::fs::write(folder.path().join("docker.service"), "[Service]\nExecStart=/bin/true\n").unwrap();
    let verify = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output();
    let Ok(verify) = verify else { return };
    let said = String::from_utf8_lossy(&verify.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|l| l.contains("db@0") || l.contains("db-h@0")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// `install` needs root for an owner, so the test gives the secret to the user that runs it.
#[test]
fn a_secret_with_permissions_of_its_own_is_copied_where_only_root_enters() {
    use std::os::unix::fs::MetadataExt as _;

    let host = Bench::new("");
    write(&host.path("etc/secrets/x/k"), "hush");
    let own = std::fs::metadata(host.path("etc/secrets/x/k")).unwrap();
    let secret =
        format!("{{ ref: x/k, path: /data/k, mode: \"0400\", owner: \"{}:{}\" }}", own.uid(), own.gid());
    let unit = &units(&[&counted(&format!("{PINNED}secrets: {{ k: {secret} }}"))])["db@0.service"];
    for line in values(unit, "ExecStartPre").iter().filter(|line| line.contains("secrets")) {
        assert!(host.run(line), "{line}");
    }
    let copy = host.path("run-secrets/db@0/k");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "hush");
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&copy), mode(&host.path("run-secrets/db@0"))), (0o400, 0o700));
    let mount = "type=bind,source=/run/berth-secrets/db@0/k,target=/data/k,readonly";
    assert!(docker(unit).all("--mount").contains(&mount), "{unit}");
}
