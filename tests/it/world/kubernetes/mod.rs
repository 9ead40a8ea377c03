//! Tests how Kubernetes manifests from any source are read into a World.

mod hostile;
mod lints;
mod storage;

use berthc::images::Images;
use std::collections::BTreeMap;

use berthc::finding::{Finding, Level};
use berthc::world::{File, Kind, Missing, Order, Source, Want, Whom, Workload, World, kubernetes};

use crate::harness::{compile, root, walk};

/// Reads files by path.
fn files(all: &[(&str, &str)]) -> World {
    let files: Vec<File<'_>> = all.iter().map(|(path, text)| File { path, text }).collect();
    kubernetes::read(&files, Images::builtin(), &[])
}

fn read(text: &str) -> World {
    files(&[("a.yaml", text)])
}

/// Reads one workload, of which every part is understood.
fn one(text: &str) -> Workload {
    let World { mut workloads, unread, .. } = read(text);
    assert_eq!(unread, [], "{text}");
    assert_eq!(workloads.len(), 1, "{text}");
    workloads.remove(0)
}

/// Returns a controller of `api` and `kind` with the name `db` and pods with the label `app: db`.
/// The arguments are the contents of its spec and of its pod spec.
fn controller(api: &str, kind: &str, spec: &str, pod: &str) -> String {
    let indent = |text: &str, by: &str| text.lines().map(|l| format!("{by}{l}\n")).collect::<String>();
    format!(
        "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: db}}\nspec:\n  selector: {{matchLabels: {{app: db}}}}\n{}  \
         template:\n    metadata: {{labels: {{app: db}}}}\n    spec:\n{}",
        indent(spec, "  "),
        indent(pod, "      ")
    )
}

const MAIN: &str = "containers: [{name: db, image: example.com/own/db:1}]\n";
const OWN: &str = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
                   [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}]}}\n";

fn stateful(spec: &str, pod: &str) -> String {
    controller("apps/v1", "StatefulSet", spec, pod)
}

fn deployment(spec: &str, pod: &str) -> String {
    controller("apps/v1", "Deployment", spec, pod)
}

/// Returns the findings as `level code line`.
fn told(world: &World) -> Vec<String> {
    let level = |f: &Finding| if f.level == Level::Violation { "violation" } else { "note" };
    world.findings.iter().map(|f| format!("{} {} {}", level(f), f.code, f.at[0].line)).collect()
}

fn codes(text: &str) -> Vec<String> {
    told(&read(text)).into_iter().map(|t| t.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

#[test]
fn every_emitted_manifest_is_read_completely() {
    for folder in ["specs", "tests/specs"] {
        let specs: Vec<(String, String)> = walk(&root().join(folder))
            .into_iter()
            .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
            .map(|p| (p.display().to_string(), std::fs::read_to_string(&p).unwrap()))
            .map(|(path, text)| (path, text.replace("from: files/hook.sh", "content: x")))
            .collect();
        let specs: Vec<(&str, &str)> = specs.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let (tree, diagnostics) = compile(&specs);
        let tree = tree.unwrap_or_else(|| panic!("{diagnostics:#?}"));
        let all: Vec<(&str, &str)> = tree
            .iter()
            .filter(|(path, _)| path.contains("/kubernetes/"))
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert!(all.len() > 20);
        let mut services: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (path, text) in &all {
            services.entry(path.split('/').next().unwrap()).or_default().push((path, text));
        }
        // Each service is read alone, and then all together.
        for files_of in services.values().chain([&all]) {
            let world = files(files_of);
            assert_eq!(world.unread, [], "{:?}", files_of[0].0);
            let bad: Vec<&Finding> = world.findings.iter().filter(|f| f.level == Level::Violation).collect();
            assert!(bad.is_empty(), "{bad:#?}");
        }
        let world = files(&all);
        for workload in world.workloads.iter().filter(|w| w.name.starts_with("statefulset/")) {
            for member in &workload.members {
                assert_eq!(member.name, format!("{}-{}", &workload.name[12..], member.ordinal.unwrap()));
            }
        }
        let elastic = world.workloads.iter().find(|w| w.name == "daemonset/elasticsearch-data-v1");
        if let Some(elastic) = elastic {
            assert_eq!(elastic.lock.as_ref().unwrap().0, "/usr/share/elasticsearch/data");
            assert_eq!(elastic.members[0].mounts.len(), 1);
            assert_eq!((elastic.family.as_str(), elastic.kind), ("elasticsearch-data", Kind::DaemonSet));
        }
    }
}

#[test]
fn a_web_service_has_no_findings() {
    let web = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: db}, ports: [{port: 80}]}\n---\n";
    let pod = "containers:\n- {name: web, image: nginx:1.27, ports: [{containerPort: 80}]}\n\
               - {name: tail, image: busybox, volumeMounts: [{name: tmp, mountPath: /tmp}]}\n\
               volumes: [{name: tmp, emptyDir: {}}, {name: c, configMap: {name: c}}]\n";
    let world = read(&format!("{web}{}", deployment("replicas: 3", pod)));
    // The ConfigMap is not among the files.
    assert_eq!((told(&world), world.unread.len()), (vec!["note not-among-files 18".to_owned()], 0));
    assert_eq!(world.workloads[0].members.len(), 3);
    assert!(world.workloads[0].members.iter().all(|m| m.mounts.is_empty()));
    // An agent that reads files of its node holds no data.
    let agent = "containers: [{name: a, image: fluent/fluentd, volumeMounts: [{name: log, mountPath: /var/log}, \
                 {name: run, mountPath: /run/x}]}]\nvolumes: [{name: log, hostPath: {path: /var/log}}, \
                 {name: run, hostPath: {path: /run/docker.sock, type: Socket}}]\n";
    let world = read(&controller("apps/v1", "DaemonSet", "", agent));
    assert_eq!((told(&world), world.workloads[0].members[0].mounts.len()), (Vec::new(), 0));
}

