//! The rows of the table. A row of a built-in file is parsed when a container needs it: a run needs
//! few of them.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::schema::Image;

/// An image or a software, with the two fields that rows are searched by.
#[derive(Debug)]
pub struct Row<T> {
    /// The software.
    pub software: Cow<'static, str>,
    /// The names of the image, or the words of the software.
    pub names: Vec<Cow<'static, str>>,
    /// The text of the row; empty for an image of a project.
    text: &'static str,
    parsed: OnceLock<Result<T, String>>,
}

impl<T: DeserializeOwned> Row<T> {
    /// Returns a row with this text. `software` and `names` are the keys of the fields of this type. Such a
    /// key and its values stand on one line.
    pub fn new(text: &'static str, software: &str, names: &str) -> Self {
        let has = |line: &str, key: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(' '));
        let line = |key: &str| text.lines().find(|line| has(line, key));
        // The texts between quotes.
        let texts = |key: &str| line(key).unwrap_or_default().split('"').skip(1).step_by(2);
        Self {
            software: Cow::Borrowed(texts(software).next().unwrap_or_default()),
            names: texts(names).map(Cow::Borrowed).collect(),
            text,
            parsed: OnceLock::new(),
        }
    }

    /// Returns the lines of a built-in row, as keys and the texts of their values. Other rows have none.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text.lines().filter_map(|line| line.split_once(" = "))
    }

    /// Returns the whole row.
    ///
    /// # Errors
    ///
    /// If the text is not a valid row.
    pub fn read(&self) -> Result<&T, &str> {
        let parse = || toml::from_str(self.text).map_err(|e| format!("{e} in {}", self.text));
        self.parsed.get_or_init(parse).as_ref().map_err(String::as_str)
    }

    /// Returns the whole row; `None` if its text is not valid, which a test excludes.
    pub fn get(&self) -> Option<&T> {
        self.read().ok()
    }
}

impl From<Image> for Row<Image> {
    fn from(image: Image) -> Self {
        Self {
            software: Cow::Owned(image.software.clone()),
            names: image.names.iter().map(|name| Cow::Owned(name.0.clone())).collect(),
            text: "",
            parsed: OnceLock::from(Ok(image)),
        }
    }
}
