//! Glob patterns of Go's `path.Match`, with which fleet selects units (`agent/state.go`). A pattern
//! matches the whole name, suffix included.

/// Returns whether `pattern` matches `name`. A malformed pattern matches nothing.
pub fn matches(pattern: &str, name: &str) -> bool {
    Glob::parse(pattern).is_some_and(|glob| glob.matches(name))
}

/// One element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// `*`: any number of characters.
    Star,
    /// `?`
    Any,
    Char(char),
    /// `[a-c]`; `true` means `[^a-c]`.
    Class(bool, Vec<(char, char)>),
}

impl Term {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Star | Self::Any => c != '/',
            Self::Char(own) => c == *own,
            Self::Class(not, spans) => spans.iter().any(|(a, z)| (*a..=*z).contains(&c)) != *not,
        }
    }

    /// Returns whether some character of a unit name matches both.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Char(c), term) | (term, Self::Char(c)) => term.takes(*c),
            (Self::Star | Self::Any, Self::Star | Self::Any) => true,
            _ => ('-'..='z').any(|c| self.takes(c) && other.takes(c) && super::unit::name_character(c)),
        }
    }
}

/// A well-formed pattern.
#[derive(Debug, Clone)]
pub struct Glob(Vec<Term>);

impl Glob {
    /// Parses a pattern. `None` is Go's `path.ErrBadPattern`; fleet ignores such a pattern
    /// silently.
    pub fn parse(pattern: &str) -> Option<Self> {
        let (mut terms, mut chars) = (Vec::new(), pattern.chars().peekable());
        while let Some(c) = chars.next() {
            terms.push(match c {
                // Two stars in a row are one.
                '*' if terms.last() == Some(&Term::Star) => continue,
                '*' => Term::Star,
                '?' => Term::Any,
                '[' => class(&mut chars)?,
                '\\' => Term::Char(chars.next()?),
                c => Term::Char(c),
            });
        }
        terms.shrink_to_fit();
        Some(Self(terms))
    }

    /// Makes a pattern that matches only `name`.
    pub fn literal(name: &str) -> Self {
        Self(name.chars().map(Term::Char).collect())
    }

    /// Returns whether it requires a character that no unit name contains.
    pub fn foreign(&self) -> bool {
        self.0.iter().any(|term| matches!(term, Term::Char(c) if !super::unit::name_character(*c)))
    }

    /// Returns the only name that it matches, if it has no wildcard.
    pub fn only(&self) -> Option<String> {
        self.0.iter().map(|term| if let Term::Char(c) = term { Some(*c) } else { None }).collect()
    }

    /// Returns the common prefix of all names that it matches.
    pub fn start(&self) -> String {
        self.0.iter().map_while(|term| if let Term::Char(c) = term { Some(*c) } else { None }).collect()
    }

    /// Returns whether it matches `name`.
    pub fn matches(&self, name: &str) -> bool {
        name.starts_with(&self.start()) && self.meets(&Self::literal(name))
    }

    /// Returns whether some name matches both.
    pub fn meets(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        // A name has at most 256 characters, and stars are never adjacent.
        if ours.len().max(theirs.len()) > 2 * 256 + 1 {
            return false;
        }
        // Most patterns differ at one end, where both have no star.
        while let ([own, our_rest @ ..], [their, their_rest @ ..]) = (ours, theirs)
            && *own != Term::Star
            && *their != Term::Star
        {
            if !own.meets(their) {
                return false;
            }
            (ours, theirs) = (our_rest, their_rest);
        }
        while let ([our_rest @ .., own], [their_rest @ .., their]) = (ours, theirs)
            && *own != Term::Star
            && *their != Term::Star
        {
            if !own.meets(their) {
                return false;
            }
            (ours, theirs) = (our_rest, their_rest);
        }
        // Dynamic programming over the remaining elements of both patterns.
        let mut below: Vec<bool> = (0..=theirs.len()).map(|j| all_stars(&theirs[j..])).collect();
        for (i, own) in ours.iter().enumerate().rev() {
            let mut row = vec![false; theirs.len() + 1];
            row[theirs.len()] = all_stars(&ours[i..]);
            for (j, their) in theirs.iter().enumerate().rev() {
                row[j] = match (own, their) {
                    (Term::Star, Term::Star) => below[j] || row[j + 1],
                    (Term::Star, their) => below[j] || Term::Star.meets(their) && row[j + 1],
                    (own, Term::Star) => row[j + 1] || own.meets(&Term::Star) && below[j],
                    (own, their) => own.meets(their) && below[j + 1],
                };
            }
            below = row;
        }
        below[0]
    }
}

fn all_stars(terms: &[Term]) -> bool {
    terms.iter().all(|t| *t == Term::Star)
}

type Chars<'c> = std::iter::Peekable<std::str::Chars<'c>>;

fn class(chars: &mut Chars<'_>) -> Option<Term> {
    let not = chars.next_if_eq(&'^').is_some();
    let mut spans = Vec::new();
    while spans.is_empty() || chars.next_if_eq(&']').is_none() {
        let from = class_char(chars)?;
        let until = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { from };
        spans.push((from, until));
    }
    Some(Term::Class(not, spans))
}

fn class_char(chars: &mut Chars<'_>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}
