//! What a reader knows besides the files.

use crate::images::Images;

/// What a reader knows besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The images.
    pub images: &'k Images,
    /// Further kinds of Kubernetes that start no pods with data: `GROUP`, or `GROUP/KIND`.
    pub quiet: &'k [String],
}

impl<'k> From<&'k Images> for Known<'k> {
    fn from(images: &'k Images) -> Self {
        Self { images, quiet: &[] }
    }
}
