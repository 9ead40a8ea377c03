//! The texts that a caller passes to a compile, and the files that a spec may name.

use std::borrow::Cow;
use std::sync::Arc;

use blake3::Hasher;

use crate::text::path::shortest;

/// The name of standard input in messages. Its text decides whether it is TOML or YAML.
pub const STDIN: &str = "<stdin>";

/// What follows the path of a kustomization in the path of an object that was built from it:
/// `db/kustomization.yaml (rendered)/statefulset-db.yaml`.
pub const RENDERED: &str = " (rendered)/";

/// A text and its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path, as messages show it. A path that ends in `.toml` is TOML, all others are YAML.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The specs of a compile. The compile keeps few texts in memory and reads others again; a spec
/// that changed in between is an error. Several threads read at once.
pub trait Specs: Sync {
    /// Returns the number of specs.
    fn count(&self) -> usize;

    /// Returns the path of spec number `index`, as messages show it. A path that ends in `.toml` is
    /// TOML, all others are YAML.
    fn path(&self, index: usize) -> Cow<'_, str>;

    /// Returns the whole text of spec number `index`.
    ///
    /// # Errors
    /// A message for the user.
    fn text(&self, index: usize) -> Result<Cow<'_, str>, String>;
}

impl<T: AsRef<[Input]> + Sync> Specs for T {
    fn count(&self) -> usize {
        self.as_ref().len()
    }

    fn path(&self, index: usize) -> Cow<'_, str> {
        self.as_ref()[index].path.as_str().into()
    }

    fn text(&self, index: usize) -> Result<Cow<'_, str>, String> {
        Ok(self.as_ref()[index].text.as_str().into())
    }
}

/// The source texts of one spec, each with its number.
#[derive(Debug, Clone, Default)]
pub struct Texts(Vec<(usize, Arc<Input>)>);

impl Texts {
    /// Adds text number `index`.
    pub fn add(&mut self, index: usize, text: Arc<Input>) {
        self.0.push((index, text));
    }

    /// Returns the total size in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(_, text)| text.text.len()).sum()
    }

    /// Returns text number `index`.
    pub fn get(&self, index: usize) -> Option<&Input> {
        self.0.iter().find(|(i, _)| *i == index).map(|(_, text)| &**text)
    }
}

/// A BLAKE3 digest of the inputs.
pub type Digest = [u8; blake3::OUT_LEN];

/// Adds a list of texts to `digest`. The length of the list and of each text come first, so that
/// different lists never produce the same bytes.
pub fn feed<T: AsRef<[u8]>>(digest: &mut Hasher, list: &[T]) {
    let count = |n: usize| (n as u64).to_le_bytes();
    digest.update(&count(list.len()));
    for text in list {
        let text = text.as_ref();
        digest.update(&count(text.len())).update(text);
    }
}

/// Reads the files that specs name: a `base`, and the text behind `files: { …: { from } }`. The
/// library itself reads no files. Several threads read at once.
pub trait Files: Sync {
    /// Returns the bytes of the file at `path`. The path is in its shortest form: a `..` removes
    /// the component before it, even if that component is a link.
    ///
    /// # Errors
    /// A message for the user.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// Resolves `path` relative to the folder of the file `spec`, in its shortest form.
pub fn beside(spec: &str, path: &str) -> String {
    let folder = spec.rfind('/').map_or("", |slash| &spec[..=slash]);
    shortest(&format!("{folder}{path}"))
}
