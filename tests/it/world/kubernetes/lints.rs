//! Tests the findings that need no search, and files without them.

use super::{MAIN, OWN, codes, controller, deployment, read, stateful, told};

const CLAIM: &str =
    "replicas: 3\nvolumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOncePod]}}]";
const POD: &str = "terminationGracePeriodSeconds: 120\ncontainers: [{name: db, image: own/db, volumeMounts: [{name: data, mountPath: /d}]}]\n";

fn budget(spec: &str) -> String {
    format!(
        "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b}}\nspec: {{selector: {{matchLabels: {{app: db}}}}, {spec}}}\n"
    )
}

/// Returns a StatefulSet of three members, each with a ReadWriteOncePod claim, and with more fields
/// of the pod.
fn members(pod: &str) -> String {
    stateful(CLAIM, &format!("{POD}{pod}"))
}

/// Removes the note about the disruption budget that `members` lack: most tests are about another field.
fn without_budget(mut found: Vec<String>) -> Vec<String> {
    found.retain(|line| !line.starts_with("note budget-missing"));
    found
}

fn others(text: &str) -> Vec<String> {
    without_budget(codes(text))
}

#[test]
fn anti_affinity_without_effect_is_reported() {
    assert!(others(&members(OWN)).is_empty());
    let world = read(&members(&OWN.replace("app: db", "name: db")));
    assert_eq!(without_budget(told(&world)), ["violation rule-matches-nothing 13"]);
    assert_eq!(world.findings[0].at[1].line, 9);
    // A misspelt label matches nothing; the name of a sibling matches another workload.
    let named = |own: &str, other: &str| {
        others(
            &members(&OWN.replace("app: db", &format!("app: {other}")))
                .replace("{app: db}", &format!("{{app: {own}}}")),
        )
    };
    assert_eq!(named("zookeeper", "zookeper"), ["violation rule-matches-nothing"]);
    assert_eq!(named("mysql-a", "mysql-b"), ["note rule-matches-nothing", "note members-together"]);
    let elsewhere = OWN.replace("labelSelector", "namespaces: [other], labelSelector");
    assert_eq!(others(&members(&elsewhere)), ["violation rule-matches-nothing"]);
    let none = OWN.replace(", labelSelector: {matchLabels: {app: db}}", "");
    assert_eq!(others(&members(&none)), ["violation rule-matches-nothing"]);
    // If the files contain the pods of another workload, the rule has an effect.
    let other =
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: o, labels: {app: other}}\nspec: {containers: []}\n";
    let two = format!("{OWN}      ").replace(
        "[{topology",
        "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: other}}}, {topology",
    );
    assert!(others(&format!("{}{other}", members(two.trim_end()))).is_empty());

    assert_eq!(others(&members("")), ["note members-together"]);
    let soft = "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, \
                podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}}]}}\n";
    assert_eq!(without_budget(told(&read(&members(soft)))), ["note rule-soft 13"]);
    let spread = "topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: DoNotSchedule, \
                  topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}]\n";
    assert_eq!(others(&members(spread)), ["note rule-soft"]);
    assert!(others(&members(&format!("{OWN}{spread}"))).is_empty());
    let bound = format!("{OWN}nodeName: n1\n");
    assert_eq!(others(&members(&bound)), ["violation rule-ignored", "note members-together"]);
}

