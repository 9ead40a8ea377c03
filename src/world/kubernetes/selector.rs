//! Reads labels, label selectors and node selectors.

use std::collections::BTreeMap;

use super::object::Object;
use crate::finding::codes;
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Selector, Term, Want};

/// Reads a map of labels. The API accepts only text, so it rejects a number or boolean without quotes.
pub(super) fn labels<'d>(
    object: &Object<'d>,
    value: Option<Value<'d>>,
    found: &mut Found,
) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, value) in value.map(Value::entries).unwrap_or_default() {
        let Some(text) = value.as_str() else { continue };
        if !value.is_quoted() && (value.flag().is_some() || text.parse::<f64>().is_ok()) {
            found.violation(
                codes::REFUSED,
                format!("the API refuses `{key}: {text}`: a label is text"),
                vec![object.at(value)],
                format!("{key}: \"{text}\""),
            );
        }
        labels.insert(key.to_owned(), text.to_owned());
    }
    labels
}

/// Reads a selector that is a map of labels.
pub(super) fn plain<'d>(object: &Object<'d>, value: Value<'d>, found: &mut Found) -> Selector {
    let labels = labels(object, Some(value), found);
    Selector { terms: labels.into_iter().map(|(k, v)| Term::In(k, vec![v])).collect() }
}

/// Reads a `LabelSelector`.
pub(super) fn selector<'d>(object: &Object<'d>, value: Value<'d>, found: &mut Found) -> Selector {
    let mut selector = match value.given("matchLabels") {
        Some(map) => plain(object, map, found),
        None => Selector::default(),
    };
    for e in value.get("matchExpressions").map(Value::items).unwrap_or_default() {
        let key = e.get("key").and_then(Value::text).unwrap_or_default();
        let values = e.get("values").map(Value::texts).unwrap_or_default();
        selector.terms.push(match e.get("operator").and_then(Value::as_str) {
            Some("In") => Term::In(key, values),
            Some("NotIn") => Term::NotIn(key, values),
            Some("Exists") => Term::Exists(key),
            Some("DoesNotExist") => Term::Missing(key),
            other => {
                let message = format!("the API refuses the operator `{}`", other.unwrap_or_default());
                let at = vec![object.at(e.get("operator").unwrap_or(e))];
                found.violation(codes::REFUSED, message, at, "operator: In".to_owned());
                Term::In(key, Vec::new())
            }
        });
    }
    selector
}

/// Returns a selector as kubectl prints it: `app=zk, tier in (a, b)`.
pub(super) fn words(selector: &Selector) -> String {
    let term = |term: &Term| match term {
        Term::In(key, values) if values.len() == 1 => format!("{key}={}", values[0]),
        Term::In(key, values) => format!("{key} in ({})", values.join(", ")),
        Term::NotIn(key, values) => format!("{key} notin ({})", values.join(", ")),
        Term::Exists(key) => key.clone(),
        Term::Missing(key) => format!("!{key}"),
    };
    selector.terms.iter().map(term).collect::<Vec<_>>().join(",")
}

/// The keys whose value is different on each node.
const ONE_NODE: [&str; 3] = ["kubernetes.io/hostname", "beta.kubernetes.io/hostname", "metadata.name"];

/// Reads `nodeSelector`.
pub(super) fn node_labels<'d>(object: &Object<'d>, map: Value<'d>, found: &mut Found) -> Vec<Want> {
    labels(object, Some(map), found)
        .into_iter()
        .map(|(key, value)| Want {
            at: object.at(map.get(&key).unwrap_or(map)),
            one_node: ONE_NODE.contains(&&*key),
            shared: false,
            key,
            values: vec![value],
            not: false,
        })
        .collect()
}

/// Reads a required `NodeSelector`: all expressions of one term, or any of several terms. Several
/// terms are read only if each is one expression on the same key. Others are listed and ignored.
pub(super) fn node_terms<'d>(object: &Object<'d>, required: Value<'d>, found: &mut Found) -> Vec<Want> {
    let terms = required.get("nodeSelectorTerms").map(Value::items).unwrap_or_default();
    let mut read: Vec<Vec<Want>> = terms.iter().map(|t| node_term(object, *t, found)).collect();
    if read.len() <= 1 {
        return read.pop().unwrap_or_default();
    }
    let one = |wants: &Vec<Want>| wants.len() == 1 && !wants[0].not && !wants[0].values.is_empty();
    let same = read.iter().all(|wants| one(wants) && wants[0].key == read[0][0].key);
    if same {
        let mut all = read.into_iter().flatten();
        if let Some(mut first) = all.next() {
            first.values.extend(all.flat_map(|want| want.values));
            return vec![first];
        }
    }
    let what = "one of several node selector terms is enough: treated as if all nodes matched";
    found.unread(object.at(required), what.to_owned());
    Vec::new()
}

fn node_term<'d>(object: &Object<'d>, term: Value<'d>, found: &mut Found) -> Vec<Want> {
    let list = |key: &str| term.get(key).map(Value::items).unwrap_or_default();
    let mut wants = Vec::new();
    for e in list("matchExpressions").into_iter().chain(list("matchFields")) {
        let key = e.get("key").and_then(Value::text).unwrap_or_default();
        let values = e.get("values").map(Value::texts).unwrap_or_default();
        let operator = e.get("operator").and_then(Value::as_str).unwrap_or_default();
        let (values, not) = match operator {
            "In" => (values, false),
            "NotIn" => (values, true),
            "Exists" => (Vec::new(), false),
            "DoesNotExist" => (Vec::new(), true),
            _ => {
                let what =
                    format!("the node selector operator `{operator}`: treated as if all nodes matched");
                found.unread(object.at(e), what);
                continue;
            }
        };
        wants.push(Want {
            one_node: ONE_NODE.contains(&&*key),
            shared: false,
            key,
            values,
            not,
            at: object.at(e),
        });
    }
    wants
}
