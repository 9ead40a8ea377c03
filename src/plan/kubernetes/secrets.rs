//! Plans how secrets become files.

use std::collections::BTreeSet;

use super::objects::{Container, Mount, SecretFile, SecretSource, Secrets, Volume};
use super::{container, values};
use crate::model::{Helper, Secret, User, Workload};
use crate::value::{Part, SECRETS};

/// Where the init containers find the secrets, and where they copy them.
const FROM: &str = "/run/berth/secrets";
const TO: &str = "/run/berth/copies";
/// The size of the memory volume for one secret: the most that a Secret holds (kubernetes
/// `pkg/apis/core/validation`, `MaxSecretSize`).
const MEBIBYTES: usize = 1;

/// The names of volumes. Data volumes keep the names of the spec; other volumes get free names.
pub struct Names(BTreeSet<String>);

impl Names {
    /// Makes names of which `taken` are taken.
    pub fn new(taken: impl IntoIterator<Item = String>) -> Self {
        Self(taken.into_iter().collect())
    }

    /// Returns `name`, with a prefix if it is taken.
    pub fn take(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while !self.0.insert(name.clone()) {
            name.insert_str(0, "berth-");
        }
        name
    }
}

/// The secrets that a pod needs as files.
pub struct Wanted<'w> {
    /// Those of the member.
    own: Vec<&'w Secret>,
    /// Those of each helper, in order.
    helpers: Vec<Vec<&'w Secret>>,
    /// Whether the volumes of the pod get a group.
    pub fs_group: bool,
}

/// The mounts of secrets.
pub struct Planned {
    /// Those of the member.
    pub mounts: Vec<Mount>,
    /// Those of each helper, in order.
    pub helpers: Vec<Vec<Mount>>,
    /// The init containers that copy secrets.
    pub copies: Vec<Container>,
}

/// Returns the secrets that the member and its helpers read from files.
pub fn wanted<'w>(
    w: &'w Workload,
    own: &values::Rendered,
    helpers: &[(&'w Helper, values::Rendered)],
    files: &[&str],
) -> Wanted<'w> {
    let own = of_workload(w, own, helpers, files);
    let helpers = helpers.iter().map(|(_, rendered)| secrets_of(&own, rendered)).collect();
    Wanted { own, helpers, fs_group: false }
}

/// Secrets that an init container copies into a memory volume.
struct Copy<'w> {
    owner: User,
    mode: u32,
    volume: String,
    secrets: Vec<&'w Secret>,
}

impl<'w> Wanted<'w> {
    /// Returns whether a secret can be read only by the group of the volumes.
    pub fn by_group(&self) -> bool {
        self.own.iter().any(|secret| !secret.exact())
    }

    /// Returns whether an init container must copy `secret` for a container that runs as `user`. The
    /// kubelet gives the files of a Secret to root, and lets the group of the volumes read them whatever
    /// their mode is (kubernetes `pkg/volume/volume_linux.go`, `roMask`). It does not change a memory
    /// volume after the first set-up (`pkg/volume/emptydir/empty_dir.go`, `SetUpAt`).
    fn copied(&self, secret: &Secret, user: Option<User>) -> bool {
        secret.exact() && (self.fs_group || secret.permissions(user).0.uid > 0)
    }

    /// Plans the volumes and mounts.
    pub fn plan(&self, w: &Workload, names: &mut Names, volumes: &mut Vec<Volume>) -> Planned {
        let copies = self.copies(w, names);
        let mounts = self.mounts(&self.own, w.program.user, &copies, &names.take("secrets"), volumes);
        let mut helpers = Vec::new();
        for (helper, all) in w.helpers.iter().zip(&self.helpers) {
            let volume = names.take(&format!("secrets-{}", helper.name));
            helpers.push(self.mounts(all, helper.program.user, &copies, &volume, volumes));
        }
        let copies = init_containers(w, copies, names, volumes);
        Planned { mounts, helpers, copies }
    }