#[test]
fn budgets_that_block_or_protect_nothing_are_reported() {
    let with = |spec: &str| codes(&format!("{}{}", members(OWN), budget(spec)));
    assert!(with("maxUnavailable: 1").is_empty());
    assert!(with("minAvailable: 2").is_empty());
    assert!(with("minAvailable: 50%").is_empty());
    for never in [
        "maxUnavailable: 0",
        "maxUnavailable: 0%",
        "minAvailable: 3",
        "minAvailable: 100%",
        "minAvailable: 80%",
    ] {
        assert_eq!(with(never), ["violation update-stuck"], "{never}");
    }
    assert_eq!(with("maxUnavailable: 1, minAvailable: 1"), ["violation file-refused"]);
    let astray = format!("{}{}", members(OWN), budget("maxUnavailable: 1").replace("app: db", "app: bd"));
    assert_eq!(codes(&astray), ["violation rule-matches-nothing", "note budget-missing"]);
    // If the files have no workload, the budget may be for a workload in other files.
    assert!(codes(&budget("maxUnavailable: 1")).is_empty());
    let two = format!(
        "{}{}{}",
        members(OWN),
        budget("maxUnavailable: 1"),
        budget("maxUnavailable: 1").replace("name: b}", "name: c}")
    );
    assert_eq!(codes(&two), ["violation update-stuck"]);
    let set = controller("apps/v1", "DaemonSet", "", MAIN);
    assert_eq!(codes(&format!("{set}{}", budget("maxUnavailable: 1"))), ["note budget-idle"]);
    // Members with data of their own may be copies of each other, whatever their software is.
    for image in ["own/db", "own/zookeeper"] {
        let set = members(OWN).replace("own/db", image);
        // ZooKeeper also has no probe that says when a member has joined.
        let without_probe = |codes: Vec<String>| -> Vec<String> {
            codes.into_iter().filter(|code| code != "note update-together").collect()
        };
        assert_eq!(without_probe(codes(&set)), ["note budget-missing"]);
        assert!(without_probe(codes(&set.replace("replicas: 3", "replicas: 2"))).is_empty());
    }
}

#[test]
fn controllers_with_overlapping_selectors_are_reported() {
    let one = deployment("", MAIN);
    let two = controller("apps/v1", "DaemonSet", "", MAIN).replace("name: db}", "name: other}");
    let world = read(&format!("{one}---\n{two}"));
    assert_eq!(told(&world), ["violation selectors-overlap 5"]);
    assert_eq!(world.findings[0].at.len(), 2);
    let apart = two.replace("{app: db}", "{app: db, tier: x}");
    // One of the two adopts the pods of the other.
    assert_eq!(others(&format!("{one}---\n{apart}")), ["violation selectors-overlap"]);
    let both = one.replace("{app: db}", "{app: db, tier: y}");
    assert!(others(&format!("{both}---\n{apart}")).is_empty());
    assert!(
        others(&format!("{one}---\n{}", two.replace("name: other", "namespace: n, name: other"))).is_empty()
    );
    let pod =
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: db}}\nspec: {containers: []}\n";
    assert_eq!(others(&format!("{one}{pod}")), ["violation selectors-overlap"]);
    assert!(others(&format!("{}{pod}", stateful("", MAIN))).is_empty());
}

#[test]
fn objects_that_the_api_refuses_are_reported() {
    let refused = |text: &str| codes(text) == ["violation file-refused"];
    assert!(refused(&deployment("", MAIN).replacen("{app: db}", "{app: x}", 1)));
    assert!(refused(&deployment("", MAIN).replacen("  selector: {matchLabels: {app: db}}\n", "", 1)));
    assert!(refused(&deployment("", MAIN).replace("apps/v1", "v1")));
    assert!(refused(&deployment("", MAIN).replace("apps/v1", "apps/v2")));
    assert!(refused(&deployment("", &format!("{MAIN}nodeSelector: {{zookeeper: 1}}\n"))));
    assert!(refused(&deployment("", &format!("{MAIN}nodeSelector: {{zookeeper: true}}\n"))));
    assert!(others(&deployment("", &format!("{MAIN}nodeSelector: {{zookeeper: \"1\"}}\n"))).is_empty());
    let rolling = |r: &str| {
        controller("apps/v1", "DaemonSet", &format!("updateStrategy: {{rollingUpdate: {{{r}}}}}"), MAIN)
    };
    assert!(refused(&rolling("maxSurge: 1")));
    assert!(refused(&rolling("maxUnavailable: 0")));
    assert!(others(&rolling("maxSurge: 0")).is_empty());
    assert!(others(&rolling("maxUnavailable: 2")).is_empty());
    // Old API groups have a default selector, and are removed.
    let old = deployment("", MAIN).replace("apps/v1", "extensions/v1beta1");
    assert_eq!(
        others(&old.replacen("  selector: {matchLabels: {app: db}}\n", "", 1)),
        ["violation file-refused"]
    );
    assert!(read(&old).findings[0].message.contains("1.16"));
    // Other API groups may have a kind Service or Deployment.
    assert!(codes("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\n").is_empty());
}

