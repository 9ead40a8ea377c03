//! A compile works in batches: services that can affect one another are in one batch, and batches
//! change nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use berthc::code::Code;
use berthc::model::check::together;
use berthc::plan::clashes;
use berthc::{Batch, Files, Input, Options, Output, Sink, Specs, Tree, compile_each, diag};

use crate::harness::{self, Memory, Random, root, walk};

struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(root().join(path)).map_err(|e| e.to_string())
    }
}

fn specs(folder: &str) -> Vec<Input> {
    let all = walk(&root().join(folder)).into_iter();
    let own = all.filter(|p| p.parent() == Some(&root().join(folder)));
    own.filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
        .map(|p| Input {
            path: p.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(p).unwrap(),
        })
        .collect()
}

#[test]
fn the_number_of_threads_does_not_change_the_result() {
    for folder in ["specs", "tests/specs"] {
        let inputs = specs(folder);
        let one = berthc::compile(&inputs, &Disk, &Options::default());
        let four = berthc::compile(&inputs, &Disk, &Options { threads: 4, ..Options::default() });
        assert!(one.tree.is_some(), "{:#?}", one.diagnostics);
        assert_eq!((one.tree, one.diagnostics), (four.tree, four.diagnostics));
    }
}

/// A sink that requires a search of every second batch.
#[derive(Default)]
struct Half {
    told: AtomicUsize,
}

impl Sink for Half {
    type T = (bool, Tree);

    fn inspect_first(&self) -> bool {
        true
    }

    fn accept(&self, batch: &Batch<'_>, part: Output) -> Option<(bool, Tree)> {
        let kept = part.searched || batch.services[0].is_multiple_of(2);
        kept.then_some((part.searched, part.tree))
    }

