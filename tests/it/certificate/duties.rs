//! Tests the duties of the operator: every command can be pasted, and does what its comment says.

use std::process::{Command, Stdio};

use berthc::Diagnostic;

use crate::harness;

const DB: &str = "service: db
image: db:1
user: \"999\"
members: { count: 2, first: 1, pin: db }
exclusive:
  data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\", size: 1Gi } }
  ports: { client: 5000 }
health: { ready: { run: [ask] } }
update: { pause: 20s, healthy: \"ask localhost:{{ ports.client }} 'its'\" }
targets:
  kubernetes: { version: \"1.34\", namespace: ns }
  fleet: { version: \"1.0.0\" }
  swarm: { engine: \"26.1\", network: net }
";

const VOLUME: &str = "service: db
image: db:1
members: { count: 2 }
exclusive:
  data: { data: { mount: /data, volume: { BACKEND, size: 10Gi } } }
  ports: { client: 5000 }
stop: { grace: 30s }
TARGETS
";

/// Returns the certificate of `spec`, with a waiver for every gap.
fn page(spec: &str) -> String {
    let mut text = spec.to_owned();
    for _ in 0..3 {
        let (tree, said) = harness::compile(&[("db.yaml", &text)]);
        if let Some(tree) = tree {
            return tree["db/certificate.md"].split_once("## Duties").unwrap().1.to_owned();
        }
        let gaps = |d: &Diagnostic| [vec![d.code.to_string()], d.also.clone()].concat();
        let gaps: Vec<String> = said.iter().flat_map(gaps).filter(|code| code.contains('/')).collect();
        assert!(!gaps.is_empty(), "{said:#?}");
        let waivers: Vec<String> =
            gaps.iter().map(|g| format!("  - {{ gap: {g}, because: \"a test\" }}\n")).collect();
        if !text.contains("\naccept:\n") {
            text.push_str("accept:\n");
        }
        text.push_str(&waivers.concat());
    }
    panic!("no page")
}

/// Returns the commands of `page` without their indentation, as a reader copies them.
fn blocks(page: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("    ") {
            Some(code) if inside => {
                let last = all.last_mut().unwrap();
                last.push('\n');
                last.push_str(code);
            }
            Some(code) => all.push(code.to_owned()),
            None => {}
        }
        inside = line.starts_with("    ");
    }
    all
}

fn has(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.contains(line), "no `{line}` in {page}");
    }
}

#[test]
fn every_code_block_of_a_certificate_is_a_valid_script() {
    for spec in [DB, &volume("backend: gce-pd, type: pd-ssd, zones: [a]")] {
        for block in blocks(&page(spec)) {
            let ok =
                Command::new("/bin/sh").args(["-n", "-c", &block]).stderr(Stdio::null()).status().unwrap();
            assert!(ok.success(), "{block}");
        }
    }
}

fn volume(backend: &str) -> String {
    let targets = "targets: { fleet: { version: \"1.0.0\" }, swarm: { engine: \"20.10\", network: net } }";
    VOLUME.replace("BACKEND", backend).replace("TARGETS", targets)
}

#[test]
fn the_update_check_runs_in_the_updated_member() {
    let page = page(DB);
    let gate = r"sh -c 'ask localhost:5000 '\''its'\'''";
    assert!(!page.contains("$GATE") && !page.contains("CONTAINER"));
    has(
        &page,
        &[
            &format!("kubectl -n ns exec db-2 -c db -- {gate}"),
            &format!(r#"docker exec "$(docker ps -q --filter label=berth.unit=db@2.service)" {gate}"#),
            &format!(
                r#"docker exec "$(docker ps -q --filter label=com.docker.swarm.service.name=db_db-2)" {gate}"#
            ),
            "    sleep 20 &&",
            "Swarm does not run",
        ],
    );
    // The command waits for the pod with this name after the old one is gone.
    has(
        &page,
        &[
            "    kubectl -n ns delete pod db-1 &&\n    until kubectl -n ns get pod db-1 -o name; do sleep 1; done &&\n    kubectl -n ns wait --for=condition=Ready pod/db-1 --timeout=30m &&\n    sleep 20 &&\n    kubectl -n ns exec db-1",
        ],
    );
}

#[test]
fn the_update_check_has_the_id_of_its_member() {
    let spec = DB.replace("ask localhost:{{ ports.client }}", "ask {{ member.id }}");
    let spec = spec.replace("  kubernetes: { version: \"1.34\", namespace: ns }\n", "");
    has(&page(&spec), &["sh -c 'ask 1 ", "sh -c 'ask 2 "]);
}

#[test]
fn the_duties_create_no_directory_on_an_unmounted_disk() {
    let page = page(DB);
    has(&page, &["    findmnt --mountpoint /mnt/d1 && install -d -o 999 -g 999 -m 0700 /mnt/d1/db-2 "]);
    assert!(!page.contains("--target"));
}

#[test]
fn the_duties_start_helpers_with_their_member() {
    let spec = format!("{DB}helpers: {{ exporter: {{ image: \"x:1\" }} }}\n");
    has(
        &page(&spec),
        &[
            "fleetctl start fleet/db@1.service fleet/db-exporter@1.service fleet/db@2.service fleet/db-exporter@2.service",
            "fleetctl destroy db@2.service db-exporter@2.service",
        ],
    );
}

#[test]
fn the_duties_create_volumes_with_the_options_of_the_files() {
    let page_of = |backend: &str| page(&volume(backend));
    let ebs =
        page_of("backend: aws-ebs, type: gp3, zones: [a, b], options: { iops: \"3000\", note: \"a'b\" }");
    let line = r"docker volume create -d rexray/ebs --opt size=10 --opt volumetype=gp3 --opt iops=3000 --opt 'note=a'\''b' data-db-1   # in b";
    assert_eq!(ebs.matches(line).count(), 2, "{ebs}");
    let nfs = page_of("backend: nfs, options: { server: 10.0.0.9, share: /export }");
    let line = "docker volume create -d local --opt type=nfs --opt o=addr=10.0.0.9,rw --opt device=:/export/data-db-0 data-db-0";
    has(&nfs, &[&format!("{line}\n"), &format!("{line}-"), "install -d -m 0700 /export/data-db-0"]);
    let csi = volume("backend: aws-ebs, type: gp3, zones: [a, b]")
        .replace("\"20.10\", network: net", "\"26.1\", network: net, volume: csi");
    has(
        &page(&csi),
        &[
            "docker volume create -d ebs.csi.aws.com:latest --type mount --scope single --sharing none --required-bytes 10737418240 --topology-required topology.ebs.csi.aws.com/zone=b --opt type=gp3 data-db-1\n",
        ],
    );
}

#[test]
fn the_duties_create_each_secret_once() {
    let secrets = "secrets: { a: { ref: db/a }, b: { ref: db/b }, c: { ref: other/c } }\n";
    let page = page(&format!("{DB}{secrets}"));
    has(
        &page,
        &[
            "create secret generic db --from-file=a --from-file=b\n",
            "create secret generic other --from-file=c\n",
        ],
    );
    has(
        &page,
        &[
            "install -d -m 0700 /etc/berth/secrets/db && install -o 999 -g 999 -m 0400 FILE /etc/berth/secrets/db/a",
        ],
    );
}

#[test]
fn a_helper_of_another_user_can_read_the_secret() {
    let more = "secrets: { a: { ref: db/a }, b: { ref: db/b } }
helpers: { exporter: { image: \"x:1\", user: \"65534\", env: { F: \"{{ secret('a').path }}\" } } }\n";
    has(
        &page(&format!("{DB}{more}")),
        &[
            "install -d -m 0700 /etc/berth/secrets/db && install -m 0444 FILE /etc/berth/secrets/db/a",
            "install -o 999 -g 999 -m 0400 FILE /etc/berth/secrets/db/b",
        ],
    );
}

/// Checks that the shell gets exactly the text of the spec, whatever characters it contains.
#[test]
fn a_command_of_several_lines_stays_one_word() {
    let hostile = r#"a=1\n\n## Not a heading\n```\nprintf '%s\\n' \"x\ty\"\n\u2028 \e %d"#;
    let spec = format!("{DB}bootstrap: {{ once: \"{hostile}\" }}\n");
    let page = page(&spec);
    assert!(!page.lines().any(|l| l.starts_with("## Not") || l.starts_with("```")));
    let block = blocks(&page).into_iter().find(|b| b.contains("exec db-1") && b.contains("a=1")).unwrap();
    let text = "a=1\n\n## Not a heading\n```\nprintf '%s\\n' \"x\ty\"\n\u{2028} \u{1b} %d";
    let script = block.replacen("kubectl -n ns exec db-1 -c db -- sh -c", "printf %s", 1);
    let out = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), text, "{block}");
}

/// A dockerd that stops gives 10 s; engine 29 has a setting for it.
#[test]
fn a_node_is_drained_before_its_dockerd_stops() {
    let on = |engine: &str, grace: &str| {
        page(&format!("{DB}stop: {{ grace: {grace} }}\n").replace("26.1", engine))
    };
    let drain = "docker node update --availability drain NODE";
    assert!(on("28.5", "45s").contains(drain) && !on("28.5", "10s").contains(drain));
    let (before, since) = (on("28.5", "45s"), on("29.0", "45s"));
    assert!(since.contains("default-stop-timeout") && since.contains("45"), "{since}");
    assert!(!before.contains("default-stop-timeout"));
    assert!(since.contains("To go back, deploy the old file"));
}

/// Checks the level that the certificate gives for the namespace, and its reason. Each line is
/// tested alone, added to a pod that passes restricted
/// (kubernetes.io/docs/concepts/security/pod-security-standards, 1.34).
#[test]
fn the_pod_security_level_is_that_of_the_emitted_pod() {
    let spec = |more: &str| {
        format!(
            "service: db\nimage: db:1\nmembers: {{ count: 1 }}\nuser: \"999:999\"\n\
             exclusive: {{ data: {{ data: {{ mount: /data, volume: {{ backend: aws-ebs, size: 1Gi }} }} }} }}\n\
             targets: {{ kubernetes: {{ version: \"1.34\", namespace: app{more} }} }}\n"
        )
    };
    let context = |what: &str| format!(", container: {{ securityContext: {{ {what} }} }}");
    for (more, level, reason) in [
        (String::new(), "restricted", ""),
        (context("capabilities: { add: [NET_BIND_SERVICE] }"), "restricted", ""),
        (context("capabilities: { add: [CHOWN] }"), "baseline", "the container db adds CHOWN"),
        (context("capabilities: { add: [SYS_ADMIN] }"), "privileged", "the container db adds SYS_ADMIN"),
        (context("procMount: Unmasked"), "privileged", "procMount"),
        (context("appArmorProfile: { type: Unconfined }"), "privileged", "appArmorProfile"),
        (context("seLinuxOptions: { type: spc_t }"), "privileged", "seLinuxOptions type: spc_t"),
        (", pod: { hostPID: true }".into(), "privileged", "hostPID"),
        (
            ", pod: { volumes: [{ name: ca, hostPath: { path: /etc/ssl/certs, type: Directory } }] }".into(),
            "privileged",
            "a volume of the node's /etc/ssl/certs",
        ),
        (
            ", pod: { volumes: [{ name: n, nfs: { server: s, path: /x } }] }".into(),
            "baseline",
            "a volume of the kind nfs",
        ),
        (
            ", pod: { securityContext: { sysctls: [{ name: net.core.somaxconn, value: \"1024\" }] } }".into(),
            "privileged",
            "the sysctl net.core.somaxconn",
        ),
        (
            ", pod: { securityContext: { sysctls: [{ name: net.ipv4.tcp_keepalive_time, value: \"60\" }] } }"
                .into(),
            "restricted",
            "",
        ),
        (
            ", pod: { initContainers: [{ name: wait, image: \"w:1\" }] }".into(),
            "baseline",
            "the container wait does not drop ALL capabilities",
        ),
    ] {
        let (tree, found) = crate::harness::compile(&[("db.yaml", &spec(&more))]);
        let page = &tree.unwrap_or_else(|| panic!("{more}: {found:#?}"))["db/certificate.md"];
        let line = page.lines().find(|l| l.contains("Pod Security level")).unwrap();
        assert!(line.contains(&format!("level {level}")) && line.contains(reason), "{more}: {line}");
        assert!(page.contains(&format!("pod-security.kubernetes.io/enforce={level}")), "{more}");
    }
}

/// The variables of the first start must be gone before the founder crashes, so the page has the whole
/// order: found, form, compile without them, restart the founder, and only then updates.
#[test]
fn the_first_start_comes_before_updates() {
    let spec = format!("{DB}command: [run]\nbootstrap: {{ env: {{ FOUND: \"1\" }}, once: form }}\n");
    let page = page(&spec);
    for (part, restart) in [
        ("### Kubernetes", "kubectl -n ns delete pod db-1 &&"),
        ("### fleet", "fleetctl destroy db@1.service\n"),
        ("### Swarm", "docker stack deploy -c swarm/db-1.yml db\n"),
    ] {
        let text = page.split_once(part).unwrap().1;
        let text = text.split("\n### ").next().unwrap();
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no `{what}` in {text}"));
        let begin = at("berthc compile SPECS -o OUT --bootstrap db\n");
        let (once, without) = (at("sh -c 'form'"), at("berthc compile SPECS -o OUT\n"));
        let again = without + text[without..].find(restart).unwrap();
        let update = at("Update");
        assert!(begin < once && once < without && without < again && again < update, "{text}");
        assert_eq!(text.matches("--bootstrap").count(), 1, "{text}");
    }
}

/// The gate of a quorum cannot pass with one member, so the first deploy on Swarm waits for none.
#[test]
fn the_first_deploy_on_swarm_starts_all_members_before_the_gate() {
    let page = page(DB);
    let text = page.split_once("### Swarm").unwrap().1;
    let (deploy, rest) = text.split_once("\nDeploy.\n").unwrap().1.split_once("\nUpdate, ").unwrap();
    let (first, gate) = (deploy.find("db-2.yml").unwrap(), deploy.find("ask localhost").unwrap());
    assert!(first < gate && deploy.contains("db-1.yml"), "{deploy}");
    assert_eq!(rest.matches("sh -c 'ask localhost").count(), 2, "{rest}");
}
