//! Reads specs, the files that they name, templates, and the files to verify.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use berthc::input::STDIN;
use berthc::spec::project::FILE;
use berthc::{Files, Input, threads};

use super::stdout::Outside;

/// Maximum size of a file in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Specs in the file system.
pub struct Specs {
    files: Vec<PathBuf>,
    /// The texts of inputs that can be read only once, such as pipes.
    once: BTreeMap<usize, OnceLock<Result<String, Outside>>>,
}

impl Specs {
    /// Finds the specs in `paths`, each once: files, and the `.yaml`, `.yml` and `.toml` files
    /// directly in folders. Folders are added to `read`.
    pub fn of(paths: &[PathBuf], read: &mut BTreeSet<String>) -> Result<Self, Outside> {
        let mut files = Vec::new();
        for path in paths {
            if !is_stdin(path) && path.is_dir() {
                read.insert(path.to_string_lossy().into_owned());
                files.extend(folder(path)?);
            } else {
                files.push(path.clone());
            }
        }
        let real = |file: &PathBuf| fs::canonicalize(file).ok().filter(|_| !is_stdin(file));
        let own = |file: PathBuf| (real(&file).unwrap_or_else(|| file.clone()), file);
        let (mut seen, mut all) = (BTreeSet::new(), Self::none());
        for (own, file) in threads::each(threads::cores(), files, own, &|_| {}) {
            let once = is_stdin(&file) || !own.is_file();
            if seen.insert(own) {
                all.once.extend(once.then(|| (all.files.len(), OnceLock::new())));
                all.files.push(file);
            }
        }
        Ok(all)
    }

    /// Makes an empty list.
    pub fn none() -> Self {
        Self { files: Vec::new(), once: BTreeMap::new() }
    }

    /// Returns all specs with their texts.
    pub fn inputs(&self) -> Result<Vec<Input>, Outside> {
        use berthc::Specs as _;
        let one =
            |index| Ok(Input { path: self.path(index).into_owned(), text: self.text(index)?.into_owned() });
        (0..self.files.len()).map(one).collect()
    }
}

impl berthc::Specs for Specs {
    fn count(&self) -> usize {
        self.files.len()
    }

    fn path(&self, index: usize) -> Cow<'_, str> {
        if is_stdin(&self.files[index]) { STDIN.into() } else { self.files[index].to_string_lossy() }
    }

    fn text(&self, index: usize) -> Result<Cow<'_, str>, String> {
        let read = || text(&self.files[index]);
        match self.once.get(&index) {
            Some(once) => once.get_or_init(read).as_deref().map(Cow::Borrowed).map_err(Clone::clone),
            None => read().map(Cow::Owned),
        }
    }
}

/// Finds the specs that match a pattern of `berthc.toml` in the folder `project`. Folders that a
/// new spec could appear in are added to `read`.
pub fn matches(project: &Path, pattern: &str, read: &mut BTreeSet<String>) -> Result<Vec<PathBuf>, Outside> {
    let fail = |e: &dyn std::fmt::Display| format!("{FILE}: specs `{pattern}`: {e}");
    if project.join(pattern).is_dir() {
        return Ok(vec![project.join(pattern)]);
    }
    let own = project.to_string_lossy();
    let whole = Path::new(&glob::Pattern::escape(&own)).join(pattern);
    let mut found = Vec::new();
    for path in glob::glob(&whole.to_string_lossy()).map_err(|e| fail(&e))? {
        let path = path.map_err(|e| fail(&e))?;
        if path.is_file() && path.file_name().is_some_and(|n| n != FILE) {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            read.insert(folder.to_string_lossy().into_owned());
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(fail(&"there is no such file"));
    }
    Ok(found)
}

fn folder(dir: &Path) -> Result<Vec<PathBuf>, Outside> {
    let fail = |e: std::io::Error| format!("cannot read {}: {e}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let spec = path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "toml");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if spec && !name.starts_with('.') && name != FILE && path.is_file() {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(format!("{} contains no specs (.yaml, .yml or .toml)", dir.display()));
    }
    found.sort();
    Ok(found)
}

/// Returns whether a path of the command line means standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a text file, or standard input.
pub fn text(path: &Path) -> Result<String, Outside> {
    let name = if is_stdin(path) { "standard input".into() } else { path.to_string_lossy() };
    String::from_utf8(bounded(path)?)
        .map_err(|e| format!("{name} is not UTF-8 text (byte {})", e.utf8_error().valid_up_to()))
}

/// Reads a file, or standard input, up to the maximum size.
pub fn bounded(path: &Path) -> Result<Vec<u8>, Outside> {
    if is_stdin(path) {
        return stdin();
    }
    let fail = |e: std::io::Error| format!("cannot read {}: {e}", path.display());
    let file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_or(0, |m| m.len());
    let bytes = most(file, length, MAX_BYTES + 1).map_err(fail)?;
    small(bytes, &path.to_string_lossy())
}

/// Reads standard input. On a terminal, prints a hint first.
fn stdin() -> Result<Vec<u8>, Outside> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let _ = writeln!(anstream::stderr(), "berthc: reading standard input; Ctrl-D ends it");
    }
    let bytes =
        most(stdin.lock(), 0, MAX_BYTES + 1).map_err(|e| format!("cannot read standard input: {e}"))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("standard input is empty".to_owned());
    }
    small(bytes, "standard input")
}