    fn progress(&self, done: usize, of: usize) {
        assert!(done <= of);
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_output_that_the_sink_accepts_before_the_search_is_not_searched() {
    let inputs = specs("specs");
    let whole = berthc::compile(&inputs, &Disk, &Options::default()).tree.unwrap();
    let half = Half::default();
    let (rest, parts) = compile_each(&inputs, &Disk, &Options::default(), &half);
    assert!(rest.diagnostics.iter().all(|d| d.severity != berthc::Severity::Error));
    assert_eq!(half.told.into_inner(), parts.len());
    let searched = parts.iter().filter(|p| p.0).count();
    assert!(searched > 3 && parts.len() - searched > 3, "{searched} of {}", parts.len());
    let tree: Tree = parts.into_iter().flat_map(|p| p.1).collect();
    assert_eq!(tree, whole);
}

const NODE: &str = "revision: v1\nimage: r.io/db:1\nmembers: { per: node, on: { db: \"true\" } }\n";

fn node(name: &str, more: &str) -> String {
    format!(
        "service: {name}\n{NODE}exclusive: {{ data: {{ data: {{ mount: /data, host: /mnt/d1/{name} }} }}, \
         ports: {{ {name}: {} }} }}\n{more}",
        4000 + name.len()
    )
}

fn codes(specs: &[&str], options: &Options) -> Vec<String> {
    let names: Vec<String> = (0..specs.len()).map(|i| format!("s{i}.yaml")).collect();
    let inputs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(specs.iter().copied()).collect();
    let (_, said) = harness::compile_with(&inputs, options);
    said.iter().map(|d| d.code.to_string()).collect()
}

/// Neither spec names the other, but the raw additions of one mount the directory of the other.
#[test]
fn a_directory_in_raw_additions_is_searched_with_its_owner() {
    let own =
        |more: &str| format!("targets: {{ kubernetes: {{ version: \"1.34\", namespace: db{more} }} }}\n");
    let one = node("ledger", &own(""));
    let volume = "{ name: theirs, hostPath: { path: /mnt/d1/ledger, type: Directory } }";
    let mount = "{ name: theirs, mountPath: /theirs }";
    let added = format!(", pod: {{ volumes: [{volume}] }}, container: {{ volumeMounts: [{mount}] }}");
    let mounts = node("db", &own(&added));
    assert_eq!(codes(&[&one, &mounts], &Options::default()), ["kubernetes/data/neighbour"]);
    assert!(codes(&[&mounts], &Options::default()).is_empty());
    // The same for another mount path, and for directories around or inside it.
    let settings = mounts.replace("/theirs", "/etc/theirs");
    assert_eq!(codes(&[&one, &settings], &Options::default()), ["kubernetes/data/neighbour"]);
    for (path, target) in [("/mnt/d1/ledger/x", "/theirs"), ("/mnt/d1", "/theirs"), ("/mnt/d1", "/etc/x")] {
        let near =
            mounts.replace("path: /mnt/d1/ledger", &format!("path: {path}")).replace("/theirs", target);
        let codes = codes(&[&one, &near], &Options::default());
        assert!(codes.iter().any(|c| c == "output-breaks"), "{path} {target}: {codes:?}");
    }
}

/// A sink that keeps the services of each batch.
struct Lots;

impl Sink for Lots {
    type T = Vec<usize>;

    fn accept(&self, batch: &Batch<'_>, _: Output) -> Option<Vec<usize>> {
        Some(batch.services.to_vec())
    }
}

/// Only the emitted texts show this: a template mounts one directory for all services.
#[test]
fn files_that_claim_one_directory_are_searched_together() {
    let name = "swarm/stack.yml.j2";
    let own: BTreeMap<&str, &str> = berthc::emit::templates().collect();
    let mut options = Options::default();
    let text = own[name].replace("source: {{ m.source }}", "source: /mnt/d1/one");
    assert_ne!(text, own[name]);
    options.templates.insert(name.into(), text);
    let target = "targets: { swarm: { engine: \"20.10\", network: net } }\n";
    let all: Vec<String> = ["db", "ledger", "store-it"].iter().map(|n| node(n, target)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let codes = codes(&all, &options);
    assert!(codes.iter().any(|c| c == "swarm/data/neighbour"), "{codes:?}");
    let inputs: Vec<Input> = all
        .iter()
        .enumerate()
        .map(|(i, t)| Input { path: format!("s{i}.yaml"), text: (*t).to_owned() })
        .collect();
    let (_, batches) = compile_each(&inputs, &Memory::default(), &options, &Lots);
    assert_eq!(batches, [[0, 1, 2]]);
}

/// An unknown name is an error of one value: what other specs say of its service is still checked.
#[test]
fn an_unknown_name_hides_no_other_fault() {
    let a = "service: a\nimage: a:1\nmembers: { count: 1 }\nenv: { P: \"{{ ports.nope }}\" }\n\
             targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let b =
        a.replace("service: a", "service: b").replace("env: { P: \"{{ ports.nope }}\" }", "apart_from: [a]");
    let codes = codes(&[a, &b], &Options::default());
    assert!(codes.contains(&"port-unknown".into()) && codes.contains(&"apart-one-sided".into()), "{codes:?}");
}

/// At most a hundred unknown names get a suggestion.
#[test]
fn the_number_of_hints_is_limited() {
    let peers: Vec<String> =
        (0..150).map(|n| format!("V{n}: \"{{{{ peers('orders-d{n}') | length }}}}\"")).collect();
    let spec = format!(
        "service: orders-db\nimage: b:1\nmembers: {{ count: 1 }}\nenv: {{ {} }}\n\
         targets: {{ kubernetes: {{ version: \"1.34\", namespace: db }} }}\n",
        peers.join(", ")
    );
    let (_, said) = harness::compile(&[("b.yaml", &spec)]);
    let near = said.iter().filter(|d| d.fixes.iter().any(|m| m.text == "did you mean")).count();
    assert_eq!((said.len(), near), (150, 100));
}

/// Makes texts so long that the compile keeps no service in memory and reads each one again.
fn long(inputs: &[Input]) -> Vec<Input> {
    let padded =
        |i: &Input| Input { path: i.path.clone(), text: format!("{}\n# {}\n", i.text, "-".repeat(300_000)) };
    inputs.iter().map(padded).collect()
}

#[test]
fn reading_specs_again_gives_the_same_output() {
    for folder in ["specs", "tests/specs"] {
        let inputs = specs(folder);
        let kept = berthc::compile(&inputs, &Disk, &Options::default());
        let again = berthc::compile(&long(&inputs), &Disk, &Options { threads: 2, ..Options::default() });
        assert!(kept.tree.is_some(), "{:#?}", kept.diagnostics);
        assert_eq!((kept.tree, kept.diagnostics), (again.tree, again.diagnostics));
    }
}

/// Returns another text from the second read on.
struct Changing {
    texts: [Option<&'static str>; 2],
    asked: Mutex<usize>,
}

impl Specs for Changing {
    fn count(&self) -> usize {
        1
    }

    fn path(&self, _: usize) -> Cow<'_, str> {
        "db.yaml".into()
    }

    fn text(&self, _: usize) -> Result<Cow<'_, str>, String> {
        let mut asked = self.asked.lock().unwrap();
        let text = self.texts[(*asked).min(1)];
        *asked += 1;
        Ok(format!("{}\n# {}\n", text.ok_or("it is gone")?, "-".repeat(300_000)).into())
    }
}

#[test]
fn a_spec_that_changes_during_the_compile_is_an_error() {
    let spec = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let other = "service: db\nimage: db:2\nmembers: { count: 1 }\n\
                 targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    for (texts, codes) in [
        ([Some(spec), Some(spec)], &[][..]),
        ([Some(spec), Some(other)], &[Code::SpecUnread]),
        ([Some(spec), Some("service: [")], &[Code::SpecUnread]),
        ([Some(spec), None], &[Code::SpecUnread]),
        ([None, Some(spec)], &[Code::SpecUnread]),
    ] {
        let specs = Changing { texts, asked: Mutex::default() };
        let (rest, parts) = compile_each(&specs, &Disk, &Options::default(), &Lots);
        let said: Vec<&str> = rest.diagnostics.iter().map(|d| d.code.as_ref()).collect();
        assert_eq!(said, codes.iter().map(|c| c.as_str()).collect::<Vec<_>>(), "{texts:?}");
        assert_eq!(parts.len(), usize::from(codes.is_empty()));
    }
}

/// Services with a common error are in one batch: batches report the same errors as one check of
/// all services.
#[test]
fn batches_report_the_errors_of_a_check_of_all_services() {
    let mut random = Random(7);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..400 {
        let mut own = (0..random.below(4)).map(|_| None).collect::<Vec<_>>();
        own.extend(random.pick(&PAIRS).map(Some));
        let texts: Vec<String> = own.into_iter().map(|one| any(&mut random, one)).collect();
        let inputs: Vec<Input> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| Input { path: format!("s{i}.yaml"), text: text.clone() })
            .collect();
        let options = Options { skip_search: true, ..Options::default() };
        let compiled = berthc::compile(&inputs, &Disk, &options);
        let (model, mut whole) = (&compiled.model, Vec::new());
        together(model, &model.all(), &mut whole);
        clashes(model, &model.all(), &mut whole);
        let whole = diag::merge_duplicates(whole);
        for d in &whole {
            let clash = CLASHES.iter().filter(|c| d.code == "name-clash" && d.message.contains(*c));
            for kind in clash.copied().chain([d.code.as_ref()]) {
                *seen.entry(kind.to_owned()).or_default() += 1;
            }
            assert!(compiled.diagnostics.contains(d), "{round}: {d:#?}\n{}", texts.join("---\n"));
        }
        let cross = |d: &&diag::Diagnostic| CROSS.iter().any(|c| c.as_str() == d.code);
        let mut batches: Vec<_> = compiled.diagnostics.iter().filter(cross).collect();
        batches.retain(|d| !whole.contains(d));
        assert!(batches.is_empty(), "{round}: {batches:#?}\n{}", texts.join("---\n"));
    }
    let more = [Code::ApartUnknown, Code::RevisionsDiffer].map(Code::as_str);
    for kind in CROSS.map(Code::as_str).into_iter().chain(more).chain(CLASHES) {
        assert!(seen.get(kind).is_some_and(|n| *n >= 3), "{kind} was seldom: {seen:?}");
    }
}

