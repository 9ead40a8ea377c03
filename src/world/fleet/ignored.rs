//! Finds what fleet accepts and then ignores without a message.

use super::rules::{KEYS, Rule, SECTION};
use super::unit::Unit;
use crate::finding::{At, codes};
use crate::world::found::Found;

/// Reports the parts of `unit` that have no effect.
pub fn check(unit: &Unit, found: &mut Found) {
    let parsed = &unit.parsed;
    let at = |line, field: &str| At { file: unit.file.clone(), line, field: field.to_owned() };
    if let Some(line) = parsed.early {
        let message = "fleet ignores the text before the first section".to_owned();
        found.violation(codes::IGNORED, message, vec![at(line, "")], format!("[{SECTION}] above it"));
    }
    for (section, line) in &parsed.sections {
        if section != SECTION && section.trim().eq_ignore_ascii_case(SECTION) {
            let message = format!("fleet ignores [{section}]: the section must be [{SECTION}]");
            found.violation(codes::IGNORED, message, vec![at(*line, section)], format!("[{SECTION}]"));
        }
    }
    for rule in &unit.rules.unknown {
        unknown(rule, found);
    }
    metadata(unit, found);
    let rules = &unit.rules;
    for rule in rules.ids.iter().skip(1) {
        let message = format!("of several MachineIDs the first wins: `{}` does nothing", rule.text);
        let fix = "MachineMetadata=KEY=VALUE, once for each allowed value";
        found.violation(codes::IGNORED, message, vec![rule.at.clone()], fix);
    }
    for rule in rules.global.iter().filter(|rule| !rule.is_truth()) {
        let message = format!("fleet takes `Global={}` for false", rule.text);
        found.violation(codes::IGNORED, message, vec![rule.at.clone()], "Global=true");
    }
    for rule in &rules.replaces {
        let message = "Replaces keeps no units apart: it moves the other unit to any machine".to_owned();
        found.note(codes::IGNORED, message, vec![rule.at.clone()], format!("Conflicts={}", rule.text));
    }
    if let Some(global) = rules.is_global().filter(|_| unit.name().is_template()) {
        let message = format!(
            "the template {} blocks the units in its Conflicts as soon as it is submitted",
            unit.name
        );
        let fix = format!("{}.service in place of a template", unit.name().prefix);
        found.note(codes::IGNORED, message, vec![global.clone()], fix);
    }
}

fn unknown(rule: &Rule, found: &mut Found) {
    let plain = |key: &str| key.to_lowercase().replace(['-', '_'], "");
    let own = plain(&rule.text);
    let near = KEYS
        .iter()
        .map(|key| (strsim::damerau_levenshtein(&own, &plain(key)), *key))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, key)| *distance <= 3.min(key.len() / 3));
    let message = format!("fleet knows no `{}` in [{SECTION}]: it does nothing", rule.text);
    match near {
        Some((_, key)) => {
            found.violation(codes::IGNORED, message, vec![rule.at.clone()], format!("{key}="));
        }
        // It is not certain that this is meant as a rule.
        None => found.note(codes::IGNORED, message, vec![rule.at.clone()], "take it out"),
    }
}

fn metadata(unit: &Unit, found: &mut Found) {
    let sample = unit.sample();
    let name = super::names::Name::of(&sample);
    for rule in &unit.rules.metadata {
        let text = name.expand(&rule.text);
        match rule.pair(name) {
            None => {
                let pairs: Vec<String> =
                    rule.text.split_whitespace().map(|pair| format!("MachineMetadata={pair}")).collect();
                let message = format!("fleet silently drops `{}`: it is not one key=value", rule.text);
                let several = pairs.len() > 1 && pairs.iter().all(|pair| pair.matches('=').count() == 2);
                let fix = if several { pairs.join("   ") } else { "MachineMetadata=KEY=VALUE".into() };
                found.violation(codes::IGNORED, message, vec![rule.at.clone()], fix);
            }
            Some((key, _)) if text.contains(|c: char| c.is_whitespace() || c == '"' || c == '%') => {
                let message = format!(
                    "fleet takes `{}` as it is written: no machine has that metadata, so the unit never runs",
                    rule.text
                );
                let fix = format!("MachineMetadata={key}=%i: only %n %N %p %i are expanded");
                found.violation(codes::IGNORED, message, vec![rule.at.clone()], fix);
            }
            Some(_) => {}
        }
    }
}