#[test]
fn every_form_of_manifest_is_read() {
    let json = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"x"}]}},
        {"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}"#;
    let pods = "apiVersion: v1\nkind: PodList\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b, namespace: n}\n  \
                spec: {hostname: h, containers: []}\n";
    let anchors = "apiVersion: v1\nkind: Pod\nmetadata: {name: c, labels: &l {app: x}}\nspec:\n  nodeSelector: *l\n  containers: []\n";
    let world = files(&[("d/a.json", json), ("d/b.yaml", pods), ("d/c.yaml", anchors)]);
    assert_eq!(world.unread, []);
    let names: Vec<(&str, &str)> =
        world.workloads.iter().map(|w| (w.name.as_str(), w.scope.as_str())).collect();
    assert_eq!(names, [("pod/a", "default"), ("pod/b", "n"), ("pod/c", "default")]);
    assert_eq!(world.workloads[1].members[0].hostname.as_ref().unwrap().0, "h");
    assert_eq!(world.workloads[1].at.field, "items[0].metadata.name");
    assert_eq!(world.workloads[2].wants[0].key, "app");
}

#[test]
fn a_kustomization_gives_the_namespace() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n";
    let base = "resources: [pod.yaml]\n";
    let over = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: prod\nresources: [../../base]\nnamePrefix: x-\n";
    let world = files(&[
        ("k/base/pod.yaml", pod),
        ("k/base/kustomization.yaml", base),
        ("k/over/prod/kustomization.yaml", over),
        ("k/other.yaml", &pod.replace("name: a", "name: b")),
    ]);
    let scopes: Vec<&str> = world.workloads.iter().map(|w| w.scope.as_str()).collect();
    assert_eq!(scopes, ["prod", "default"]);
    let unread: Vec<(&str, usize)> = world.unread.iter().map(|u| (&*u.at.file, u.at.line)).collect();
    assert_eq!(unread, [("k/over/prod/kustomization.yaml", 5)]);
    // Cyclic kustomizations are read only once.
    let cycle = "namespace: n\nresources: [., a.yaml, ../c]\n";
    files(&[("c/kustomization.yaml", cycle), ("c/a.yaml", pod)]);
}

