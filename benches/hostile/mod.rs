//! Texts that are long, nested or repeated, to cost a reader as much as they can. A text of the size `2 * n`
//! has about twice the bytes of one of the size `n`. The tests read them once and check that the result is
//! bounded; the benchmarks read them in several sizes.

/// Returns units.
pub fn units(n: usize) -> Vec<String> {
    let lines = |line: &str, of: usize| format!("{line} \\\n").repeat(of * n);
    let numbered =
        |line: &str, of: usize| (0..of * n).map(|i| line.replace('#', &i.to_string())).collect::<String>();
    let script = |text: &str| format!("[Service]\nExecStart=/bin/sh -c '{text}'\n");
    let doubling: String = (0..15 * n).map(|i| format!("a{}=$a{i}$a{i}; \\\n", i + 1)).collect();
    let many: String = (0..5000 * n).map(|i| format!("v{i}=$(x) \\\n; ")).collect();
    let stars = format!("{}x.service", "*a".repeat(900));
    vec![
        script(&format!("a0=xxxxxxxx; \\\n{doubling} docker run -v $a{}:/d img", 15 * n)),
        script(&many),
        script(&lines("$(($(($((", 1250)),
        script(&lines("$(a $(b", 1250)),
        script(&lines("\"$(", 5000)),
        script(&lines("sh -c sh -c", 5000)),
        script(&lines("if nohup env", 10_000)),
        script(&lines("``", 10_000)),
        format!(
            "[Service]\nEnvironment=A={}\nExecStart=docker \\\n{}",
            lines("x", 225),
            lines("${A}${A}${A}", 2250)
        ),
        format!("[Service]\nExecStart=docker run \\\n{} img", lines("-p 1-65535:1-65535", 5000)),
        format!("[Service]\nExecStart=docker run \\\n{} img", lines("-v a:b", 10_000)),
        format!("[X-Fleet]\nConflicts={}\n", lines(&stars, 100)),
        format!("[X-Fleet]\n{}", format!("Conflicts={stars}\n").repeat(100 * n)),
        format!("[X-Fleet]\n{}", "MachineMetadata=a=b\n".repeat(5000 * n)),
        format!("[X-Fleet]\n{}", numbered("MachineMetadata=k#=v\n", 2500)),
        format!("[X-Fleet]\n{}", numbered("MachineOf=a@#.service\nConflicts=x#*.service\n", 250)),
        "[A]\na=b\n".repeat(25_000 * n),
        format!("[A]\n{}", "#\\\n".repeat(75_000 * n)),
    ]
}

/// Returns stack files.
pub fn stacks(n: usize) -> Vec<String> {
    let many = |one: &dyn Fn(usize) -> String| (0..500 * n).map(one).collect::<String>();
    let services = many(&|i| {
        format!(
            "  s{i}: {{ image: redis, hostname: h, ports: [\"1-65535:1-65535\"], environment: [SERVER_ID=1], volumes: [\"d{i}:/data\"], deploy: {{ replicas: 4000000000 }} }}\n"
        )
    });
    let mounts = many(&|i| format!("      - v{i}:/data{i}\n"));
    let ports = many(&|i| format!("      - {{ target: 1, published: \"{i}-65535\", mode: host }}\n"));
    vec![
        format!("services:\n{services}"),
        format!("services:\n  a:\n    image: x\n    deploy: {{ replicas: 90 }}\n    volumes:\n{mounts}"),
        format!("services:\n  a:\n    image: x\n    ports:\n{ports}"),
    ]
}

