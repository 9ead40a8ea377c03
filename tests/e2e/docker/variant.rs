//! The services that the suite deploys: every cell of the design, some of them with a rule removed
//! from the templates. berthc compiles them, and its certificate gives the claims.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::image::NAME as IMAGE;

/// The place of members and data.
#[derive(Clone, Copy, PartialEq)]
pub enum Cell {
    /// One member on each labelled node, data on the node (cell A).
    PerNode,
    /// Two pinned members, data on the node (cell B).
    Pinned,
    /// Members that move with volumes of this backend (cell C).
    Volume(&'static str),
    /// The same, but pinned to nodes (cell D).
    PinnedVolume(&'static str),
    /// A member that moves with a cluster volume, which Swarm attaches and reserves.
    Cluster,
    /// The same, but pinned to nodes.
    PinnedCluster,
    /// Members with an id and a hostname, but without data.
    Bare,
    /// The same, but pinned to nodes.
    PinnedBare,
}

impl Cell {
    /// Returns its name in the table of all targets, and the first resource of its members.
    pub fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::PerNode => ("A", "data"),
            Self::Pinned => ("B", "data"),
            Self::Volume("ceph-rbd") => ("C, never fenced", "data"),
            Self::Volume("flocker") => ("C, fenced while connected", "data"),
            Self::Volume(_) => ("C, always fenced", "data"),
            Self::PinnedVolume(_) => ("D", "data"),
            Self::Cluster => ("cluster volume", "data"),
            Self::PinnedCluster => ("cluster volume, pinned", "data"),
            Self::Bare => ("no data", "id"),
            Self::PinnedBare => ("no data, pinned", "id"),
        }
    }

    /// Returns whether a label pins its members.
    fn pinned(self) -> bool {
        matches!(self, Self::Pinned | Self::PinnedVolume(_) | Self::PinnedCluster | Self::PinnedBare)
    }

    /// Returns whether its data is a cluster volume.
    pub fn on_cluster_volume(self) -> bool {
        matches!(self, Self::Cluster | Self::PinnedCluster)
    }
}

/// A rule that is removed from the templates.
#[derive(Clone, Copy, PartialEq)]
pub enum Strip {
    /// The port in host mode.
    Port,
    /// `stop-first`: `start-first` replaces it.
    StopFirst,
    /// The same, but in the emitted files, because a compile refuses an update that can never
    /// finish.
    StopFirstByHand,
    /// All constraints.
    Place,
    /// The lock of the process.
    Guard,
}

/// The target of a service.
#[derive(Clone, Copy, PartialEq)]
pub enum Target {
    Swarm,
    Fleet,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Swarm => "swarm",
            Self::Fleet => "fleet",
        }
    }
}

/// The simplest service: one member on each node, on an overlay network.
pub const PLAIN: Variant = Variant {
    name: "",
    what: "",
    target: Target::Swarm,
    cell: Cell::PerNode,
    host: false,
    guard: false,
    grace: 16,
    strips: &[],
    count: 2,
    apart: "",
};

/// One service of the suite.
#[derive(Clone)]
pub struct Variant {
    /// The name of the service, of its stack, and of the label that pins it.
    pub name: &'static str,
    /// The description in the table.
    pub what: &'static str,
    pub target: Target,
    pub cell: Cell,
    /// Whether it uses the network of the node.
    pub host: bool,
    pub guard: bool,
    /// The grace period in seconds. Every stop takes all of it.
    pub grace: u32,
    pub strips: &'static [Strip],
    /// The number of members, if they are counted.
    pub count: u32,
    /// The other service in `apart_from`.
    pub apart: &'static str,
}

/// The claim of berthc for one cell of its certificate.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// These mechanisms protect it.
    Held(Vec<String>),
    /// These ways are open.
    Gap(Vec<String>),
    AsData,
    Never(String),
    Duty,
}

/// A compiled variant.
pub struct Compiled {
    pub variant: Variant,
    /// The folder of its specs.
    pub specs: PathBuf,
    pub port: u16,
    /// The folder of the stack files, by generation.
    pub files: BTreeMap<&'static str, PathBuf>,
    /// The claims, by resource and hazard.
    pub claims: BTreeMap<(String, String), Claim>,
}

