//! No input makes the compiler panic, hang or grow without bound. Real specs, bad specs and
//! starters are cut, joined and changed at random, always in the same way.

use berthc::Options;

use crate::harness::{self, Random, root, walk};

const PIECES: [&str; 40] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{{ member.id }}",
    "{{ members }}",
    "{{ member }}",
    "{{ peers('db') }}",
    "\"",
    "'",
    "\n",
    "\n  ",
    ": ",
    " #",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "%n",
    "$$",
    "${X}",
    "\\",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "😀",
    "\0",
    "\u{F8F0}id\u{F8F1}",
    "&a ",
    "*a",
    "!!int ",
    "<<: ",
    "---\n",
    "1e999",
    "0x",
    "-9223372036854775809",
    "~",
    "|\n",
];

fn corpus() -> Vec<(String, String)> {
    ["specs", "tests/bad", "templates/init"]
        .iter()
        .flat_map(|dir| walk(&root().join(dir)))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
        .map(|p| {
            (p.extension().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap())
        })
        .collect()
}

pub fn bend(random: &mut Random, text: &str, other: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(chars.len());
        match random.below(5) {
            0 => {
                let end = (at + random.below(30)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let theirs: Vec<char> = other.chars().collect();
                let from = random.below(theirs.len());
                let until = (from + random.below(80)).min(theirs.len());
                chars.splice(at..at, theirs[from..until].iter().copied());
            }
            3 => {
                let end = (at + random.below(60)).min(chars.len());
                let copy: Vec<char> = chars[at.min(end)..end].to_vec();
                chars.splice(at..at, copy);
            }
            _ => {
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from_u32(random.below(0x3000) as u32).unwrap_or('x');
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn changed_specs_never_panic_or_hang() {
    let corpus = corpus();
    let mut random = Random(0x5EED_0BE2_74C0_FFEE);
    for _ in 0..3000 {
        let (kind, text) = &corpus[random.below(corpus.len())];
        let other = &corpus[random.below(corpus.len())].1;
        let bent = bend(&mut random, text, other);
        let path = format!("bent.{kind}");
        let (_, found) = harness::compile_with(&[(&path, &bent)], &Options::default());
        for d in &found {
            assert!(
                d.place.end <= bent.len().max(1) + 1,
                "{}: {:?} is outside of\n{bent}",
                d.message,
                d.place
            );
        }
    }
}

/// The codes of a value that is too long, or whose syntax could make it so.
const REFUSED: [&str; 2] = ["value-too-long", "value-forbidden"];

#[test]
fn values_are_short_or_refused() {
    for spec in crate::hostile::specs(4) {
        let (tree, found) = harness::compile(&[("db.yaml", &spec)]);
        match tree {
            Some(tree) => assert!(tree.values().map(String::len).sum::<usize>() < 1 << 20),
            None => assert!(found.iter().all(|d| REFUSED.contains(&&*d.code)), "{found:?}"),
        }
    }
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "a:\n ".repeat(3000),
    ] {
        assert!(harness::compile(&[("db.yaml", &text)]).0.is_none());
        assert!(harness::compile(&[("db.toml", &text)]).0.is_none());
    }
    let tables: String = (0..5000).map(|i| format!("[a{}]\n", ".a".repeat(i % 200))).collect();
    assert!(harness::compile(&[("db.toml", &tables)]).0.is_none());
}
