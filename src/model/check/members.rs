//! Checks `members`.

use std::collections::BTreeMap;

use super::checker::{Checker, fix};
use crate::code::Code;
use crate::model::{Members, Pin};
use crate::route;
use crate::spec::allowed::{MAX_FIRST, MAX_MEMBERS};
use crate::spec::source::Route;
use crate::spec::{self, MembersSpec, Per};
use crate::text::names;

pub(super) fn members(
    checker: &mut Checker<'_>,
    spec: Option<MembersSpec>,
    revision: bool,
) -> Option<Members> {
    let (root, own) = (route!["members"], checker.service());
    let Some(spec) = spec else {
        checker.missing(&Route::default(), "members", "members: { count: 3 }");
        return None;
    };
    let MembersSpec { per, on, known, dedicated, count, first, pin } = spec;
    match (per, count) {
        (Some(Per::Node), None) => {
            for (field, there) in [("first", first.is_some()), ("pin", pin.is_some())] {
                if there {
                    checker.fault_key(
                        Code::MembersShape,
                        &root.at(field),
                        format!("`{field}` needs `count`: a `per: node` member is identified by its node"),
                    );
                }
            }
            per_node(checker, &root, on, known, dedicated.unwrap_or_default())
        }
        (None, Some(count)) => {
            let others =
                [("on", on.is_some()), ("known", known.is_some()), ("dedicated", dedicated.is_some())];
            for (field, _) in others.into_iter().filter(|(_, there)| *there) {
                checker
                    .fault_key(Code::MembersShape, &root.at(field), format!("`{field}` needs `per: node`"))
                    .fixes
                    .push(fix("to bind counted members to nodes, write", &format!("pin: {own}")));
            }
            if revision {
                checker
                    .fault(Code::RevisionCounted, &route!["revision"], "a counted service has no revision")
                    .why
                    .push("its members stay the same; change the spec and roll it out".into());
            }
            counted(checker, &root, count, first.unwrap_or_default(), pin)
        }
        (Some(_), Some(_)) => {
            let per = checker.source.key(&root.at("per"));
            checker
                .fault_key(
                    Code::MembersShape,
                    &root.at("count"),
                    "members have either `per: node` or `count`, not both",
                )
                .related
                .push((per, "one per node".into()));
            None
        }
        (None, None) if checker.taken_out("count") || checker.taken_out("per") => None,
        (None, None) => {
            checker
                .fault_key(Code::MembersShape, &root, "`members` needs `per: node` or `count`")
                .fixes
                .extend([
                    fix(
                        "for one member on each labelled node",
                        &format!("members: {{ per: node, on: {{ {own}: \"true\" }} }}"),
                    ),
                    fix("for a number of members", "members: { count: 3 }"),
                ]);
            None
        }
    }
}

/// Checks members that have ids, from `first` on.
fn counted(
    checker: &mut Checker<'_>,
    root: &Route,
    count: u32,
    first: u32,
    pin: Option<spec::Pin>,
) -> Option<Members> {
    if count == 0 || count > MAX_MEMBERS {
        checker.fault(
            Code::BadValue,
            &root.at("count"),
            format!("`count` must be between 1 and {MAX_MEMBERS}, not {count}"),
        );
        return None;
    }
    if first > MAX_FIRST {
        checker.fault(Code::BadValue, &root.at("first"), "an id has at most seven digits");
        return None;
    }
    let pin = pin.and_then(|pin| check_pin(checker, &root.at("pin"), pin, first..first + count));
    Some(Members::Counted { count, first, pin })
}

/// Checks `per: node` members: one on each node that has the labels `on`.
fn per_node(
    checker: &mut Checker<'_>,
    root: &Route,
    on: Option<indexmap::IndexMap<String, String>>,
    known: Option<indexmap::IndexMap<String, String>>,
    dedicated: bool,
) -> Option<Members> {
    let on = on.unwrap_or_default();
    if on.is_empty() {
        let line = format!("on: {{ {}: \"true\" }}", checker.service());
        checker.missing(root, "on", &line);
        return None;
    }
    for (label, value) in &on {
        let at = root.at("on").at(label);
        checker.named_key(Code::BadLabel, &at, &format!("the label `{label}`"), label, names::node_label);
        checker.named(Code::BadLabel, &at, &format!("the label value `{value}`"), value, names::label_value);
    }
    let known = known.unwrap_or_default();
    for (node, address) in &known {
        let at = root.at("known").at(node);
        if !names::dns(node) {
            checker.fault_key(Code::BadName, &at, format!("`{node}` is not a valid node name"));
        }
        checker.address(&at, address);
    }
    distinct(checker, &root.at("known"), known.iter().map(|(node, a)| (node.clone(), a)));
    Some(Members::PerNode { on: on.into_iter().collect(), known: known.into_iter().collect(), dedicated })
}

/// Checks a `pin`, for all targets or for one. `ids` are the ids of the members.
pub(super) fn check_pin(
    checker: &mut Checker<'_>,
    route: &Route,
    pin: spec::Pin,
    ids: std::ops::Range<u32>,
) -> Option<Pin> {
    let spec::Pin { label, at } = pin;
    let Some(label) = label else {
        let line = format!("label: {}", checker.service());
        checker.missing(route, "label", &line);
        return None;
    };
    let at_label = if checker.source.has(&route.at("label")) { route.at("label") } else { route.clone() };
    checker.named(Code::BadLabel, &at_label, &format!("the label `{label}`"), &label, names::node_label);
    let mut table = BTreeMap::new();
    if let Some(at) = at {
        let here = route.at("at");
        for (id, address) in &at {
            checker.address(&here.at(id.0), address);
            if !ids.contains(&id.0) {
                checker.fault_key(
                    Code::PinTable,
                    &here.at(id.0),
                    format!("there is no member {}: the members are {} to {}", id.0, ids.start, ids.end - 1),
                );
            }
            table.insert(id.0, address.clone());
        }
        for id in ids.filter(|id| !table.contains_key(id)) {
            checker
                .fault_key(Code::PinTable, &here, format!("member {id} has no address in `at`"))
                .fixes
                .push(fix("add it", &format!("{id}: 10.0.0.{}", id % 200 + 1)));
        }
        distinct(checker, &here, at.iter().map(|(id, a)| (id.0.to_string(), a)));
    }
    Some(Pin { label, at: table })
}

/// Checks that no two members have the same address.
fn distinct<'a>(checker: &mut Checker<'_>, route: &Route, table: impl Iterator<Item = (String, &'a String)>) {
    let mut seen = BTreeMap::new();
    for (key, address) in table {
        if let Some(first) = seen.insert(address, key.clone()) {
            let first = checker.source.place(&route.at(first));
            checker
                .fault(Code::PinTable, &route.at(key), format!("two members have the address {address}"))
                .related
                .push((first, "the other one".into()));
        }
    }
}