/// The generations, each with its own environment. The container of `bad` ends at once.
pub const GENERATIONS: [&str; 3] = ["1", "2", "bad"];

impl Variant {
    /// Returns whether a label pins it.
    pub fn labelled(&self) -> bool {
        (self.cell == Cell::PerNode || self.cell.pinned()) && !self.strips.contains(&Strip::Place)
    }

    /// Returns whether its members are numbered.
    pub fn counted(&self) -> bool {
        self.cell != Cell::PerNode
    }

    /// Returns whether its members have an id.
    fn has_id(&self) -> bool {
        self.counted()
    }

    fn spec(&self, port: u16, generation: &str, revision: Option<&str>, accept: &[String]) -> String {
        let Self { name, what: _, target, cell, host, guard, grace, strips: _, count, apart } = self;
        let member = if self.counted() { "{{ member.name }}" } else { "{{ member.node }}" };
        let mut env = format!("SERVICE: {name}, MEMBER: \"{member}\", GENERATION: \"{generation}\"");
        if self.has_id() {
            env += ", ID: \"{{ member.id }}\"";
        }
        if let Some(revision) = revision {
            env += &format!(", REVISION: {revision}");
        }
        if generation == "bad" {
            env += ", FAIL: \"yes\"";
        }
        let data = match cell {
            Cell::PerNode => Some(format!("host: /mnt/d1/{name}")),
            Cell::Pinned => Some(format!("host: \"/mnt/d1/{name}-{{{{ member.id }}}}\", size: 1Gi")),
            Cell::Volume(backend) | Cell::PinnedVolume(backend) => {
                Some(format!("volume: {{ backend: {backend}, size: 1Gi }}"))
            }
            // Its attaching refuses no second node, so only Swarm's reservation protects.
            Cell::Cluster | Cell::PinnedCluster => {
                Some("volume: { backend: ceph-rbd, size: 1Gi }".to_owned())
            }
            Cell::Bare | Cell::PinnedBare => None,
        };
        let pinned = cell.pinned();
        let members = match cell {
            Cell::PerNode => format!("per: node, on: {{ {name}: \"yes\" }}"),
            _ if pinned && *host => {
                let at: Vec<String> = (1..=*count).map(|n| format!("{n}: 10.77.0.{}", n + 1)).collect();
                format!("count: {count}, first: 1, pin: {{ label: {name}, at: {{ {} }} }}", at.join(", "))
            }
            _ if pinned => format!("count: {count}, first: 1, pin: {name}"),
            _ => format!("count: {count}, first: 1"),
        };
        let mut text = format!("service: {name}\n");
        if let Some(revision) = revision {
            text += &format!("revision: {revision}\n");
        }
        let mut exclusive = format!("  ports: {{ p: {port} }}\n");
        if *host {
            exclusive += "  address: node\n";
            env += ", PORT: \"{{ ports.p }}\"";
        } else if self.has_id() {
            exclusive += "  hostname: true\n";
        }
        if self.has_id() {
            exclusive += "  id: true\n";
        }
        if let Some(data) = data {
            exclusive += &format!("  data: {{ data: {{ mount: /data, {data} }} }}\n");
            env += ", DATA: /data";
        }
        if *guard {
            exclusive += "  guard: lock\n";
        }
        text += &format!("image: {IMAGE}\ncommand: [/probe]\nenv: {{ {env} }}\nmembers: {{ {members} }}\n");
        text += &format!("exclusive:\n{exclusive}stop: {{ grace: {grace}s }}\nupdate: {{ pause: 1s }}\n");
        if !apart.is_empty() {
            text += &format!("apart_from: [{apart}]\n");
        }
        if !accept.is_empty() {
            text += "accept:\n";
            for gap in accept {
                text += &format!("  - {{ gap: {gap}, because: \"the suite provokes it\" }}\n");
            }
        }
        let network = if *host { "" } else { ", network: apps" };
        let lock = if apart.is_empty() { "" } else { ", lock: 7099" };
        text + &match target {
            Target::Swarm => {
                let engine = if cell.on_cluster_volume() { "\"23.0\", volume: csi" } else { "\"20.10\"" };
                format!("targets: {{ swarm: {{ engine: {engine}{network}{lock} }} }}\n")
            }
            Target::Fleet => "targets: { fleet: { version: \"1.0.0\", docker: \"18.06\" } }\n".to_owned(),
        }
    }
}