#[test]
fn parts_that_are_not_read_are_listed() {
    let cases = [
        ("a: 1\n", 1, "no manifest"),
        ("kind: Pod\napiVersion: v1\nmetadata:\n  name: {{ .Release.Name }}\n", 4, "Helm template"),
        (
            "kind: Pod\napiVersion: v1\nmetadata: {name: \"{{ .Values.name }}\"}\nspec: {containers: []}\n",
            3,
            "Helm template",
        ),
        ("apiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {name: p}\n", 3, "controller"),
        ("kind: Pod\napiVersion: v1\nspec: [\n", 3, "not YAML"),
        ("kind: Pod\nkind: Pod\napiVersion: v1\nspec: {}\n", 2, "appears twice"),
        ("kind: Pod\napiVersion: v1\n", 1, "no pod"),
    ];
    for (text, line, what) in cases {
        let unread = read(text).unread;
        assert!(
            unread.len() == 1 && unread[0].at.line == line && unread[0].what.contains(what),
            "{text}{unread:?}"
        );
    }
    // A template of another program inside a manifest is not a Helm template.
    let rules = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\ndata: {a: \"{{ $labels.instance }} is down\"}\n";
    assert_eq!(read(rules).unread, []);
    let pod = [
        ("schedulerName: other\n", "another scheduler"),
        (&OWN.replace("kubernetes.io/hostname", "rack"), "over `rack`"),
        (
            &OWN.replace("labelSelector", "matchLabelKeys: [pod-template-hash], labelSelector"),
            "matchLabelKeys",
        ),
        (
            &OWN.replace("labelSelector", "namespaceSelector: {matchLabels: {a: b}}, labelSelector"),
            "namespaceSelector",
        ),
        ("volumes: [{name: v, flexVolume: {driver: x}}]\n", ""),
    ];
    for (more, what) in pod {
        let unread = read(&stateful("", &format!("{MAIN}{more}"))).unread;
        assert!(unread.len() == usize::from(!what.is_empty()), "{more}{unread:?}");
        assert!(unread.iter().all(|u| u.what.contains(what)), "{unread:?}");
    }
}

#[test]
fn node_selectors_and_affinity_become_wants() {
    let nodes = |terms: &str| {
        let affinity =
            "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: ";
        read(&deployment("", &format!("{MAIN}{affinity}{terms}}}}}}}\n")))
    };
    let short = |wants: &[Want]| -> Vec<String> {
        wants
            .iter()
            .map(|w| {
                format!(
                    "{}{}={}{}",
                    if w.not { "!" } else { "" },
                    w.key,
                    w.values.join("|"),
                    if w.one_node { " one" } else { "" }
                )
            })
            .collect()
    };
    let world = nodes(
        "[{matchExpressions: [{key: a, operator: In, values: [x, y]}, {key: b, operator: NotIn, values: [z]}, \
                       {key: c, operator: Exists}, {key: d, operator: DoesNotExist}]}]",
    );
    assert_eq!(short(&world.workloads[0].wants), ["a=x|y", "!b=z", "c=", "!d="]);
    let host = "{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [n1]}]}";
    let world = nodes(&format!("[{host}, {}]", host.replace("n1", "n2")));
    assert_eq!(
        (short(&world.workloads[0].wants), world.unread.len()),
        (vec!["kubernetes.io/hostname=n1|n2 one".to_owned()], 0)
    );
    let world = nodes(&format!("[{host}, {}]", host.replace("kubernetes.io/hostname", "zone")));
    assert_eq!((world.workloads[0].wants.len(), world.unread.len()), (0, 1));
    let bound = one(&deployment("", &format!("{MAIN}nodeName: n1\nnodeSelector: {{disk: ssd}}\n")));
    assert_eq!(short(&bound.wants), ["disk=ssd", "metadata.name=n1 one"]);
}

#[test]
fn anti_affinity_selects_pods_as_kubernetes_does() {
    let namespaces = |more: &str| {
        let text = deployment(
            "",
            &format!("{MAIN}{}", OWN.replace("labelSelector", &format!("{more}labelSelector"))),
        );
        let workload = one(&text);
        let [apart] = &workload.apart[..] else { panic!("{text}") };
        let Whom::Pods { selector, namespaces, .. } = &apart.whom else { panic!("{text}") };
        assert!(selector.selects(&workload.labels));
        namespaces.clone()
    };
    assert_eq!(namespaces(""), Some(vec!["default".to_owned()]));
    assert_eq!(namespaces("namespaces: [a, b], "), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(namespaces("namespaceSelector: {}, "), None);
    // A null selector matches nothing.
    assert_eq!(namespaces("namespaceSelector: null, "), Some(vec!["default".to_owned()]));
    let zone = one(&deployment(
        "",
        &format!("{MAIN}{}", OWN.replace("kubernetes.io/hostname", "topology.kubernetes.io/zone")),
    ));
    assert_eq!(zone.apart.len(), 1);
}

#[test]
fn ports_grace_and_update_order_are_read() {
    let ports = "containers: [{name: a, image: a, ports: [{containerPort: 1}, {containerPort: 2, hostPort: 20, protocol: UDP}]}]\n";
    let numbers = |pod: &str| -> Vec<(u16, String)> {
        one(&deployment("", pod)).ports.into_iter().map(|p| (p.number, p.protocol)).collect()
    };
    assert_eq!(numbers(ports), [(20, "udp".to_owned())]);
    assert_eq!(
        numbers(&format!("{ports}hostNetwork: true\n")),
        [(1, "tcp".to_owned()), (20, "udp".to_owned())]
    );
    let workload =
        one(&deployment("", &format!("{MAIN}terminationGracePeriodSeconds: 90\nhostNetwork: true\n")));
    assert_eq!(
        (workload.grace, workload.grace_at.unwrap().line, workload.node_network.is_some()),
        (90, 10, true)
    );
    let order = |api: &str, kind: &str, spec: &str| one(&controller(api, kind, spec, MAIN)).update.order;
    assert_eq!(order("apps/v1", "Deployment", ""), Order::StartFirst);
    assert_eq!(order("apps/v1", "Deployment", "strategy: {type: Recreate}"), Order::StopFirst);
    assert_eq!(order("apps/v1", "Deployment", "strategy: {rollingUpdate: {maxSurge: 0}}"), Order::DownFirst);
    assert_eq!(order("apps/v1", "StatefulSet", ""), Order::StopFirst);
    assert_eq!(order("apps/v1", "StatefulSet", "updateStrategy: {type: OnDelete}"), Order::ByHand);
    assert_eq!(order("apps/v1beta1", "StatefulSet", ""), Order::ByHand);
    assert_eq!(order("apps/v1", "DaemonSet", ""), Order::StopFirst);
    assert_eq!(order("extensions/v1beta1", "DaemonSet", ""), Order::ByHand);
    let surge = "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";
    assert_eq!(order("apps/v1", "DaemonSet", surge), Order::StartFirst);
    assert_eq!(order("apps/v1", "ReplicaSet", ""), Order::ByHand);
}

#[test]
fn only_locks_of_the_process_count() {
    let lock = |command: &str| {
        let pod = format!("containers: [{{name: a, image: a, command: {command}}}]\n");
        let world = read(&stateful("", &pod));
        (world.workloads[0].lock.as_ref().map(|(d, _)| d.clone()), world.unread.len())
    };
    let held = [
        (r#"[/bin/sh, -c, "exec 9<\"$0\" && flock -n 9 && exec \"$@\"", /data, mysqld]"#, "/data"),
        (r#"[sh, -ec, "exec 9>/data/.lock; flock -n 9; exec mysqld"]"#, "/data/.lock"),
        (r#"[sh, -c, "set -e\nexec 9>/data/.lock\nflock 9\nexec mysqld\n"]"#, "/data/.lock"),
        (r#"[bash, -c, "exec 9>/data/db.lock\nflock -n 9 || exit 1\nexec mysqld --x"]"#, "/data/db.lock"),
        (r#"[bash, -c, "exec 9<>\"/data//db.lock\" && flock -nx 9 && exec mysqld"]"#, "/data/db.lock"),
        ("[flock, -n, /data/.lock, mysqld]", "/data/.lock"),
        ("[/usr/bin/flock, -w, '10', /data/, mysqld]", "/data"),
    ];
    for (command, path) in held {
        assert_eq!(lock(command), (Some(path.to_owned()), 0), "{command}");
    }
    for options in ["-nx", "-xn", "-en", "-ne", "--timeout=5", "-n, --exclusive"] {
        assert_eq!(lock(&format!("[flock, {options}, /data, mysqld]")).1, 0, "{options}");
    }
    let open = [
        // The script continues although another process has the lock.
        r#"[sh, -c, "exec 9>/data/.lock; flock -n 9; exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock; flock -n 9 || true; exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock; flock -n 9 || echo busy; exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock; flock -n 9 && echo x; exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock && flock -n -E 0 9 && exec mysqld"]"#,
        // If the file cannot be opened, `flock` does not run, and the script continues.
        r#"[bash, -ec, "exec 9>/data/.lock && flock -n 9; exec mysqld"]"#,
        r#"[bash, -c, "exec 9>/data/.lock || flock -n 9 && exec mysqld"]"#,
        // The lock is shared, released, on another descriptor, or for another command.
        r#"[sh, -c, "exec 9>/data/.lock && flock -s 9 && exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock; flock 9; exec 9>&-; exec mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock && flock -n 9 && exec mysqld 9>&-"]"#,
        r#"[sh, -c, "exec 9>/data/.lock && flock -n 9 && exec sudo mysqld"]"#,
        r#"[sh, -c, "exec 9>/data/.lock && flock -n 9 && mysqld & wait"]"#,
        r#"[sh, -c, "exec 9>/data/.lock && flock -n 8 && exec mysqld"]"#,
        r#"[sh, -c, "exec 9<\"$0\" && flock -n 9 && exec \"$@\"", /data]"#,
        r#"[sh, -c, "flock -n /data/.lock init; exec mysqld"]"#,
        "[flock, -s, /data/.lock, mysqld]",
        "[flock, -ns, /data/.lock, mysqld]",
        "[flock, -sn, /data/.lock, mysqld]",
        "[flock, -n, /data/.lock]",
        "[flock, -n, /data/.lock, -c, mysqld]",
        // The file of the lock is unknown.
        "[flock, -n, $(DATA)/.lock, mysqld]",
        "[flock, -n, /data/../x, mysqld]",
    ];
    for command in open {
        assert_eq!(lock(command), (None, 1), "{command}");
    }
    assert_eq!(lock("[mysqld]"), (None, 0));
}

#[test]
fn jobs_that_can_write_to_data_are_read() {
    let mounts = |kind: &str, more: &str, volume: &str, mount: &str| {
        let pod = format!(
            "{{containers: [{{name: a, image: a, volumeMounts: [{{name: d, mountPath: /data{mount}}}]}}], volumes: [{{name: d, {volume}}}]}}"
        );
        let template = format!("{{{more}template: {{spec: {pod}}}}}");
        let spec = if kind == "Job" { template } else { format!("{{jobTemplate: {{spec: {template}}}}}") };
        let text = format!("{{apiVersion: batch/v1, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}");
        let workload = read(&text).workloads.remove(0);
        assert_eq!(workload.kind, Kind::Job);
        (workload.members.len(), workload.members.iter().map(|m| m.mounts.len()).sum::<usize>())
    };
    for kind in ["Job", "CronJob"] {
        for volume in [
            "persistentVolumeClaim: {claimName: d}",
            "hostPath: {path: /srv/db, type: Directory}",
            "nfs: {server: a, path: /x}",
            "glusterfs: {path: /x}",
        ] {
            assert_eq!(mounts(kind, "", volume, ""), (1, 1), "{kind} {volume}");
            assert_eq!(mounts(kind, "parallelism: 3, ", volume, ""), (3, 3), "{kind} {volume}");
            assert_eq!(mounts(kind, "parallelism: 3, completions: 2, ", volume, ""), (2, 2));
        }
        for volume in [
            "emptyDir: {}",
            "configMap: {name: a}",
            "hostPath: {path: /var/run/docker.sock, type: Socket}",
            "persistentVolumeClaim: {claimName: d, readOnly: true}",
            "nfs: {server: a, path: /x, readOnly: true}",
        ] {
            assert_eq!(mounts(kind, "", volume, ""), (1, 0), "{kind} {volume}");
        }
        assert_eq!(mounts(kind, "", "hostPath: {path: /srv/db}", ", readOnly: true"), (1, 0));
    }
}

#[test]
fn directories_that_may_be_data_are_listed() {
    let unread = |host: &str, mount: &str| {
        let pod = format!(
            "containers: [{{name: a, image: a, volumeMounts: [{{name: d, {mount}}}]}}]\nvolumes: [{{name: d, hostPath: {{{host}}}}}]\n"
        );
        read(&stateful("replicas: 3", &pod)).unread.len()
    };
    assert_eq!(unread("path: /usr/local/ledger", "mountPath: /data"), 1);
    assert_eq!(unread("path: /srv/pihole", "mountPath: /etc/pihole"), 1);
    assert_eq!(unread("path: /srv/pihole", "mountPath: /etc/pihole, readOnly: true"), 0);
    assert_eq!(unread("path: /srv/pihole, type: File", "mountPath: /etc/pihole"), 0);
    assert_eq!(unread("path: /srv/a", "mountPath: /data"), 0);
}
