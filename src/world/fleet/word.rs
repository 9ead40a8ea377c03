//! The words and commands of an Exec line, and how much of them is read.

/// The highest number of bytes that the variables of one Exec line may expand to.
const BYTES: usize = 1 << 20;
/// The deepest nesting of shells, and of programs that only run another one.
pub const DEEPEST: usize = 8;

/// A word as the program receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text. Unknown parts stay as they are written, so equal texts are equal values.
    pub text: String,
    /// Whether all of it is known.
    pub known: bool,
    /// Whether it is an unknown variable without quotes, which may become any number of words.
    pub several: bool,
    /// The line of the file where it begins.
    pub line: usize,
}

impl Word {
    /// Makes a known word.
    pub fn new(text: impl Into<String>, line: usize) -> Self {
        Self { text: text.into(), known: true, several: false, line }
    }

    /// Makes a word that only the machine knows.
    pub fn unknown(text: impl Into<String>, line: usize) -> Self {
        Self { known: false, ..Self::new(text, line) }
    }

    /// Returns the file name in a path.
    pub fn base(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

/// A program with its arguments.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The words, the program first.
    pub words: Vec<Word>,
    /// The file on which `flock` runs it.
    pub flock: Option<Word>,
    /// Whether the script continues while it runs, because `&` follows it.
    pub background: bool,
}

/// What an Exec line runs.
#[derive(Debug, Default)]
pub struct Ran {
    /// The commands, in order. Branches and loops count as if each part ran once.
    pub commands: Vec<Command>,
    /// A part that is not understood.
    pub unread: Option<String>,
    spent: usize,
}

impl Ran {
    /// Counts the expanded bytes; `None` if there are too many.
    pub fn spend(&mut self, bytes: usize) -> Option<()> {
        self.spent = self.spent.saturating_add(bytes);
        (self.spent <= BYTES).then_some(())
    }
}

/// Returns whether it is a valid name of a variable.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