/// One word of the message for each kind of name clash.
const CLASHES: [&str; 6] =
    ["volume", "on fleet", "on Swarm", "the Service", "the DaemonSet", "the same claims"];

/// Errors that need several specs.
const CROSS: [Code; 5] =
    [Code::ServiceTwice, Code::PeerUnknown, Code::ApartOneSided, Code::IdClash, Code::Neighbour];

/// Pairs of a service name, a revision and a data name that give the same name.
const PAIRS: [[(&str, &str, &str); 2]; 4] = [
    [("a", "b-c", ""), ("a-b", "c", "")],
    [("a", "", "data-b"), ("b-a", "", "data")],
    [("b", "", ""), ("b-0", "v", "")],
    [("a", "", ""), ("a-client", "", "")],
];

/// Makes a spec with few different names, directories, ports, ids and nodes, and perhaps `given`
/// ones.
fn any(random: &mut Random, given: Option<(&str, &str, &str)>) -> String {
    let names = ["a", "b", "a-b", "b-a", "a-client", "b-0"].map(|name| (name, "", ""));
    let (name, revision, of_data) = given.unwrap_or_else(|| random.pick(&names));
    let mut targets = Vec::new();
    if random.below(3) > 0 {
        let space = random.pick(&["db", "db", "web"]);
        targets.push(format!("kubernetes: {{ version: \"1.34\", namespace: {space} }}"));
    }
    if random.below(3) > 0 || targets.is_empty() {
        let lock = random.pick(&["", "", ", lock: 4001"]);
        targets.push(format!("swarm: {{ engine: \"25.0\", network: net{lock} }}"));
    }
    if random.below(2) > 0 {
        targets.push("fleet: { version: \"1.0.0\", domain: example.com }".into());
    }
    let targets = format!("targets: {{ {} }}\n", targets.join(", "));
    if random.below(8) == 0 {
        let ports = "ports: { sql: 5432 }";
        return format!(
            "service: {name}\nexternal: {{ at: {{ 0: 10.0.0.1, 1: 10.0.0.2 }}, {ports} }}\n{targets}"
        );
    }
    let path = random.pick(&["/mnt/d1/x", "/mnt/d1", "/mnt/d1/x/y", "/mnt/d2/x"]);
    let node = !revision.is_empty() || of_data.is_empty() && random.below(3) == 0;
    let (members, data) = if node {
        let own = format!("revision: {revision}\n");
        let revision = random.pick(&["", "revision: b\n", &own, &own]);
        let on = random.pick(&["n: \"true\"", "n: \"false\"", "m: \"true\""]);
        let data = format!("data: {{ data: {{ mount: /data, host: {path} }} }}");
        (format!("{revision}members: {{ per: node, on: {{ {on} }} }}\n"), data)
    } else {
        let (count, first) = (random.pick(&[1, 2, 3, 7]), random.below(3));
        let pin = random.pick(&["", ", pin: p", ", pin: q", ", pin: p"]);
        let data = if of_data.is_empty() { "data" } else { of_data };
        let data = match (pin, random.below(3)) {
            (_, 0) => String::new(),
            ("", _) => {
                let volume = "volume: { backend: aws-ebs, size: 1Gi }";
                format!("data: {{ {data}: {{ mount: /data, {volume} }} }}")
            }
            _ => {
                let host = format!("host: \"{path}-{{{{ member.id }}}}\", size: 1Gi");
                format!("data: {{ {data}: {{ mount: /data, {host} }} }}")
            }
        };
        (format!("members: {{ count: {count}, first: {first}{pin} }}\n"), data)
    };
    let mut exclusive = vec![data];
    exclusive.push(format!("ports: {{ s: {} }}", 4000 + random.below(3)));
    if !node && random.below(2) > 0 {
        exclusive.push(format!("id: {}", random.pick(&["x", "y"])));
    }
    if random.below(3) == 0 {
        exclusive.push("address: node".into());
    }
    exclusive.retain(|part| !part.is_empty());
    let mut more = String::new();
    if random.below(3) == 0 {
        more = format!("apart_from: [{}]\n", random.pick(&["a", "b", "a-b", "c"]));
    }
    if random.below(4) == 0 {
        let peer = random.pick(&["a", "b-a", "c", "d"]);
        more.push_str(&format!("env: {{ P: \"{{{{ peers('{peer}') | length }}}}\" }}\n"));
    }
    if random.below(3) == 0 {
        let helper = random.pick(&["b", "client", "0", "b-c"]);
        more.push_str(&format!("helpers: {{ {helper}: {{ image: h:1 }} }}\n"));
    }
    format!(
        "service: {name}\nimage: i:1\n{members}exclusive: {{ {} }}\n{more}{targets}",
        exclusive.join(", ")
    )
}

