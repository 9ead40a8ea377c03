//! One container, as input for a lookup in the table of images.

/// The facts that a file gives about one container.
#[derive(Debug, Default, Clone)]
pub struct Container<'c> {
    /// The image, as written.
    pub image: &'c str,
    /// The entrypoint and the arguments, if the file gives them.
    pub command: Vec<&'c str>,
    /// Whether the file gives every variable and every argument, and leaves the entrypoint to the image.
    pub whole: bool,
    /// The variables; `None` for a value that only the machine knows.
    pub env: Vec<(&'c str, Option<&'c str>)>,
    /// Whether it has variables whose values, or names, another file has.
    pub more_env: bool,
    /// The ports of the container that the file names.
    pub ports: Vec<u16>,
    /// The paths of its mounts.
    pub targets: Vec<&'c str>,
    /// The names of the container, the service or the unit.
    pub names: Vec<&'c str>,
}