#[test]
fn updates_that_never_finish_are_reported() {
    let surge = "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";
    let set = |pod: &str| others(&controller("apps/v1", "DaemonSet", surge, &format!("{MAIN}{pod}")));
    assert!(set("").is_empty());
    assert_eq!(set(OWN), ["violation update-stuck"]);
    let claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: [ReadWriteOncePod]}\n";
    let pod = format!("{POD}volumes: [{{name: data, persistentVolumeClaim: {{claimName: c}}}}]\n");
    let with = |spec: &str| others(&format!("{}{claim}", deployment(spec, &pod)));
    assert_eq!(with(""), ["violation update-stuck"]);
    assert!(with("strategy: {type: Recreate}").is_empty());
    assert!(with("strategy: {rollingUpdate: {maxSurge: 0}}").is_empty());
    assert!(with("strategy: {rollingUpdate: {maxUnavailable: 1}}").is_empty());
}

#[test]
fn risky_settings_are_notes() {
    let once = members(OWN).replace("ReadWriteOncePod", "ReadWriteOnce");
    assert_eq!(without_budget(told(&read(&once))), ["note volume-one-node 7"]);
    let zookeeper = |pod: &str| {
        others(&stateful(
            "",
            &format!("terminationGracePeriodSeconds: 60\ncontainers: [{{name: z, image: zookeeper{pod}}}]\n"),
        ))
    };
    assert_eq!(zookeeper(""), ["violation data-ephemeral"]);
    let cache = deployment("", "containers: [{name: r, image: redis}]\n");
    assert_eq!(others(&cache), ["note data-ephemeral"]);
    let password = "env: [{name: POSTGRES_PASSWORD, value: secret}]";
    let database = deployment("", &format!("containers: [{{name: r, image: postgres, {password}}}]\n"));
    assert_eq!(others(&database), ["violation data-ephemeral", "note grace-short"]);
    let kafka = members(OWN).replace("own/db", "kafka").replace("120", "30") + &budget("maxUnavailable: 1");
    assert_eq!(told(&read(&kafka)), ["note update-together 12", "note grace-short 11"]);
    let hook = |time: &str| {
        let hook = format!("image: own/db, lifecycle: {{preStop: {{exec: {{command: [sleep, '{time}']}}}}}}");
        others(&members(OWN).replace("image: own/db", &hook))
    };
    for (time, found) in
        [("119", 0), ("119s", 0), ("1.9m", 0), ("120", 1), ("120s", 1), ("2m", 1), ("2min", 0)]
    {
        assert_eq!(hook(time), vec!["note grace-short"; found], "{time}");
    }
    let servers =
        members(OWN).replace("image: own/db", "image: own/db, command: [sh, -c, 'start --servers=3 --x']");
    assert_eq!(others(&servers), ["note id-by-hand"]);
    assert!(others(&servers.replace("=3", "=5")).is_empty());
    let first = |env: &str| others(&members(OWN).replace("image: own/db", &format!("image: own/db, {env}")));
    // The variable shows the software.
    let known = ["note update-together", "note bootstrap-kept"];
    assert_eq!(first("env: [{name: ETCD_INITIAL_CLUSTER_STATE, value: new}]"), known);
    assert_eq!(first("args: [--initial-cluster-state, new]"), ["note bootstrap-kept"]);
    assert_eq!(first("args: [--initial-cluster-state=new]"), ["note bootstrap-kept"]);
    let late = ["violation update-together", "note bootstrap-kept"];
    assert_eq!(first("env: [{name: cluster.initial_master_nodes, value: a}]"), late);
    assert!(first("args: [--initial-cluster-state=existing]").is_empty());
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  e.yml: |\n    a: b\n    cluster.initial_master_nodes: [x]\n";
    assert_eq!(told(&read(map)), ["note bootstrap-kept 7"]);
}

