//! Tests the output for Kubernetes with a reader that is independent of the plan.

mod decisions;
mod files;
mod hostile;
mod limits;
mod raw;
mod storage;
mod structure;

use std::collections::{BTreeMap, BTreeSet};

use berthc::{Options, Target};
use serde_json::Value;

use crate::harness::compile_with;

/// A spec, by its top-level fields: `name: text`.
#[derive(Clone)]
struct Spec(BTreeMap<&'static str, String>);

impl Spec {
    fn set(mut self, field: &'static str, text: impl Into<String>) -> Self {
        self.0.insert(field, text.into());
        self
    }

    fn without(mut self, field: &str) -> Self {
        self.0.remove(field);
        self
    }

    fn kubernetes(self, version: &str, more: &str) -> Self {
        self.set("targets", format!("{{ kubernetes: {{ version: \"{version}\", namespace: ns{more} }} }}"))
    }

    fn text(&self) -> String {
        self.0.iter().map(|(field, text)| format!("{field}: {text}\n")).collect()
    }

    /// Compiles the spec alone.
    fn out(&self) -> Out {
        compile(std::slice::from_ref(self))
    }

    /// Returns the codes of its errors, each with the text at its place.
    fn faults(&self) -> Vec<(String, String)> {
        faults(std::slice::from_ref(self))
    }
}

/// Returns counted members on network volumes.
fn volume() -> Spec {
    let data =
        "{ data: { data: { mount: /data, volume: { backend: aws-ebs, size: 10Gi } } }, ports: { http: 80 } }";
    Spec(BTreeMap::new())
        .set("service", "db")
        .set("image", "db:1")
        .set("members", "{ count: 3 }")
        .set("exclusive", data)
        .kubernetes("1.34", "")
}

/// Returns counted members that are pinned to nodes.
fn pinned() -> Spec {
    let data = r#"{ data: { data: { mount: /data, host: "/mnt/d1/db-{{ member.id }}", size: 10Gi } }, ports: { http: 80 } }"#;
    volume().set("members", "{ count: 3, pin: db }").set("exclusive", data)
}

/// Returns one member on each node.
fn node() -> Spec {
    let data = "{ data: { data: { mount: /data, host: /mnt/d1/db } }, ports: { http: 80 }, address: node }";
    volume().set("members", "{ per: node, on: { db: \"true\" } }").set("exclusive", data)
}

/// The emitted files, each with its documents.
struct Out(BTreeMap<String, Vec<Value>>);

/// Reads `text` as YAML documents.
fn documents(path: &str, text: &str) -> Vec<Value> {
    let read = |d| serde_yaml::from_str(d).unwrap_or_else(|e| panic!("{path}: {e}\n{d}"));
    text.split("\n---\n").map(read).collect()
}

fn options() -> Options {
    Options { targets: BTreeSet::from([Target::Kubernetes]), ..Options::default() }
}

fn run(specs: &[Spec], options: &Options) -> (Option<berthc::Tree>, Vec<(String, String)>) {
    let texts: Vec<(String, String)> =
        specs.iter().enumerate().map(|(i, s)| (format!("{i}.yaml"), s.text())).collect();
    let inputs: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let (tree, diagnostics) = compile_with(&inputs, options);
    let at = |d: &berthc::Diagnostic| texts[d.place.source].1[d.place.start..d.place.end].to_owned();
    (tree, diagnostics.iter().map(|d| (d.code.to_string(), at(d))).collect())
}

fn compile_as(specs: &[Spec], options: &Options) -> Out {
    let (tree, faults) = run(specs, options);
    let tree = tree.unwrap_or_else(|| panic!("{faults:#?}"));
    let yaml = tree.iter().filter(|(path, _)| path.ends_with(".yaml"));
    Out(yaml.map(|(path, text)| (path.clone(), documents(path, text))).collect())
}

fn compile(specs: &[Spec]) -> Out {
    compile_as(specs, &options())
}

fn faults(specs: &[Spec]) -> Vec<(String, String)> {
    let (tree, faults) = run(specs, &options());
    assert_eq!(tree.is_none(), !faults.is_empty(), "{faults:?}");
    faults
}

impl Out {
    /// Returns every object except kustomizations.
    fn objects(&self) -> impl Iterator<Item = &Value> {
        self.0.values().flatten().filter(|o| o["kind"] != "Kustomization")
    }

    fn of(&self, kind: &str) -> Vec<&Value> {
        self.objects().filter(|o| o["kind"] == kind).collect()
    }

    /// Returns the only object of a kind.
    fn one(&self, kind: &str) -> &Value {
        let all = self.of(kind);
        assert_eq!(all.len(), 1, "{kind}: {:#?}", self.0.keys());
        all[0]
    }

    fn named(&self, kind: &str, name: &str) -> &Value {
        let found = self.of(kind).into_iter().find(|o| o["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    /// Returns the pod template of the only workload.
    fn pod(&self) -> &Value {
        let sets = self.objects().filter(|o| o["kind"] == "StatefulSet" || o["kind"] == "DaemonSet");
        let all: Vec<&Value> = sets.collect();
        assert_eq!(all.len(), 1);
        &all[0]["spec"]["template"]["spec"]
    }

    /// Returns the container of the member.
    fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Reads a map of texts.
fn map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(key, text)| (key.clone(), text.as_str().unwrap_or_else(|| panic!("{text}")).to_owned()))
        .collect()
}

/// Returns the entry of a list with this name.
fn entry<'v>(entries: &'v Value, name: &str) -> &'v Value {
    list(entries).iter().find(|e| e["name"] == name).unwrap_or_else(|| panic!("no {name} in {entries}"))
}