/// Refuses a file that is too large.
fn small(bytes: Vec<u8>, name: &str) -> Result<Vec<u8>, Outside> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{name} is larger than {} MiB", MAX_BYTES >> 20));
    }
    Ok(bytes)
}

/// Reads the first `limit` bytes of a file of about `length` bytes.
pub fn most(file: impl std::io::Read, length: u64, limit: u64) -> std::io::Result<Vec<u8>> {
    // The buffer has spare bytes, so that the read that finds the end needs no new buffer.
    let mut bytes = Vec::with_capacity(length.min(limit) as usize + 64);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the templates below `dir`, by their relative paths. They and their folders are added to
/// `read`.
pub fn templates(dir: &Path, read: &mut BTreeSet<String>) -> Result<BTreeMap<String, String>, Outside> {
    let fail = |path: &Path, e: std::io::Error| format!("cannot read {}: {e}", path.display());
    let mut found = BTreeMap::new();
    let mut open = vec![(dir.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        read.insert(folder.to_string_lossy().into_owned());
        for entry in fs::read_dir(&folder).map_err(|e| fail(&folder, e))? {
            let entry = entry.map_err(|e| fail(&folder, e))?;
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // A link to a folder could form a loop.
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                open.push((path, format!("{name}/")));
            } else if name.ends_with(".j2") {
                regular(&path, &fs::metadata(&path).map_err(|e| fail(&path, e))?)?;
                found.insert(name, text(&path)?);
                read.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// The files that specs name, in the file system.
pub struct Disk {
    /// The only folders, without links, whose files a spec may name; all folders if `None`.
    roots: Option<BTreeSet<PathBuf>>,
}

impl Disk {
    /// Allows every path.
    pub fn whole() -> Self {
        Self { roots: None }
    }

    /// Allows the files of the repositories that `specs` are in. A spec outside of any repository may
    /// name every file.
    pub fn of(specs: &Specs) -> Self {
        let folders = specs.files.iter().filter_map(|file| file.parent()).collect::<BTreeSet<_>>();
        let here =
            |folder: &Path| if folder.as_os_str().is_empty() { ".".into() } else { folder.to_path_buf() };
        let root = |folder: &Path| repository(&fs::canonicalize(here(folder)).ok()?).map(Path::to_path_buf);
        Self { roots: folders.into_iter().map(root).collect() }
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = Path::new(path);
        let fail = |e: std::io::Error| format!("cannot read {path}: {e}");
        if let Some(roots) = &self.roots {
            let real = fs::canonicalize(file).map_err(fail)?;
            if !roots.iter().any(|root| real.starts_with(root)) {
                return Err(format!("{path} is outside of the repository; --allow-outside reads it"));
            }
        }
        regular(file, &fs::metadata(file).map_err(fail)?)?;
        bounded(file)
    }
}

/// Returns the folder of the repository around `folder`, if there is one.
pub fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|dir| [".git", ".hg", ".jj"].iter().any(|name| dir.join(name).exists()))
}

/// Refuses a path that is no regular file: a read of a pipe or a device may never end.
pub fn regular(path: &Path, about: &fs::Metadata) -> Result<(), Outside> {
    match about.is_file() {
        true => Ok(()),
        false if about.is_dir() => Err(format!("{} is a folder", path.display())),
        false => Err(format!("{} is no regular file", path.display())),
    }
}

/// The extensions of manifests, stack files and units.
const KINDS: [&str; 15] = [
    "yaml",
    "yml",
    "json",
    "service",
    "conf",
    "timer",
    "socket",
    "mount",
    "path",
    "target",
    "device",
    "container",
    "volume",
    "kube",
    "pod",
];

/// Returns whether a path has the extension of a manifest, a stack file or a unit.
fn of_kind(path: &Path) -> bool {
    path.extension().is_some_and(|e| KINDS.contains(&&*e.to_string_lossy()))
}

/// Returns whether [`manifests`] reads the file at `path` below a folder.
pub fn of_folder(path: &str) -> bool {
    !path.split('/').any(|step| step.starts_with('.')) && of_kind(Path::new(path))
}

/// Reads manifests, units and stack files: files, and everything below folders. Skips hidden
/// folders, links to folders and files of other kinds.
pub fn manifests(paths: &[PathBuf]) -> Result<BTreeMap<String, String>, Outside> {
    let mut found = BTreeMap::new();
    let mut open: Vec<(PathBuf, bool)> = paths.iter().map(|p| (p.clone(), true)).collect();
    while let Some((path, named)) = open.pop() {
        let fail = |e: std::io::Error| format!("cannot read {}: {e}", path.display());
        if named && is_stdin(&path) {
            if !found.contains_key(STDIN) {
                found.insert(STDIN.to_owned(), text(&path)?);
            }
            continue;
        }
        if path.is_dir() {
            for entry in fs::read_dir(&path).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                let link = entry.file_type().is_ok_and(|t| t.is_symlink()) && entry.path().is_dir();
                if !hidden && !link {
                    open.push((entry.path(), false));
                }
            }
            continue;
        }
        if !(named || of_kind(&path) && path.is_file()) {
            continue;
        }
        found.insert(path.to_string_lossy().into_owned(), text(&path)?);
    }
    Ok(found)
}