#[test]
fn repeated_ids_are_reported() {
    let id = |name: &str, value: &str| {
        let env = format!("image: own/db, env: [{{name: MY_ID, value: \"{value}\"}}]");
        let text = stateful("", MAIN)
            .replace("image: example.com/own/db:1", &env)
            .replace("name: db}\nspec", &format!("name: {name}}}\nspec"));
        text.replace("{app: db}", &format!("{{app: db, n: {name}}}"))
    };
    assert!(others(&format!("{}---\n{}", id("a", "1"), id("b", "2"))).is_empty());
    assert_eq!(others(&format!("{}---\n{}", id("a", "1"), id("b", "1"))), ["violation id-repeated"]);
    assert_eq!(
        others(&id("a", "1").replace("spec:\n  selector", "spec:\n  replicas: 3\n  selector")),
        ["violation id-repeated"]
    );
    let offset = |n: u32| {
        let other = id("b", "x").replace("MY_ID", "ID_OFFSET").replace("\"x\"", &format!("\"{n}\""));
        let first = id("a", "x")
            .replace("spec:\n  selector", "spec:\n  replicas: 3\n  selector")
            .replace("MY_ID", "X");
        others(&format!("{first}---\n{other}"))
    };
    assert_eq!(offset(4), ["note id-by-hand"]);
    assert!(offset(100).is_empty());
}

#[test]
fn a_field_of_a_disabled_feature_gate_is_reported() {
    let with = |lifecycle: &str| {
        let pod = format!("containers: [{{name: db, image: own/db:1, lifecycle: {{{lifecycle}}}}}]\n");
        others(&deployment("replicas: 1", &pod))
    };
    assert_eq!(with("stopSignal: SIGINT"), ["note rule-ignored"]);
    assert_eq!(with("preStop: {exec: {command: [\"true\"]}}"), Vec::<String>::new());
}

#[test]
fn a_pod_with_the_name_of_a_member_is_reported() {
    let set = stateful("replicas: 2\nordinals: {start: 1}", MAIN);
    let codes = |name: &str, labels: &str, scope: &str| {
        let pod = format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {scope}, labels: {{{labels}}}}}\n\
             spec: {{containers: [{{name: x, image: example.com/own/tool:1}}]}}\n"
        );
        let told = told(&read(&format!("{set}{pod}"))).into_iter();
        let own = ["never-starts", "selectors-overlap"];
        told.filter_map(|t| t.split(' ').nth(1).filter(|c| own.contains(c)).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let (other, own) = ("app: copy", "app: db");
    assert_eq!(codes("db-1", other, "default"), ["never-starts"]);
    assert_eq!(codes("db-2", own, "default"), ["selectors-overlap"]);
    // The set deletes it.
    assert_eq!(codes("db-3", own, "default"), ["selectors-overlap"]);
    for name in ["db-0", "db-3", "db-01", "db", "db-a", "other-1"] {
        assert_eq!(codes(name, other, "default"), Vec::<String>::new(), "{name}");
    }
    assert_eq!(codes("db-1", other, "far"), Vec::<String>::new());
    assert_eq!(codes("db-1", "statefulset.kubernetes.io/pod-name: db-1", "default"), Vec::<String>::new());
}
