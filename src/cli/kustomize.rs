//! `berthc verify --kustomize`: builds kustomizations with the tool at hand, never over the network.
//!
//! kustomize fetches with git, which it looks up in PATH (`api/internal/git/gitrunner.go`), and over HTTP,
//! for which Go reads the proxy from the environment (`net/http.ProxyFromEnvironment`). The tool runs with
//! an empty PATH and a proxy that nothing listens on; it starts neither helm nor plugins without their
//! options.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use berthc::input::RENDERED;
use berthc::text::path::shortest;
use berthc::text::yaml::{self, Value};

use super::read::{most, text};
use super::stdout::Outside;

/// The names of a kustomization (kustomize `api/konfig/general.go`).
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The fields whose entries are files or folders.
const PATHS: [&str; 6] = ["resources", "bases", "components", "generators", "transformers", "validators"];
/// The fields that name no file. They may contain an address as text.
const WORDS: [&str; 12] = [
    "apiVersion",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "generatorOptions",
    "images",
    "labels",
    "literals",
    "metadata",
    "options",
    "patch",
    "valuesInline",
];
/// The longest time that a build may take.
const TIME: Duration = Duration::from_secs(60);
/// The maximum size of the text in bytes.
const MAX_BYTES: u64 = 32 << 20;

/// Builds the kustomization in `dir`. Returns the text of each object; its path names the kustomization and
/// the object.
///
/// # Errors
/// There is no kustomization or no tool, the kustomization is on the network, or the build fails.
pub fn build(dir: &Path) -> Result<BTreeMap<String, String>, Outside> {
    let shown = dir.display();
    let Some(file) = file(dir) else { return Err(format!("{shown} has no kustomization.yaml")) };
    local(dir)?;
    let (tool, verb) = tool().ok_or_else(|| {
        format!("neither kubectl nor kustomize is in PATH: kustomize build {shown} | berthc verify -")
    })?;
    let text = run(&tool, verb, dir)?;
    let objects = objects(&file, &text);
    if objects.is_empty() {
        return Err(format!("{}: the kustomization has no objects", file.display()));
    }
    Ok(objects)
}

/// Returns the kustomization that the object of `path` is built from, and the name of the object.
pub fn source(path: &str) -> Option<(&str, &str)> {
    path.split_once(RENDERED)
}

/// Returns the kustomization of a folder.
pub fn file(dir: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| dir.join(name)).find(|path| path.is_file())
}

/// Returns the program to run, and its command.
fn tool() -> Option<(PathBuf, &'static str)> {
    let path = env::var_os("PATH")?;
    let find = |name: &str| env::split_paths(&path).map(|dir| dir.join(name)).find(|file| runs(file));
    let kubectl = find("kubectl").map(|tool| (tool, "kustomize"));
    let (tool, verb) = kubectl.or_else(|| Some((find("kustomize")?, "build")))?;
    // The folder may be relative to where berthc runs.
    Some((fs::canonicalize(&tool).unwrap_or(tool), verb))
}

