//! What an Exec line runs: words, commands, and how much of them is read.

/// Most bytes that one Exec line's variables may become.
const BYTES: usize = 1 << 20;
/// Most shells within one another, and most programs that only run another.
pub const DEEPEST: usize = 8;

/// A word as the program gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is not known stands as it is written: equal texts are equal values.
    pub text: String,
    /// All of it is known.
    pub known: bool,
    /// The line of the file where it begins.
    pub line: usize,
}

impl Word {
    /// A word that is known.
    pub fn new(text: impl Into<String>, line: usize) -> Self {
        Self { text: text.into(), known: true, line }
    }

    /// The file's name in a path.
    pub fn base(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

/// A program with its arguments.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program first.
    pub words: Vec<Word>,
    /// It runs under `flock` on this file.
    pub flock: Option<Word>,
}

/// What an Exec line runs.
#[derive(Debug, Default)]
pub struct Ran {
    /// In order; branches and loops are taken as if each part ran once.
    pub commands: Vec<Command>,
    /// A part that is not understood.
    pub unread: Option<String>,
    spent: usize,
}

impl Ran {
    /// Counts what is expanded; `None` when that is too much.
    pub fn spend(&mut self, bytes: usize) -> Option<()> {
        self.spent = self.spent.saturating_add(bytes);
        (self.spent <= BYTES).then_some(())
    }
}

/// Whether it is a variable's name.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
