//! What a reader knows besides the files.

use crate::images::Images;

/// What a reader knows besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The images.
    pub images: &'k Images,
    /// Further kinds of Kubernetes that start no pods with data: `GROUP`, or `GROUP/KIND`.
    pub quiet: &'k [String],
    /// What runs a file with services.
    pub runner: Runner,
}

/// What runs a file with services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Runner {
    /// What the keys of the file show; without any sign, Swarm.
    #[default]
    Evident,
    /// Swarm: the file is a stack file.
    Swarm,
    /// docker compose, on one machine.
    Compose,
}

impl<'k> Known<'k> {
    /// Returns what is known of files that berthc writes: a file with services is a stack file.
    pub fn of_stacks(images: &'k Images) -> Self {
        Self { runner: Runner::Swarm, ..images.into() }
    }
}

impl<'k> From<&'k Images> for Known<'k> {
    fn from(images: &'k Images) -> Self {
        Self { images, quiet: &[], runner: Runner::Evident }
    }
}
