//! The state that changes are judged against: the current files in OUT, another folder, or OUT at a
//! revision of git; for `berthc verify`, other files, or the same files at a revision.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use berthc::{Target, Tree};

use super::stdout::Outside;
use super::{drift, read};

/// The older state.
pub enum Older {
    /// The files below a folder.
    Folder(PathBuf),
    /// All files of a revision, by their paths in OUT.
    Revision(Tree),
}

impl Older {
    /// Opens `against`, a folder or a revision of git.
    ///
    /// # Errors `against` is neither of the two, or git fails.
    pub fn of(against: &str, out: &Path) -> Result<Self, Outside> {
        if Path::new(against).is_dir() {
            return Ok(Self::Folder(against.into()));
        }
        revision(against, out, None).map(Self::Revision)
    }

    /// Returns the files of berthc in the folder of the service `name`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn files(&self, name: &str) -> Result<Tree, Outside> {
        let prefix = format!("{name}/");
        match self {
            Self::Folder(folder) => {
                let mut found = Tree::new();
                let mut folders = vec![name.to_owned()];
                folders.extend(Target::ALL.iter().map(|t| format!("{name}/{}", t.name())));
                drift::made(folder, &folders, |name, bytes| {
                    found.insert(name.to_owned(), String::from_utf8_lossy(bytes).into_owned());
                })?;
                Ok(found)
            }
            Self::Revision(tree) => {
                let own = tree.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
                Ok(own.map(|(path, text)| (path.clone(), text.clone())).collect())
            }
        }
    }

    /// Returns the folders of services that are not `known`.
    pub fn unknown(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        match self {
            Self::Folder(folder) => drift::left_behind(folder, known),
            Self::Revision(tree) => {
                let folders: BTreeSet<&str> =
                    tree.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect();
                folders.into_iter().filter(|name| !known(name)).map(ToOwned::to_owned).collect()
            }
        }
    }
}

/// Returns the older texts of the files in `paths`: those of the folder or file `against`, or those of the
/// same paths at the revision `against`, each named `REVISION:PATH`, as git names them.
///
/// # Errors
/// `against` is neither of both, git fails, or a file cannot be read.
pub fn texts(against: &str, paths: &[PathBuf]) -> Result<BTreeMap<String, String>, Outside> {
    if against == "-" || Path::new(against).exists() {
        return read::manifests(&[against.into()]);
    }
    let mut all = BTreeMap::new();
    for path in paths.iter().filter(|path| path.as_os_str() != "-") {
        let folder = path.is_dir();
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (out, only) = if folder { (path.as_path(), None) } else { (parent, path.file_name()) };
        let tree = revision(against, out, only.and_then(|name| name.to_str()))?;
        for (name, text) in tree {
            let file = if folder { path.join(&name) } else { path.clone() };
            if folder && !read::of_folder(&name) {
                continue;
            }
            // The name of a unit is the last step of its path, also after the revision.
            let here = if file.components().count() == 1 { "./" } else { "" };
            all.insert(format!("{against}:{here}{}", file.display()), text);
        }
    }
    Ok(all)
}

/// Reads the files of `out` at the revision `rev`, or only the file `only` of it.
fn revision(rev: &str, out: &Path, only: Option<&str>) -> Result<Tree, Outside> {
    if rev.starts_with('-') {
        return Err(format!("--against {rev}: neither a folder nor a revision"));
    }
    let git = |args: &[&str], input: Stdio| -> Result<Vec<u8>, Outside> {
        let run = Command::new("git").arg("-C").arg(out).args(args).stdin(input).output();
        let run = run.map_err(|e| format!("--against {rev}: it is no folder, and git does not run: {e}"))?;
        if run.status.success() {
            return Ok(run.stdout);
        }
        let said = String::from_utf8_lossy(&run.stderr);
        Err(format!("--against {rev}: {}", said.lines().next().unwrap_or("git fails")))
    };
    // Each line is `MODE TYPE ID\tPATH`, with paths below OUT.
    let list = ["ls-tree", "-r", "-z", rev].into_iter().chain(only).collect::<Vec<_>>();
    let list = git(&list, Stdio::null())?;
    let list = String::from_utf8_lossy(&list);
    let files = list.split('\0').filter_map(|line| line.split_once('\t'));
    let files: Vec<(&str, &str)> = files
        .filter_map(|(about, path)| {
            let mut words = about.split(' ');
            let file = words.next()?.starts_with("100");
            words.nth(1).filter(|_| file).map(|id| (id, path))
        })
        .collect();
    let fail = |e: std::io::Error| format!("--against {rev}: {e}");
    // The input is a file, because with a pipe git could block: it writes before it has read all
    // input.
    let mut ids = tempfile::tempfile().map_err(fail)?;
    for (id, _) in &files {
        writeln!(ids, "{id}").map_err(fail)?;
    }
    ids.rewind().map_err(fail)?;
    let bytes = git(&["cat-file", "--batch"], ids.into())?;
    let (mut tree, mut rest) = (Tree::new(), bytes.as_slice());
    for (_, path) in files {
        // The format is `ID TYPE SIZE`, a newline, the bytes, a newline.
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let head = String::from_utf8_lossy(&rest[..end]);
        let size: usize = head.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let text =
            rest.get(end + 1..end + 1 + size).ok_or_else(|| format!("--against {rev}: git ends early"))?;
        tree.insert(path.to_owned(), String::from_utf8_lossy(text).into_owned());
        rest = rest.get(end + size + 2..).unwrap_or_default();
    }
    Ok(tree)
}
