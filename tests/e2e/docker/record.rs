//! What a run leaves in the repository: a page for people, and rows for the table of all targets.
//! Both are kept by experiment, so that a part can be run again.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::judge::Told;

/// Writes what was seen beside what other experiments left there.
pub fn write(told: &Told, fleet: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let (page, rows, head) = match fleet {
        true => {
            // The main page has the systemd of Debian bookworm.
            let systemd = told.engine.split([' ', ',']).nth(1).filter(|v| *v != "252");
            let of = systemd.map_or_else(String::new, |v| format!("-systemd-{v}"));
            (format!("FLEET{of}.md"), format!("fleet{of}.json"), head_of_fleet(&told.engine))
        }
        false => {
            let short: Vec<&str> = told.engine.split(['.', '+', '-']).collect();
            // 29 is not released by minor versions here: it is built from a development version.
            let short = if short[0] == "29" { short[0].to_owned() } else { short[..2].join(".") };
            (format!("SWARM-{short}.md"), format!("swarm-{short}.json"), head_of_swarm(&told.engine))
        }
    };
    let page = folder.join("docker").join(page);
    let before = fs::read_to_string(&page).unwrap_or_default();
    fs::write(&page, format!("{head}{}", merged(&before, &told.table, &told.order))).unwrap();
    let rows = folder.join("measured").join(rows);
    let before = fs::read_to_string(&rows).unwrap_or_else(|_| "[]".to_owned());
    let before: Vec<Value> = serde_json::from_str(&before).unwrap();
    let new = told.measured.as_array().unwrap();
    let again = |row: &Value| new.iter().any(|n| n["experiment"] == row["experiment"]);
    let all: Vec<String> = before.iter().filter(|r| !again(r)).chain(new).map(ToString::to_string).collect();
    fs::write(rows, format!("[\n{}\n]\n", all.join(",\n"))).unwrap();
}

/// The sections of `before` with those of `now` in their place, in `order`.
fn merged(before: &str, now: &str, order: &[&str]) -> String {
    let mut text = String::new();
    for name in order {
        let section = |text: &str| {
            let mut all = text.split("\n## ").skip(1);
            all.find(|s| s.lines().next() == Some(name)).map(|s| format!("\n## {}\n", s.trim_end()))
        };
        text += &section(now).or_else(|| section(before)).unwrap_or_default();
    }
    text
}

fn head_of_swarm(engine: &str) -> String {
    format!(
        "\
# What the end-to-end suite saw on Swarm, engine {engine}

Written by `cargo test --test e2e -- swarm --record`; four nodes, a grace of 16 s that
every stop takes to its end. *Claimed* is what berthc's certificate says of the emitted files, *seen*
the longest time for which two containers held the resource. Both were asserted: no overlap where
it is held, an overlap where a gap is named.
"
    )
}

fn head_of_fleet(engine: &str) -> String {
    format!(
        "\
# What the end-to-end suite saw of fleet units

Written by `cargo test --test e2e -- fleet --record`: the units under {engine},
on two machines where they move, a grace of 16 s that every stop takes to its end. *Claimed* is what berthc's
certificate says of the units, *seen* the longest time for which two containers held the resource.
"
    )
}