/// Two services that have nothing in common except one name.
#[test]
fn services_with_one_common_name_are_in_one_batch() {
    let node = |name: &str, revision: &str, port: u16, target: &str| {
        format!(
            "service: {name}\nrevision: {revision}\nimage: i:1\nmembers: {{ per: node, on: {{ {name}: \"true\" }} }}\n\
             exclusive: {{ ports: {{ s: {port} }} }}\ntargets: {{ {target} }}\n"
        )
    };
    let counted = |name: &str, more: &str, target: &str| {
        format!("service: {name}\nimage: i:1\nmembers: {{ count: 1 }}\n{more}targets: {{ {target} }}\n")
    };
    let volume = |data: &str| {
        let volume = "volume: { backend: aws-ebs, size: 1Gi }";
        format!("exclusive: {{ data: {{ {data}: {{ mount: /data, {volume} }} }} }}\n")
    };
    let port = "exclusive: { ports: { s: 4001 } }\n";
    let helper = |name: &str| format!("helpers: {{ {name}: {{ image: h:1 }} }}\n");
    let kubernetes = "kubernetes: { version: \"1.34\", namespace: db }";
    let swarm = "swarm: { engine: \"25.0\", network: net }";
    let fleet = "fleet: { version: \"1.0.0\", domain: example.com }";
    let outside = "service: a\nexternal: { at: { 0: db.example.com }, ports: { sql: 5432 } }\n";
    let outside = format!("{outside}targets: {{ {kubernetes} }}\n");
    for (one, other, words) in [
        (node("a", "b-c", 4001, kubernetes), node("a-b", "c", 4002, kubernetes), "the DaemonSet a-b-c"),
        (
            counted("a", &volume("data-b"), kubernetes),
            counted("b-a", &volume("data"), kubernetes),
            "the same claims, such as data-b-a-0",
        ),
        (counted("a", port, kubernetes), counted("a-client", "", kubernetes), "the Service a-client"),
        (outside, counted("a-0", "", kubernetes), "the Service a-0"),
        (node("a", "b-c", 4001, swarm), node("a-b", "c", 4002, swarm), "the name `a-b-c` on the network net"),
        (
            counted("a", &volume("data-b"), swarm),
            counted("b-a", &volume("data"), swarm),
            "a volume `data-b-a-0` on Swarm",
        ),
        (
            counted("a", &volume("data-b"), fleet),
            counted("b-a", &volume("data"), fleet),
            "`data-b-a-0` on fleet",
        ),
        (counted("a", &helper("b"), fleet), counted("a-b", "", fleet), "units `a-b` on fleet"),
    ] {
        let (_, said) = harness::compile(&[("one.yaml", &one), ("other.yaml", &other)]);
        let found = said.iter().filter(|d| d.code == "name-clash" && d.message.contains(words)).count();
        assert_eq!(found, 1, "{words}: {said:#?}");
    }
}

