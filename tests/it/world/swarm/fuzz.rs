//! Tests that reading ends soon for every file.

use berthc::images::Images;

use super::*;
use crate::harness::{self, Random};
use crate::hostile;

const PIECES: [&str; 26] = [
    "{{",
    "}}",
    "${",
    "}",
    "$",
    ":",
    "::",
    "-",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "~",
    "é",
    "{{.Task.Slot}}",
    "65535",
    "replicas: 4000000000",
    "mode: global",
    "\u{0}",
    "---\n",
];

fn mutate(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(6) {
        let mut at = || {
            let mut at = random.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (a, b) = (at(), at());
        let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 40));
        let b = (a..=b).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(a);
        match random.below(3) {
            0 => text.replace_range(a..b, PIECES[random.below(PIECES.len())]),
            1 => text.insert_str(a, PIECES[random.below(PIECES.len())]),
            _ => {
                let copy = text[a..b].to_owned();
                text.insert_str(a, &copy);
            }
        }
    }
    text
}

#[test]
fn changed_stack_files_and_random_text_never_panic() {
    let mut random = Random(0x5eed_cafe_f00d);
    let trees = emitted::trees();
    let stacks: Vec<&str> = trees
        .iter()
        .flatten()
        .filter(|(p, _)| p.contains("/swarm/"))
        .map(|(_, text)| text.as_str())
        .collect();
    for round in 0..600 {
        let text = if round % 4 == 3 {
            (0..random.below(200)).map(|_| PIECES[random.below(PIECES.len())]).collect()
        } else {
            mutate(stacks[random.below(stacks.len())], &mut random)
        };
        let other = mutate(stacks[random.below(stacks.len())], &mut random);
        let files = [File { path: "a.yml", text: &text }, File { path: "b.yml", text: &other }];
        let world = swarm::read(&files, Images::builtin(), berthc::world::Runner::Evident);
        for finding in &world.findings {
            assert!(!finding.at.is_empty() && finding.at.iter().all(|a| a.line > 0), "{finding:?}");
        }
    }
}

#[test]
fn a_world_grows_with_its_stack_file() {
    harness::grows_with_its_text(read, hostile::stacks);
    for text in hostile::stacks(4) {
        let mounts = |w: &Workload| w.members.iter().map(|m| m.mounts.len() + m.others.len()).sum::<usize>();
        for workload in read(&text).workloads {
            assert!(workload.members.len() <= 64 && mounts(&workload) <= 4096, "{}", workload.name);
        }
    }
}
