//! No file makes the reader panic, hang or grow without bound.

use super::{emitted, read};
use crate::harness::{self, Random};
use crate::hostile;

const PIECES: [&str; 48] = [
    "$(",
    "`",
    "$((",
    "))",
    "${",
    "}",
    "$@",
    "$0",
    "$X",
    "$$",
    "%i",
    "%",
    "%%",
    "%H",
    "\"",
    "'",
    "\\",
    "\\\n",
    "\n",
    "\n[X-Fleet]\n",
    "\n[Service]\n",
    "]",
    "[",
    "=",
    ";",
    " ; ",
    "|",
    "&&",
    ">",
    "2>&1",
    "#",
    "docker run ",
    "docker kill a",
    "/bin/sh -c '",
    "-v ",
    "-p 1-65535:1-65535 ",
    "--mount ",
    "type=bind,",
    "--name a ",
    "xargs ",
    "Conflicts=",
    "a@*.service",
    "[a-",
    "*",
    "MachineOf=%n\n",
    "\0",
    "é😀",
    "\u{2028}",
];

fn bend(random: &mut Random, text: &str, other: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let other: Vec<char> = other.chars().collect();
    for _ in 0..=random.below(6) {
        let at = random.below(chars.len());
        match random.below(4) {
            0 => drop(chars.drain(at..(at + random.below(60)).min(chars.len()))),
            1 => drop(chars.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
            2 => {
                let from = random.below(other.len());
                let until = (from + random.below(200)).min(other.len());
                drop(chars.splice(at..at, other[from..until].iter().copied()));
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
fn changed_units_never_panic_or_hang() {
    let corpus = emitted("specs");
    let mut random = Random(0x0F1E_E7BE_2C05_EED5);
    for _ in 0..2000 {
        let pick = |random: &mut Random| corpus[random.below(corpus.len())].clone();
        let (path, text) = pick(&mut random);
        let (next, other) = pick(&mut random);
        if next == path {
            continue;
        }
        let soup: String = (0..random.below(40)).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let files = [
            (path.clone(), bend(&mut random, &text, &other)),
            (next, other),
            (format!("{path}.d/1.conf"), soup.clone()),
            (
                "soup@.service".to_owned(),
                format!("[Service]\nExecStart=/bin/sh -c '{soup}\n[X-Fleet]\n{soup}"),
            ),
        ];
        let world = read(&files);
        for at in world.findings.iter().flat_map(|f| &f.at).chain(world.unread.iter().map(|u| &u.at)) {
            let (_, text) = files.iter().find(|(path, _)| *path == *at.file).unwrap();
            assert!(at.line >= 1 && at.line <= text.split('\n').count(), "{at:?} of\n{text}");
        }
    }
}

#[test]
fn a_world_grows_with_its_units() {
    harness::grows_with_its_text(|unit| read(&[("b@.service", unit), ("a@.service", unit)]), hostile::units);
}
