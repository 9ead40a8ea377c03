//! Reports fields that the API does not know and values of a wrong type. kubectl rejects both.
//!
//! Strict validation is the default of kubectl since 1.27 (kubernetes.io, "Server Side Field
//! Validation").

use super::object::Object;
use crate::finding::codes;
use crate::kubernetes_api::{self as api, Fields, Gated};
use crate::text::yaml::Value;
use crate::world::found::Found;

/// The APIs whose types [`TYPES`] has.
const APIS: [&str; 6] = ["v1", "apps/v1", "policy/v1", "storage.k8s.io/v1", "batch/v1", "autoscaling/v2"];

/// The maximum number of faults that are reported for one object.
const MOST: usize = 8;

/// Reports what the API rejects in each object.
pub(super) fn judge(objects: &[Object<'_>], found: &mut Found) {
    for object in objects.iter().filter(|o| APIS.contains(&o.api)) {
        if let Some(fields) = api::fields(object.kind) {
            let mut faults = Faults { object, left: MOST, found };
            faults.map(object.root, object.kind, fields);
        }
    }
}

struct Faults<'f, 'd> {
    object: &'f Object<'d>,
    left: usize,
    found: &'f mut Found,
}

impl Faults<'_, '_> {
    fn map(&mut self, value: Value<'_>, name: &str, fields: &Fields) {
        for gated in api::dropped(name) {
            if let Some(value) = value.get(gated.field) {
                self.off(value, gated);
            }
        }
        for (key, value) in value.entries() {
            match fields.get(key) {
                Some(of) => self.value(value, of),
                None => self.unknown(key, value, name, fields),
            }
        }
    }

    fn value(&mut self, value: Value<'_>, of: &str) {
        if value.is_null() {
            return;
        }
        if let Some(of) = api::item(of) {
            match value.is_list() {
                true => value.items().into_iter().for_each(|item| self.value(item, of)),
                false => self.wrong(value, "a list"),
            }
        } else if let Some(of) = api::entry(of) {
            match value.is_map() {
                true => value.entries().into_iter().for_each(|(_, item)| self.value(item, of)),
                false => self.wrong(value, "a map"),
            }
        } else if let Some(fields) = api::fields(of) {
            match value.is_map() {
                true => self.map(value, of, fields),
                false => self.wrong(value, "a map"),
            }
        } else {
            self.scalar(value, of);
        }
    }

    fn scalar(&mut self, value: Value<'_>, of: &str) {
        let plain = !value.is_quoted();
        let digits = |t: &str| t.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let float = |t: &str| digits(t) && t.parse::<f64>().is_ok();
        let number = || plain && (value.number().is_some() || value.as_str().is_some_and(float));
        let flag = || plain && value.flag().is_some();
        match of {
            "s" if value.as_str().is_none() || number() || flag() => self.wrong(value, "text in quotes"),
            "i" | "n" if !number() => self.wrong(value, "a number"),
            "b" if !flag() => self.wrong(value, "true or false"),
            _ => {}
        }
    }

    fn off(&mut self, value: Value<'_>, gated: &Gated) {
        let Gated { field: key, gate, .. } = gated;
        let message = format!("the API server drops `{key}` unless the feature gate {gate} is on");
        let fix = format!("take `{key}` out, or turn {gate} on in the API server and the kubelets");
        self.found.note(codes::IGNORED, message, vec![self.object.at(value)], fix);
    }

    fn unknown(&mut self, key: &str, value: Value<'_>, name: &str, fields: &Fields) {
        // The value that a template produces is not known.
        if key.contains("{{") {
            return;
        }
        let near = fields
            .keys()
            .map(|known| (strsim::osa_distance(&known.to_lowercase(), &key.to_lowercase()), *known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 6)
            .min();
        let (message, fix) = match (near, home(name, key)) {
            (Some((_, known)), _) => {
                (format!("the API knows no field `{key}` here"), format!("{known}: what `{key}` has"))
            }
            (None, Some(way)) => (
                format!("the API knows no field `{key}` here: it belongs elsewhere"),
                format!("{way}: what `{key}` has"),
            ),
            (None, None) => (format!("the API knows no field `{key}` here"), format!("take `{key}` out")),
        };
        self.tell(value, message, fix);
    }

    fn wrong(&mut self, value: Value<'_>, right: &str) {
        // The readers of labels and selectors report these themselves.
        let field = value.field();
        let labels = ["abels.", "nodeSelector.", "spec.selector."].iter().any(|map| field.contains(map));
        if labels || value.as_str().is_some_and(|t| t.contains(['$', '{', '<'])) {
            return;
        }
        let text = value.as_str().map(|t| format!(" `{t}`")).unwrap_or_default();
        let key = field.rsplit('.').next().unwrap_or_default();
        let fix = match (right, value.as_str()) {
            ("text in quotes", Some(text)) => format!("{key}: \"{text}\""),
            _ => format!("{key}: {right}"),
        };
        self.tell(value, format!("the API refuses {key}{text}: it must be {right}"), fix);
    }

    fn tell(&mut self, value: Value<'_>, message: String, fix: String) {
        if self.left > 0 {
            self.left -= 1;
            let at = vec![self.object.at(value)];
            self.found.violation(codes::REFUSED, message, at, fix);
        }
    }
}

/// Returns where a field belongs that is often misplaced in the type `name`.
fn home(name: &str, key: &str) -> Option<&'static str> {
    let pod = api::fields("PodSpec").is_some_and(|f| f.contains_key(key));
    let container = api::fields("Container").is_some_and(|f| f.contains_key(key));
    match (name, key) {
        ("StatefulSetSpec" | "DaemonSetSpec", "strategy") => Some("updateStrategy"),
        ("DeploymentSpec", "updateStrategy") => Some("strategy"),
        (
            "StatefulSetSpec" | "DaemonSetSpec" | "DeploymentSpec" | "ReplicaSetSpec" | "PodTemplateSpec",
            _,
        ) if pod => Some("template.spec"),
        ("PodSpec", _) if container => Some("containers[0]"),
        ("Container", _) if pod => Some("template.spec"),
        _ => None,
    }
}
