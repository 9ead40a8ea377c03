//! Reports raw fields that the API server drops because their feature gate is off by default.

use serde_json::Value;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::kubernetes_api::{self as api, TYPES};
use crate::model::Service;
use crate::plan::context::Context;
use crate::spec::Raw;
use crate::spec::source::Route;

/// Reports the dropped fields of `raw`, at the route `at`, which has the fields of the type `of`.
pub fn check(context: &mut Context<'_>, service: &Service, at: &Route, raw: &Raw, of: &str) {
    for (key, value) in raw {
        field(context, service, (at, key, value), of);
    }
}

/// Checks one field of the type `of`, and what it contains.
fn field(context: &mut Context<'_>, service: &Service, (at, key, value): (&Route, &str, &Value), of: &str) {
    let at = at.at(key);
    if let Some(gate) = api::gate(of, key) {
        let field = at.steps().join(".");
        let message = format!("Kubernetes drops `{field}`: its feature gate {gate} is off by default");
        context.fault(
            Diagnostic::error(Code::UnknownKey, service.key(&at), message)
                .why("the API server accepts the object, and leaves the field out without a warning"),
        );
    }
    if let Some(of) = TYPES.get(of).and_then(|fields| fields.get(key)) {
        inside(context, service, &at, value, of);
    }
}

/// Checks what a value of the type `of` contains.
fn inside(context: &mut Context<'_>, service: &Service, at: &Route, value: &Value, of: &str) {
    match value {
        Value::Array(items) => {
            let Some(of) = api::item(of) else { return };
            for (i, item) in items.iter().enumerate() {
                inside(context, service, &at.at(i), item, of);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                match api::entry(of) {
                    Some(of) => inside(context, service, &at.at(key), value, of),
                    None => field(context, service, (at, key, value), of),
                }
            }
        }
        _ => {}
    }
}
