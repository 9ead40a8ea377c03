//! A file to read, before it is read.

/// A file to read.
#[derive(Debug, Clone, Copy)]
pub struct File<'f> {
    /// The path, as messages show it. Its extension distinguishes units from YAML.
    pub path: &'f str,
    /// The whole text.
    pub text: &'f str,
}