/// Writes the templates without the rules in `strips`.
fn templates(dir: &Path, strips: &[Strip]) {
    let name = "swarm/stack.yml.j2";
    let mut text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name)).unwrap();
    let mut replace = |from: &str, to: &str| {
        assert!(text.contains(from), "the template has no {from}");
        text = text.replace(from, to);
    };
    for strip in strips {
        match strip {
            Strip::Port => replace("{% if s.ports %}", "{% if false %}"),
            Strip::StopFirst => replace("order: {{ s.deploy.update.order }}", "order: start-first"),
            Strip::StopFirstByHand => {}
            Strip::Place => {
                replace("{% if s.deploy.constraints or s.deploy.preferences %}", "{% if false %}");
            }
            Strip::Guard => replace("[[\"entrypoint\", s.entrypoint], ", "["),
        }
    }
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes `start-first` into the stack files of a service. berthc must report the result.
fn start_first(service: &Path) {
    for file in fs::read_dir(service.join("swarm")).unwrap().flatten().map(|e| e.path()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("order: stop-first"), "{} names no order", file.display());
        fs::write(file, text.replace("order: stop-first", "order: start-first")).unwrap();
    }
    let found = berthc(&["verify", service.to_str().unwrap()]).to_string();
    assert!(found.contains("update-stuck"), "start-first beside a port is no finding: {found}");
}

fn berthc(args: &[&str]) -> Value {
    let done =
        Command::new(env!("CARGO_BIN_EXE_berthc")).args(args).args(["--format", "json"]).output().unwrap();
    serde_json::from_slice(&done.stdout).unwrap_or_else(|e| {
        panic!("berthc {}: {e}\n{}", args.join(" "), String::from_utf8_lossy(&done.stderr))
    })
}