/// The third service overlaps with the first, whose ids reach beyond the second.
#[test]
fn ids_clash_across_a_service_between_them() {
    let one = |name: &str, first: u32, count: u32| {
        format!(
            "service: {name}\nimage: i:1\nmembers: {{ count: {count}, first: {first} }}\n\
             exclusive: {{ id: broker }}\ntargets: {{ kubernetes: {{ version: \"1.34\", namespace: {name} }} }}\n"
        )
    };
    let all = [one("a", 0, 9), one("b", 1, 1), one("c", 5, 1), one("d", 9, 1)];
    let codes = codes(&all.each_ref().map(String::as_str), &Options::default());
    assert_eq!(codes.iter().filter(|c| *c == "id-clash").count(), 2, "{codes:?}");
}

/// One directory inside another, on nodes that are never the same. The result is the same whether
/// or not something else brings both services into one batch, or raw additions are searched with
/// them.
#[test]
fn nodes_keep_nested_directories_apart() {
    for target in ["kubernetes: { version: \"1.34\", namespace: db", "fleet: { version: \"1.0.0\""] {
        let one = |name: &str, other: &str, path: &str, on: &str, more: &str| {
            let raw =
                if more.is_empty() || target.starts_with("fleet") { "" } else { ", pod: { priority: 7 }" };
            format!(
                "service: {name}\nrevision: v1\nimage: i:1\nmembers: {{ per: node, on: {{ n: \"{on}\" }} }}\n\
                 exclusive: {{ data: {{ data: {{ mount: /data, host: {path} }} }}, ports: {{ s: 4000 }} }}\n\
                 targets: {{ {target}{raw} }} }}\n{}",
                if more == "apart" { format!("apart_from: [{other}]\n") } else { String::new() }
            )
        };
        for more in ["", "apart", "raw"] {
            let outer = one("outer", "inner", "/mnt/d1", "yes", more);
            let inner = |on| one("inner", "outer", "/mnt/d1/x", on, more);
            let meet = codes(&[&outer, &inner("yes")], &Options::default());
            assert!(meet.contains(&"neighbour".into()), "{target} {more}: {meet:?}");
            let apart = codes(&[&outer, &inner("no")], &Options::default());
            assert_eq!(apart, Vec::<String>::new(), "{target} {more}");
        }
    }
}