#[cfg(unix)]
fn runs(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runs(file: &Path) -> bool {
    file.is_file()
}

/// Checks that a kustomization, and each kustomization that it includes, names only files that are here.
fn local(dir: &Path) -> Result<(), Outside> {
    let (mut open, mut seen) = (vec![dir.to_path_buf()], BTreeSet::new());
    while let Some(dir) = open.pop() {
        let Some(file) = file(&dir) else { continue };
        if !seen.insert(fs::canonicalize(&dir).unwrap_or_else(|_| dir.clone())) {
            continue;
        }
        let text = text(&file)?;
        let (documents, _) = yaml::documents(&text);
        for (key, value) in documents.iter().flat_map(|d| d.root().entries()) {
            if let Some(far) = far(key, value) {
                let place = format!("{}:{}", file.display(), far.line());
                let name = far.as_str().unwrap_or_default();
                return Err(format!(
                    "{place}: {name} is not in these files, and berthc fetches nothing: copy it here (kustomize localize), or build it: kubectl kustomize DIR | berthc verify -"
                ));
            }
            let paths = if PATHS.contains(&key) { value.items() } else { Vec::new() };
            for path in paths.into_iter().filter_map(Value::as_str).filter(|path| !path.contains('\n')) {
                let path = dir.join(path);
                if !path.exists() {
                    return Err(format!("{}: there is no {}", file.display(), path.display()));
                }
                open.extend(path.is_dir().then_some(path));
            }
        }
    }
    Ok(())
}

/// Returns the first value at or below `value` that kustomize would fetch.
fn far<'d>(key: &str, value: Value<'d>) -> Option<Value<'d>> {
    let mut open = vec![(key, value)];
    while let Some((key, value)) = open.pop() {
        if WORDS.contains(&key) {
            continue;
        }
        // An inline patch has several lines, a `files` entry may begin with `NAME=`.
        let text = value.as_str().filter(|text| !text.trim_end().contains('\n')).unwrap_or_default();
        if ["://", "git::", "git@"].iter().any(|mark| text.contains(mark)) {
            return Some(value);
        }
        let hosts = ["github.com/", "gitlab.com/", "bitbucket.org/"];
        if PATHS.contains(&key) && hosts.iter().any(|host| text.starts_with(*host)) {
            return Some(value);
        }
        open.extend(value.items().into_iter().map(|item| (key, item)));
        open.extend(value.entries());
    }
    None
}

fn run(tool: &Path, verb: &str, dir: &Path) -> Result<String, Outside> {
    let fail = |e: std::io::Error| format!("cannot run {}: {e}", tool.display());
    let empty = tempfile::tempdir().map_err(fail)?;
    let errors = tempfile::NamedTempFile::new().map_err(fail)?;
    let mut command = Command::new(tool);
    command.arg(verb).arg(dir).env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        command.env(name, empty.path());
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    let stderr = errors.reopen().map_err(fail)?;
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().map_err(fail)?;
    let text = output(&mut child);
    let end = |child: &mut Child| {
        let _ = child.kill();
        child.wait()
    };
    let Some(bytes) = text else {
        let _ = end(&mut child);
        return Err(format!("{} did not end within {} s", tool.display(), TIME.as_secs()));
    };
    let what = || format!("{} {verb} {}", tool.display(), dir.display());
    let bytes = bytes.map_err(fail)?;
    if bytes.len() as u64 > MAX_BYTES {
        let _ = end(&mut child);
        return Err(format!("{}: the text is larger than {} MiB", what(), MAX_BYTES >> 20));
    }
    if !child.wait().map_err(fail)?.success() {
        let said = fs::File::open(errors.path()).and_then(|file| most(file, 0, 2000)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        return Err(format!("{}: {}", what(), said.lines().next().unwrap_or("fails without a message")));
    }
    String::from_utf8(bytes).map_err(|_| format!("{}: the text is not UTF-8", what()))
}

/// Reads what a program prints, up to the maximum size and time; `None` after that time.
fn output(child: &mut Child) -> Option<std::io::Result<Vec<u8>>> {
    let out = child.stdout.take()?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = out.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        let _ = send.send(read.map(|_| bytes));
    });
    receive.recv_timeout(TIME).ok()
}

/// Splits the text of a kustomization into its objects.
fn objects(file: &Path, text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    // kustomize separates objects with this line, and indents all lines of a block.
    for text in text.split("\n---\n").filter(|text| !text.trim().is_empty()) {
        let (documents, _) = yaml::documents(text);
        let word = |way: &[&str]| {
            let found = documents.first().and_then(|d| d.at(way)).and_then(Value::as_str);
            found.unwrap_or_default().replace('/', "-")
        };
        let (kind, name) = (word(&["kind"]).to_lowercase(), word(&["metadata", "name"]));
        let start = format!("{}{RENDERED}", shortest(&file.to_string_lossy()));
        let scope = word(&["metadata", "namespace"]);
        let mut path = format!("{start}{kind}-{name}.yaml");
        if all.contains_key(&path) {
            path = format!("{start}{kind}-{name}.{scope}.yaml");
        }
        let number = all.len();
        let twice = || format!("{start}{kind}-{name}.{number}.yaml");
        let path = if all.contains_key(&path) { twice() } else { path };
        all.insert(path, format!("{}\n", text.trim_end_matches('\n')));
    }
    all
}
