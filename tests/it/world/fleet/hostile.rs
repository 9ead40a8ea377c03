//! No file makes the reader panic, hang or grow without bound.

use std::time::{Duration, Instant};

use super::{emitted, read};

/// xorshift: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

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
fn bent_units_never_panic_or_hang() {
    let corpus = emitted("specs");
    let mut random = Random(0x0F1E_E7BE_2C05_EED5);
    let begun = Instant::now();
    let mut tried = 0;
    while tried < 3000 && begun.elapsed() < Duration::from_secs(60) {
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
        let start = Instant::now();
        let world = read(&files);
        assert!(start.elapsed() < Duration::from_secs(5), "{files:#?}");
        for at in world.findings.iter().flat_map(|f| &f.at).chain(world.unread.iter().map(|u| &u.at)) {
            let (_, text) = files.iter().find(|(path, _)| *path == *at.file).unwrap();
            assert!(at.line >= 1 && at.line <= text.split('\n').count(), "{at:?} of\n{text}");
        }
        tried += 1;
    }
    assert!(tried > 300, "only {tried} were tried");
}

#[test]
fn bombs_are_read_quickly() {
    let lines = |line: &str, n: usize| format!("{line} \\\n").repeat(n);
    let numbered =
        |line: &str, n: usize| (0..n).map(|i| line.replace('#', &i.to_string())).collect::<String>();
    let script = |text: &str| format!("[Service]\nExecStart=/bin/sh -c '{text}'\n");
    let doubling: String = (0..60).map(|i| format!("a{}=$a{i}$a{i}; \\\n", i + 1)).collect();
    let many: String = (0..20_000).map(|i| format!("v{i}=$(x) \\\n; ")).collect();
    let stars = format!("{}x.service", "*a".repeat(900));
    let bombs = [
        script(&format!("a0=xxxxxxxx; \\\n{doubling} docker run -v $a60:/d img")),
        script(&many),
        script(&lines("$(($(($((", 5000)),
        script(&lines("$(a $(b", 5000)),
        script(&lines("\"$(", 20_000)),
        script(&lines("sh -c sh -c", 20_000)),
        script(&lines("if nohup env", 40_000)),
        script(&lines("``", 40_000)),
        format!(
            "[Service]\nEnvironment=A={}\nExecStart=docker \\\n{}",
            lines("x", 900),
            lines("${A}${A}${A}", 9000)
        ),
        format!("[Service]\nExecStart=docker run \\\n{} img", lines("-p 1-65535:1-65535", 20_000)),
        format!("[Service]\nExecStart=docker run \\\n{} img", lines("-v a:b", 40_000)),
        format!("[X-Fleet]\nConflicts={}\n", lines(&stars, 400)),
        format!("[X-Fleet]\n{}", format!("Conflicts={stars}\n").repeat(400)),
        format!("[X-Fleet]\n{}", "MachineMetadata=a=b\n".repeat(20_000)),
        format!("[X-Fleet]\n{}", numbered("MachineMetadata=k#=v\n", 10_000)),
        format!("[X-Fleet]\n{}", numbered("MachineOf=a@#.service\nConflicts=x#*.service\n", 1000)),
        "[A]\na=b\n".repeat(100_000),
        format!("[A]\n{}", "#\\\n".repeat(300_000)),
    ];
    for bomb in bombs {
        let start = Instant::now();
        let _ = read(&[("b@.service", bomb.as_str()), ("a@.service", bomb.as_str())]);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?} for {}", &bomb[..bomb.len().min(80)]);
    }
}