/// Returns manifests.
pub fn manifests(n: usize) -> Vec<String> {
    let object = |kind: &str, spec: &str, i: usize| {
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: db{i} }}\nspec:\n  selector: {{ matchLabels: {{ app: db }} }}\n  {spec}\n  template:\n    metadata: {{ labels: {{ app: db }} }}\n    spec: {{ containers: [{{ name: db, image: zookeeper, volumeMounts: [{{ name: data, mountPath: /d }}] }}] }}\n---\n"
        )
    };
    let many = |kind: &str, spec: &str, of: usize| -> String {
        (0..of * n).map(|i| object(kind, spec, i)).collect()
    };
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: b }\nspec: { selector: {}, maxUnavailable: 1 }\n---\n";
    let port = "{ name: a, image: mysql, ports: [{ hostPort: 1 }] },";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: a, labels: { app: APP } }\nspec: { containers: [CONTAINERS] }\n";
    vec![
        many(
            "StatefulSet",
            "serviceName: db\n  replicas: 2000000000\n  volumeClaimTemplates: [{ metadata: { name: data } }]",
            375,
        ),
        many("Deployment", "replicas: 60", 250) + &budget.repeat(250 * n),
        many("DaemonSet", "", 375)
            .replace("matchLabels: { app: db }", "matchExpressions: [{ key: app, operator: Exists }]"),
        pod.replace("CONTAINERS", &port.repeat(2500 * n)),
        pod.replace("APP", &"x".repeat(n << 18)),
    ]
}

/// Returns texts of YAML, whose aliases stand for more than what is written, or whose lists nest.
pub fn yaml(n: usize) -> Vec<String> {
    let mut doubling = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 * n {
        let before = i - 1;
        doubling += &format!("a{i}: &a{i} [{}]\n", format!("*a{before}, ").repeat(10));
    }
    let merges: String = (1..750 * n)
        .fold("a0: &a0 {x: 1}\n".into(), |t, i| t + &format!("a{i}: &a{i} {{<<: *a{}, k{i}: 1}}\n", i - 1));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(n << 18), "*a,".repeat(37_500 * n));
    let nested =
        (1..100 * n).fold("a0: &a0 [x]\n".into(), |t: String, i| t + &format!("a{i}: &a{i} [*a{}]\n", i - 1));
    vec![
        doubling,
        merges,
        long,
        nested,
        "[".repeat(25_000 * n),
        "{a: ".repeat(25_000 * n),
        "- ".repeat(25_000 * n),
        "? ".repeat(25_000 * n),
        "a:\n ".repeat(750 * n),
        "&a ".repeat(2500 * n),
        "---\n".repeat(50_000 * n),
        (0..25_000 * n).map(|i| format!("k{i}: {i}\n")).collect(),
        "a: 1\n".repeat(25_000 * n),
    ]
}

/// Returns YAML of many documents.
pub fn documents(n: usize) -> String {
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: b, c: d}}\nspec:\n  containers:\n";
    let containers = "  - name: x\n    image: y\n    env:\n    - {name: a, value: b}\n".repeat(20);
    format!("---\n{head}{containers}").repeat(250 * n)
}

/// Returns specs with an expression that is long or nested, or whose value is.
pub fn specs(n: usize) -> Vec<String> {
    let loops = |n: usize| {
        let open: String = (0..n).map(|i| format!("{{% for m{i} in members %}}")).collect();
        format!("{open}x{}", "{% endfor %}".repeat(n))
    };
    let values = [
        loops(3),
        loops(15 * n),
        format!("{{{{ {}1{} }}}}", "(".repeat(1250 * n), ")".repeat(1250 * n)),
        format!("{{{{ {}1 }}}}", "not ".repeat(5000 * n)),
        "{{ members | join('x') | join('y') | join('z') }}".into(),
        "{{ 'x' * 1000000000 }}".into(),
        "{{ range(1000000000) | join }}".into(),
        "{{ members[0:1000000000] | join }}".into(),
        "{{ ".repeat(2500 * n),
        "{% if 1 %}".repeat(2500 * n),
        format!("{{{{ service{} }}}}", ".x".repeat(5000 * n)),
        format!("{{{{ service{} }}}}", "|upper".repeat(5000 * n)),
        format!("{{{{ {}1 }}}}", "1 - ".repeat(5000 * n)),
        format!("{{{{ {}1 }}}}", "1 if 1 else ".repeat(1250 * n)),
    ];
    let head = "service: db\nimage: db:1\nmembers: { count: 1000 }\n\
                targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let spec = |value: &String| format!("{head}env: {{ A: {} }}\n", serde_json::to_string(value).unwrap());
    values.iter().map(spec).collect()
}