    /// Returns the secrets to copy, by owner and mode.
    fn copies(&self, w: &Workload, names: &mut Names) -> Vec<Copy<'w>> {
        let users = w.helpers.iter().map(|helper| helper.program.user);
        let helpers = users.zip(&self.helpers);
        let mut copies: Vec<Copy<'w>> = Vec::new();
        for (user, all) in std::iter::once((w.program.user, &self.own)).chain(helpers) {
            for secret in all.iter().copied().filter(|s| self.copied(s, user)) {
                let (owner, mode) = secret.permissions(user);
                match copies.iter_mut().find(|c| (c.owner, c.mode) == (owner, mode)) {
                    Some(copy) if copy.secrets.iter().any(|s| s.name == secret.name) => {}
                    Some(copy) => copy.secrets.push(secret),
                    None => {
                        let volume = names.take(&format!("secret-copies-{}", copies.len()));
                        copies.push(Copy { owner, mode, volume, secrets: vec![secret] });
                    }
                }
            }
        }
        copies
    }

    /// Plans the mounts of a container that runs as `user`. `name` is the name of a volume for the secrets
    /// that are not copied.
    fn mounts(
        &self,
        all: &[&'w Secret],
        user: Option<User>,
        copies: &[Copy<'_>],
        name: &str,
        volumes: &mut Vec<Volume>,
    ) -> Vec<Mount> {
        let (copied, direct): (Vec<&Secret>, Vec<&Secret>) = all.iter().partition(|s| self.copied(s, user));
        let single = |volume: &str, s: &Secret| Mount {
            sub_path: Some(s.name.clone()),
            read_only: true,
            ..Mount::at(volume, &s.path)
        };
        let mut mounts = Vec::new();
        let own = |s: &Secret| s.exact().then(|| s.permissions(user).1);
        if let Some(secrets) = projected(&direct, mode(user, self.fs_group), own) {
            volumes.push(Volume { secrets: Some(secrets), ..Volume::named(name) });
            // A mount inside a read-only mount has no place for its file.
            match copied.is_empty() && direct.iter().all(|s| s.at_home()) {
                true => mounts.push(Mount { read_only: true, ..Mount::at(name, SECRETS) }),
                false => mounts.extend(direct.iter().map(|s| single(name, s))),
            }
        }
        for secret in copied {
            let permissions = secret.permissions(user);
            let copy = copies.iter().find(|c| (c.owner, c.mode) == permissions);
            mounts.extend(copy.map(|copy| single(&copy.volume, secret)));
        }
        mounts
    }
}

/// Plans the init containers. Each runs as the owner of its copies, so the pod needs no privileges. The
/// image of the member is on the node anyway.
fn init_containers(
    w: &Workload,
    copies: Vec<Copy<'_>>,
    names: &mut Names,
    volumes: &mut Vec<Volume>,
) -> Vec<Container> {
    let mut containers = Vec::new();
    for (number, Copy { owner, mode, volume, secrets }) in copies.into_iter().enumerate() {
        // Only this init container mounts the originals, which belong to root.
        let from = names.take(&format!("secret-originals-{number}"));
        volumes.push(Volume { secrets: projected(&secrets, 0o444, |_| None), ..Volume::named(&from) });
        let size = format!("{}Mi", secrets.len() * MEBIBYTES);
        volumes.push(Volume { memory: Some(size), ..Volume::named(&volume) });
        let mut name = format!("copy-secrets-{number}");
        while w.helpers.iter().any(|helper| helper.name == name) {
            name.insert_str(0, "berth-");
        }
        let mut command = vec!["install".to_owned(), "-m".to_owned(), format!("{mode:04o}")];
        command.extend(owner.gid.iter().flat_map(|gid| ["-g".to_owned(), gid.to_string()]));
        command.extend(secrets.iter().map(|s| format!("{FROM}/{}", s.name)));
        command.push(format!("{TO}/"));
        let mounts = vec![Mount { read_only: true, ..Mount::at(&from, FROM) }, Mount::at(&volume, TO)];
        containers.push(container::copy(name, &w.program, owner, command, mounts));
    }
    containers
}

/// Returns the secrets that must be files, from every text that may contain a path.
fn of_workload<'w>(
    w: &'w Workload,
    own: &values::Rendered,
    helpers: &[(&'w Helper, values::Rendered)],
    files: &[&str],
) -> Vec<&'w Secret> {
    let programs: Vec<&values::Rendered> =
        std::iter::once(own).chain(helpers.iter().map(|(_, r)| r)).collect();
    let literals = programs.iter().flat_map(|p| p.texts()).flat_map(|text| &text.0);
    let mut spoken: Vec<&str> = literals
        .filter_map(|p| if let Part::Literal(text) = p { Some(text.as_str()) } else { None })
        .collect();
    spoken.extend(files);
    let checks = [&w.health.ready, &w.health.live].into_iter().flatten().flat_map(|c| &c.run);
    let commands = checks.chain(w.stop.before.iter().flat_map(|(run, _)| run)).chain(&w.update.healthy);
    // Kubernetes expands nothing in these texts, so a secret in them is a path.
    let mut paths = Vec::new();
    for template in commands {
        let names = |secret: &&Secret| template.uses.as_ref().is_ok_and(|u| u.secrets.contains(&secret.name));
        paths.extend(w.secrets.iter().filter(names).map(|s| s.path.clone()));
        spoken.push(&template.text);
    }
    spoken.extend(paths.iter().map(String::as_str));
    secret_files(w, &programs, &spoken)
}

/// Returns the secrets of `w` that must be files: all except those that only appear as variables.
/// `spoken` holds every literal text that may contain a path.
fn secret_files<'w>(w: &'w Workload, programs: &[&values::Rendered], spoken: &[&str]) -> Vec<&'w Secret> {
    let inserted: BTreeSet<&str> =
        programs.iter().flat_map(|p| p.texts()).flat_map(|text| text.secrets()).collect();
    let all: Vec<&Secret> = w.secrets.iter().collect();
    let named = named(&all, spoken.iter().copied());
    let wanted = |s: &Secret| {
        let only_variable = inserted.contains(s.name.as_str()) && !named.contains(s.name.as_str());
        !only_variable || s.exact() || !s.at_home()
    };
    all.into_iter().filter(|s| wanted(s)).collect()
}

