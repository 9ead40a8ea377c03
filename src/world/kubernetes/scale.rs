//! Finds the number of pods: of the file, or of an autoscaler.

use std::collections::BTreeMap;

use super::object::Object;
use crate::finding::At;
use crate::text::yaml::Value;
use crate::world::found::Found;

/// The number of replicas if the count cannot be read. Two are enough to show a conflict.
const SEVERAL: u32 = 2;
/// The maximum number of replicas of an autoscaler that is searched.
const MOST: u32 = 64;

/// The most replicas that autoscalers ask for, by namespace, kind and name.
pub(super) struct Scalers<'d> {
    most: BTreeMap<(&'d str, &'d str, &'d str), (u32, &'d Object<'d>, Value<'d>)>,
}

impl<'d> Scalers<'d> {
    pub(super) fn new(objects: &'d [Object<'d>]) -> Self {
        let mut most = BTreeMap::new();
        for object in objects {
            // KEDA creates a HorizontalPodAutoscaler from a ScaledObject (keda.sh, "ScaledObject
            // specification": kind Deployment and 100 replicas by default).
            let (key, kind, count) = match object.kind {
                "HorizontalPodAutoscaler" => ("maxReplicas", "", 1),
                "ScaledObject" => ("maxReplicaCount", "Deployment", 100),
                _ => continue,
            };
            let Some(of) = object.root.at(&["spec", "scaleTargetRef"]) else { continue };
            let text = |key| of.get(key).and_then(Value::as_str);
            let Some(name) = text("name") else { continue };
            let given = object.root.at(&["spec", key]);
            let count = match given {
                Some(value) => count_of(value).unwrap_or(SEVERAL),
                None => count,
            };
            let kind = text("kind").unwrap_or(kind);
            let namespace = object.namespace.as_str();
            most.insert((namespace, kind, name), (count.min(MOST), object, given.unwrap_or(of)));
        }
        Self { most }
    }

    /// Returns the highest number of replicas of `object`, and what scales it. A workload with 0
    /// replicas is searched with 1, because it can be scaled up.
    pub(super) fn replicas(&self, object: &Object<'d>, found: &mut Found) -> (u32, Option<At>) {
        let given = object.root.at(&["spec", "replicas"]).filter(|r| !r.is_null());
        let own = match given {
            Some(value) => count_of(value).unwrap_or_else(|| {
                let what = format!("`replicas` is not a number: treated as {SEVERAL}");
                found.unread(object.at(value), what);
                SEVERAL
            }),
            None => 1,
        };
        let key = (object.namespace.as_str(), object.kind, object.name.as_str());
        match self.most.get(&key) {
            Some((most, by, value)) if *most > own.max(1) => (*most, Some(by.at(*value))),
            _ => (own.max(1), None),
        }
    }
}

/// Reads a count.
fn count_of(value: Value<'_>) -> Option<u32> {
    value.number().and_then(|n| u32::try_from(n).ok())
}

/// Returns the number of pods of a job that can run at once.
pub(super) fn parallel(object: &Object<'_>, found: &mut Found) -> u32 {
    let (way, default): (&[&str], u32) = match object.kind {
        "Job" => (&["spec"], 1),
        "CronJob" => (&["spec", "jobTemplate", "spec"], 1),
        // keda.sh, "ScaledJob specification": 100 jobs by default.
        "ScaledJob" => (&["spec", "jobTargetRef"], MOST),
        _ => return made_often(object),
    };
    let count = |key: &str, otherwise: u32| match object.root.at(way).and_then(|s| s.given(key)) {
        Some(value) => count_of(value),
        None => Some(otherwise),
    };
    let most = count("parallelism", 1).zip(count("completions", u32::MAX)).map(|(p, c)| p.min(c));
    let jobs = match object.root.at(&["spec", "maxReplicaCount"]).filter(|_| object.kind == "ScaledJob") {
        Some(value) => count_of(value).unwrap_or(SEVERAL),
        None => default,
    };
    let Some(most) = most else {
        found.unread(object.here(), format!("`parallelism` is not a number: treated as {SEVERAL}"));
        return SEVERAL;
    };
    most.max(jobs).max(made_often(object)).clamp(1, MOST)
}

/// Returns the number of pods of a manifest. With `generateName`, each `kubectl create` creates one
/// more.
fn made_often(object: &Object<'_>) -> u32 {
    if object.name.ends_with('*') { SEVERAL } else { 1 }
}
