//! Reads units as systemd does (systemd.syntax(7), systemd.service(5) "Command lines",
//! systemd.unit(5) "Specifiers"), and `docker run` as its client does.

/// The hostname of the machine.
pub const HOST: &str = "node-7.example";

/// Returns the values of `key`, with continuation lines joined by a blank.
pub fn values(unit: &str, key: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = unit.lines();
    while let Some(line) = lines.next() {
        if line.starts_with(['#', ';', '[']) || line.is_empty() {
            continue;
        }
        let mut whole = line.to_owned();
        while let Some(start) = whole.strip_suffix('\\') {
            whole = format!("{start} {}", lines.next().unwrap());
        }
        let (name, value) = whole.split_once('=').unwrap();
        if name == key {
            all.push(value.trim().to_owned());
        }
    }
    all
}

/// Returns the only value of `key`.
pub fn value(unit: &str, key: &str) -> String {
    let all = values(unit, key);
    assert_eq!(all.len(), 1, "{key} of {unit}");
    all[0].clone()
}

/// Returns the words of a command line, as the process gets them.
pub fn words(line: &str) -> Vec<String> {
    split(line).iter().map(|w| variables(&specifiers(w))).collect()
}

/// Splits a line into words, without quotes and with resolved escapes.
fn split(line: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut bytes: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let put = |bytes: &mut Option<Vec<u8>>, c: char| {
            bytes.get_or_insert_default().extend(c.encode_utf8(&mut [0; 4]).as_bytes());
        };
        match (c, quote) {
            ('\\', _) => match chars.next().unwrap() {
                'n' => put(&mut bytes, '\n'),
                't' => put(&mut bytes, '\t'),
                'r' => put(&mut bytes, '\r'),
                'x' => bytes.get_or_insert_default().push(hex(&mut chars, 2) as u8),
                'u' => put(&mut bytes, char::from_u32(hex(&mut chars, 4)).unwrap()),
                'U' => put(&mut bytes, char::from_u32(hex(&mut chars, 8)).unwrap()),
                c @ ('\\' | '"' | '\'') => put(&mut bytes, c),
                c => panic!("\\{c} is no escape"),
            },
            (c, Some(q)) if c == q => quote = None,
            (_, Some(_)) => put(&mut bytes, c),
            ('"' | '\'', None) => {
                // systemd ends a word only at a blank, so quotes must enclose whole words.
                assert!(bytes.is_none(), "{line}");
                quote = Some(c);
                bytes.get_or_insert_default();
            }
            (' ' | '\t', None) => all.extend(bytes.take().map(|b| String::from_utf8(b).unwrap())),
            (';', None) => panic!("a bare ; in {line}"),
            _ => put(&mut bytes, c),
        }
    }
    assert!(quote.is_none(), "{line}");
    all.extend(bytes.take().map(|b| String::from_utf8(b).unwrap()));
    all
}

fn hex(chars: &mut impl Iterator<Item = char>, digits: usize) -> u32 {
    (0..digits).fold(0, |n, _| n * 16 + chars.next().unwrap().to_digit(16).unwrap())
}

/// Expands `%%` and `%H`; berthc emits no other specifier.
fn specifiers(word: &str) -> String {
    let mut out = String::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('%') => out.push('%'),
                Some('H') => out.push_str(HOST),
                other => panic!("%{other:?} in {word}"),
            },
            c => out.push(c),
        }
    }
    out
}

/// Expands `$$`. A variable would expand to nothing.
fn variables(word: &str) -> String {
    let rest = word.replace("$$", "");
    assert!(!rest.contains('$'), "{word}");
    word.replace("$$", "$")
}

/// A `docker run` command that was read back.
#[derive(Debug, Default, PartialEq)]
pub struct Docker {
    /// The options with their values, in order; the value is empty for an option without one.
    pub options: Vec<(String, String)>,
    pub image: String,
    pub args: Vec<String>,
}

impl Docker {
    pub fn all(&self, option: &str) -> Vec<&str> {
        self.options.iter().filter(|(o, _)| o == option).map(|(_, v)| v.as_str()).collect()
    }

    pub fn one(&self, option: &str) -> &str {
        let all = self.all(option);
        assert_eq!(all.len(), 1, "{option} of {self:?}");
        all[0]
    }

    pub fn has(&self, option: &str) -> bool {
        !self.all(option).is_empty()
    }

    pub fn env(&self, name: &str) -> Option<String> {
        let start = format!("{name}=");
        self.all("-e").iter().find_map(|e| e.strip_prefix(&start)).map(ToOwned::to_owned)
    }

    pub fn read(words: &[String]) -> Self {
        let mut words = words.iter().cloned();
        assert_eq!(words.next().as_deref(), Some("/usr/bin/docker"));
        assert_eq!(words.next().as_deref(), Some("run"));
        let mut docker = Self::default();
        while let Some(word) = words.next() {
            if !word.starts_with('-') {
                docker.image = word;
                docker.args = words.collect();
                return docker;
            }
            let value = if word == "--rm" { String::new() } else { words.next().unwrap() };
            docker.options.push((word, value));
        }
        panic!("no image");
    }
}

/// Returns the container that a unit starts.
pub fn docker(unit: &str) -> Docker {
    Docker::read(&words(&value(unit, "ExecStart")))
}

/// Returns the values of `[X-Fleet]`, as `Key=value`.
pub fn x_fleet(unit: &str) -> Vec<&str> {
    unit.split_once("[X-Fleet]\n").unwrap().1.lines().collect()
}
