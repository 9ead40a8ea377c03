//! One container, as the table of images is asked about it.

/// What a file says of one container.
#[derive(Debug, Default, Clone)]
pub struct Container<'c> {
    /// The image as it is written.
    pub image: &'c str,
    /// Entrypoint and arguments, as far as they are given.
    pub command: Vec<&'c str>,
    /// Variables; without a value where only the machine knows it.
    pub env: Vec<(&'c str, Option<&'c str>)>,
    /// Ports of the container that the file names.
    pub ports: Vec<u16>,
    /// Where something is mounted.
    pub targets: Vec<&'c str>,
    /// What the container, the service or the unit is called.
    pub names: Vec<&'c str>,
}
