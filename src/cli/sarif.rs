//! SARIF 2.1.0 (OASIS), the format of code scanning in GitHub, GitLab and editors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use berthc::{Severity, explain};
use serde_json::{Value, json};

use super::finding::{Finding, Spot, Step};

/// The address of the SARIF schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns the log of one run. Each code is a rule whose help is its page of `berthc explain`.
pub fn log(findings: &[Finding]) -> Value {
    let mut rules: BTreeMap<&str, usize> = findings.iter().map(|f| (f.code.as_str(), 0)).collect();
    rules.values_mut().enumerate().for_each(|(i, at)| *at = i);
    let results: Vec<Value> = findings.iter().map(|f| result(f, rules[f.code.as_str()])).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "berthc",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.keys().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let page = explain::page(code).unwrap_or(code);
    let title = page.split("\n\n").next().unwrap_or(page).replace('\n', " ");
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "help": { "text": page, "markdown": format!("```text\n{page}\n```") },
    })
}

fn result(f: &Finding, rule: usize) -> Value {
    let level = match f.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = f.message.clone();
    for line in &f.more {
        text.push('\n');
        text.push_str(line);
    }
    let mut result = json!({
        "ruleId": f.code, "ruleIndex": rule, "level": level, "message": { "text": text },
    });
    if let Some((first, rest)) = f.spots.split_first() {
        result["locations"] = json!([location(first)]);
        if !rest.is_empty() {
            result["relatedLocations"] = rest.iter().map(location).collect();
        }
    }
    if !f.steps.is_empty() {
        let steps: Vec<Value> = f.steps.iter().map(step).collect();
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    }
    result
}

fn step(step: &Step) -> Value {
    let mut at = step.spot.as_ref().map_or_else(|| json!({}), location);
    at["message"] = json!({ "text": step.text });
    json!({ "location": at })
}

fn location(spot: &Spot) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&spot.path) },
            "region": {
                "startLine": spot.start.0, "startColumn": spot.start.1,
                "endLine": spot.end.0, "endColumn": spot.end.1,
            },
        },
    });
    if !spot.text.is_empty() {
        location["message"] = json!({ "text": spot.text });
    }
    location
}

/// Converts a path into a reference of RFC 3986. A relative path stays relative.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~@+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped_as_uri_references() {
        assert_eq!(uri("./specs/a b#1.yaml"), "specs/a%20b%231.yaml");
        assert_eq!(uri("/x/ä:.toml"), "file:///x/%C3%A4%3A.toml");
    }

    /// Checks a finding of several files with steps.
    #[test]
    fn the_steps_of_a_story_become_a_code_flow() {
        let spot =
            |line| Spot { path: "deploy/x.yml".into(), start: (line, 1), end: (line, 5), text: "x".into() };
        let finding = Finding {
            code: "swarm/data/partition".into(),
            severity: Severity::Warning,
            message: "two may write".into(),
            more: vec!["because".into()],
            spots: vec![spot(3), spot(7)],
            steps: vec![
                Step { text: "the node is cut off".into(), spot: None },
                Step { text: "another starts".into(), spot: Some(spot(7)) },
            ],
        };
        let log = log(&[finding.clone(), finding]);
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(1));
        let result = &run["results"][1];
        assert_eq!(result["message"]["text"], "two may write\nbecause");
        assert_eq!(result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 7);
        let steps = &result["codeFlows"][0]["threadFlows"][0]["locations"];
        assert_eq!(steps[0]["location"], json!({ "message": { "text": "the node is cut off" } }));
        assert_eq!(steps[1]["location"]["physicalLocation"]["region"]["startLine"], 7);
    }
}
