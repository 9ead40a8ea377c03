//! What runs in a container, and the files and secrets that it gets.

use crate::spec::source::Route;
use crate::value::{Fault, SECRETS, Uses};

/// A value that may hold expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text as written.
    pub text: String,
    /// The names that it uses, or the error of its syntax, which is reported once.
    pub uses: Result<Uses, Fault>,
    /// The place in the spec.
    pub route: Route,
    /// Whether each turn of its loop makes a word of its own, see [`crate::value::each`].
    pub each: bool,
}

/// A container: the member itself, or a helper.
#[derive(Debug, Clone)]
pub struct Program {
    /// The image reference.
    pub image: String,
    /// The command that replaces the entrypoint.
    pub command: Vec<Template>,
    /// The arguments.
    pub args: Vec<Template>,
    /// The environment, in order.
    pub env: Vec<(String, Template)>,
    /// The user id and the group id.
    pub user: Option<User>,
    /// The CPU and memory.
    pub resources: Resources,
}

/// A user, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: Option<u32>,
}

/// CPU and memory, as request and limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// A file that is mounted into the container.
#[derive(Debug, Clone)]
pub struct File {
    /// The absolute path in the container.
    pub path: String,
    /// The text, with the place of `content` or `from`.
    pub content: Template,
    /// Whether the text is rendered.
    pub template: bool,
    /// The permissions.
    pub mode: u32,
    /// The route `files.PATH`.
    pub route: Route,
}

impl File {
    /// Returns whether its text may differ from member to member.
    pub fn names_member(&self) -> bool {
        self.template && self.content.uses.as_ref().is_ok_and(|uses| !uses.member.is_empty())
    }
}

/// A reference to a secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name in values: `secret('NAME')`.
    pub name: String,
    /// The part of the reference before the slash.
    pub object: String,
    /// The part after it.
    pub key: String,
    /// The version of the secret on Swarm.
    pub version: Option<String>,
    /// The absolute path in the container.
    pub path: String,
    /// The permissions, if the spec gives them.
    pub mode: Option<u32>,
    /// The owner, if the spec gives one.
    pub owner: Option<User>,
}

impl Secret {
    /// Returns whether the spec gives the permissions or the owner of the file.
    pub fn exact(&self) -> bool {
        self.mode.is_some() || self.owner.is_some()
    }

    /// Returns whether the file lies at its usual place, in [`SECRETS`].
    pub fn at_home(&self) -> bool {
        self.path.strip_prefix(SECRETS).and_then(|rest| rest.strip_prefix('/')) == Some(&self.name)
    }

    /// Returns owner and permissions of an exact file, in a container that runs as `user`.
    pub fn permissions(&self, user: Option<User>) -> (User, u32) {
        let owner = self.owner.or(user).unwrap_or(User { uid: 0, gid: Some(0) });
        (owner, self.mode.unwrap_or(0o400))
    }
}