/// Returns the secrets in `files` that the program of a helper names. A helper sees no other
/// secret.
fn secrets_of<'w>(files: &[&'w Secret], program: &values::Rendered) -> Vec<&'w Secret> {
    let literals = program.texts().flat_map(|text| &text.0);
    let texts = literals.filter_map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    let named = named(files, texts);
    files.iter().copied().filter(|s| named.contains(s.name.as_str())).collect()
}

/// Returns the names of the secrets in `files` whose paths appear in `texts`. If several names
/// match at one place, the longest one counts.
fn named<'w, 't>(files: &[&'w Secret], texts: impl Iterator<Item = &'t str>) -> BTreeSet<&'w str> {
    let mut named = BTreeSet::new();
    for text in texts {
        let (home, placed): (Vec<&Secret>, Vec<&Secret>) = files.iter().partition(|s| s.at_home());
        named.extend(placed.into_iter().filter(|s| text.contains(&s.path)).map(|s| s.name.as_str()));
        if names_directory(text) {
            named.extend(home.iter().map(|s| s.name.as_str()));
            continue;
        }
        for rest in text.split(SECRETS).skip(1).filter_map(|rest| rest.strip_prefix('/')) {
            let fitting = home.iter().map(|s| s.name.as_str()).filter(|name| rest.starts_with(name));
            named.extend(fitting.max_by_key(|name| name.len()));
        }
    }
    named
}

/// Returns whether `text` contains the path of the whole directory of secrets.
fn names_directory(text: &str) -> bool {
    text.split(SECRETS).skip(1).any(|rest| {
        let inside = rest.strip_prefix('/').and_then(|r| r.chars().next());
        !inside.is_some_and(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    })
}

/// Returns the mode of secrets without permissions of their own, for a container that runs as `user`. The
/// kubelet writes the files as root. With mode 0400 only root reads them; with 0440 also the group of the
/// volumes. If the spec gives neither root nor a group, the owner is unknown, so the mode is 0444.
fn mode(user: Option<User>, fs_group: bool) -> u32 {
    match (user.is_some_and(|u| u.uid == 0), fs_group) {
        (true, _) => 0o400,
        (false, true) => 0o440,
        (false, false) => 0o444,
    }
}

/// Returns the projected volume of `files`, with `mode` where `own` gives no other.
fn projected(files: &[&Secret], mode: u32, own: impl Fn(&Secret) -> Option<u32>) -> Option<Secrets> {
    let mut sources: Vec<SecretSource> = Vec::new();
    for secret in files {
        let own = own(secret).filter(|own| *own != mode);
        let file = SecretFile { key: secret.key.clone(), path: secret.name.clone(), mode: own };
        match sources.iter_mut().find(|s| s.object == secret.object) {
            Some(source) => source.files.push(file),
            None => sources.push(SecretSource { object: secret.object.clone(), files: vec![file] }),
        }
    }
    (!sources.is_empty()).then_some(Secrets { mode, sources })
}
