//! Reports raw fields that the API server drops because their feature gate is off by default in the version
//! of the spec.

use serde_json::Value;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::kubernetes_api::{self as api, Gated};
use crate::model::Service;
use crate::plan::context::Context;
use crate::route;
use crate::spec::Raw;
use crate::spec::source::Route;
use crate::text::units::Version;

/// Reports the dropped fields of `raw`, at the route `at`, which has the fields of the type `of`.
pub fn check(context: &mut Context<'_>, subject: (&Service, Version), at: &Route, raw: &Raw, of: &str) {
    for (key, value) in raw {
        field(context, subject, (at, key, value), of);
    }
}

/// Checks one field of the type `of`, and what it contains.
fn field(
    context: &mut Context<'_>,
    subject: (&Service, Version),
    (at, key, value): (&Route, &str, &Value),
    of: &str,
) {
    let at = at.at(key);
    if let Some(gated) = api::gate(of, key) {
        off(subject, &at, gated).into_iter().for_each(|fault| context.fault(fault));
    }
    if let Some(of) = api::fields(of).and_then(|fields| fields.get(key)) {
        inside(context, subject, &at, value, of);
    }
}

/// Returns the fault of a field whose gate is off in the version of the spec.
fn off((service, version): (&Service, Version), at: &Route, gated: &Gated) -> Option<Diagnostic> {
    let (field, place, gate) = (at.steps().join("."), service.key(at), gated.gate);
    let Some(on) = gated.on.map(|minor| Version::new(1, minor)) else {
        let message = format!("Kubernetes drops `{field}`: its feature gate {gate} is off by default");
        let d = Diagnostic::error(Code::UnknownKey, place, message);
        return Some(d.why("the API server accepts the object, and leaves the field out without a warning"));
    };
    let message = format!("Kubernetes {version} has no `{field}`, or drops it");
    let d = Diagnostic::error(Code::VersionTooOld, place, message)
        .related(service.place(&route!["targets", "kubernetes", "version"]), "required here")
        .why(format!("its feature gate {gate} is on by default since {on}"))
        .fix("require a newer version", format!("version: \"{on}\""));
    (version < on).then_some(d)
}

/// Checks what a value of the type `of` contains.
fn inside(context: &mut Context<'_>, subject: (&Service, Version), at: &Route, value: &Value, of: &str) {
    match value {
        Value::Array(items) => {
            let Some(of) = api::item(of) else { return };
            for (i, item) in items.iter().enumerate() {
                inside(context, subject, &at.at(i), item, of);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                match api::entry(of) {
                    Some(of) => inside(context, subject, &at.at(key), value, of),
                    None => field(context, subject, (at, key, value), of),
                }
            }
        }
        _ => {}
    }
}