/// Compiles the `variants` that belong together, with port numbers from `port`. Every gap is
/// waived, because the suite tests whether it is a gap.
pub fn compile(dir: &Path, variants: &[Variant], port: u16) -> Vec<Compiled> {
    let all: String = variants.iter().map(|v| v.name).collect::<Vec<_>>().join("+");
    let dir = dir.join(all);
    let templates_dir = dir.join("templates");
    templates(&templates_dir, variants[0].strips);
    let templates_dir = templates_dir.to_str().unwrap();
    let mut accept: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut files: BTreeMap<&'static str, PathBuf> = BTreeMap::new();
    let write = |generation: &str, accept: &BTreeMap<&str, Vec<String>>| {
        let specs = dir.join(format!("specs-{generation}"));
        fs::create_dir_all(&specs).unwrap();
        for (i, v) in variants.iter().enumerate() {
            let revisions: &[Option<&str>] = if v.counted() { &[None] } else { &[Some("v1"), Some("v2")] };
            for revision in revisions {
                let known = accept.get(v.name).cloned().unwrap_or_default();
                let text = v.spec(port + i as u16, generation, *revision, &known);
                fs::write(specs.join(format!("{}{}.yaml", v.name, revision.unwrap_or_default())), text)
                    .unwrap();
            }
        }
        specs.to_str().unwrap().to_owned()
    };
    let out = |generation: &str| dir.join(format!("out-{generation}"));
    let compile = |specs: &str, generation: &str| {
        berthc(&["compile", specs, "-o", out(generation).to_str().unwrap(), "--templates", templates_dir])
    };
    // The first compile reports the open gaps, and the second one waives them.
    let first = compile(&write("1", &accept), "1");
    for d in open(&first) {
        let code = d["code"].as_str().unwrap();
        assert!(code.starts_with(&format!("{}/", variants[0].target.name())), "{}: {d:#}", variants[0].name);
        let file = d["at"]["file"].as_str().unwrap();
        for v in variants.iter().filter(|v| file.contains(&format!("/{}", v.name))) {
            let own = accept.entry(v.name).or_default();
            // A gap names the others that have the same reason.
            let also = d["also"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for code in [code].into_iter().chain(also) {
                if !own.iter().any(|c| c == code) {
                    own.push(code.to_owned());
                }
            }
        }
    }
    for generation in GENERATIONS {
        let specs = write(generation, &accept);
        let done = compile(&specs, generation);
        assert!(open(&done).is_empty(), "{}: {done:#}", variants[0].name);
        files.insert(generation, out(generation));
    }
    if variants[0].strips.contains(&Strip::StopFirstByHand) {
        files.values().for_each(|out| start_first(&out.join(variants[0].name)));
    }
    let told = berthc(&["explain", dir.join("specs-1").to_str().unwrap(), "--templates", templates_dir]);
    let mut compiled = Vec::new();
    for (i, v) in variants.iter().enumerate() {
        let mut claims = BTreeMap::new();
        for certificate in told["certificates"].as_array().unwrap().iter().filter(|c| c["service"] == v.name)
        {
            for cell in certificate["cells"].as_array().unwrap() {
                let key = (text(&cell["resource"]), text(&cell["hazard"]));
                let claim = claim(&cell["verdict"]);
                let before = claims.insert(key, claim.clone());
                assert!(before.is_none_or(|b| b == claim), "two revisions of {} differ", v.name);
            }
        }
        let files = files.iter().map(|(g, out)| (*g, out.join(v.name).join(v.target.name()))).collect();
        let specs = dir.join("specs-1");
        compiled.push(Compiled { variant: v.clone(), specs, port: port + i as u16, files, claims });
    }
    compiled
}

/// What berthc says of a compile, but for its notes.
fn open(told: &Value) -> Vec<&Value> {
    told["diagnostics"].as_array().unwrap().iter().filter(|d| d["severity"] != "note").collect()
}

/// What berthc says of a second spec with the data of `of`, beside the first.
pub fn rival(of: &Compiled) -> Vec<String> {
    let dir = of.specs.with_file_name("rival");
    fs::create_dir_all(&dir).unwrap();
    let name = of.variant.name;
    for file in fs::read_dir(&of.specs).unwrap().flatten().map(|e| e.path()) {
        let text = fs::read_to_string(&file).unwrap();
        let other = text.replacen(&format!("service: {name}\n"), "service: rival\n", 1);
        let file = file.file_name().unwrap().to_str().unwrap();
        fs::write(dir.join(file), text).unwrap();
        fs::write(dir.join(format!("rival-{file}")), other).unwrap();
    }
    let told = berthc(&["compile", dir.to_str().unwrap(), "-o", dir.join("out").to_str().unwrap()]);
    told["diagnostics"].as_array().unwrap().iter().map(|d| text(&d["code"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn claim(verdict: &Value) -> Claim {
    let words = |v: &Value, key: &str| -> Vec<String> {
        v[key].as_array().unwrap().iter().map(|m| m.get("word").map_or_else(|| text(m), text)).collect()
    };
    match verdict {
        Value::String(s) if s == "as-data" => Claim::AsData,
        Value::String(s) if s == "duty" => Claim::Duty,
        v if v.get("held").is_some() => Claim::Held(words(&v["held"], "by")),
        v if v.get("gap").is_some() => Claim::Gap(words(&v["gap"], "open")),
        v if v.get("never").is_some() => Claim::Never(text(&v["never"])),
        v => panic!("a verdict that the suite does not know: {v}"),
    }
}

impl Compiled {
    /// Returns the claim for a cell; `None` if the service does not claim the resource. A cell that
    /// refers to the data has the claim of the data, or of the right to write.
    pub fn claim(&self, resource: &str, hazard: &str) -> Option<&Claim> {
        let at = |resource: &str| self.claims.get(&(resource.to_owned(), hazard.to_owned()));
        match at(resource) {
            Some(Claim::AsData) => at("data").or_else(|| at("writer")),
            other => other,
        }
    }
}
