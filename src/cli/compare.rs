//! Compares the result of a compile with the files in OUT.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use berthc::code::Code;
use berthc::diag::{Place, failed};
use berthc::model::{Model, Service};
use berthc::{
    Batch, Diagnostic, Input, Options, Output, Sink, Specs as _, Target, Tree, change, route, threads,
};

use super::drift::{self, Change, Changes, Drift, Item};
use super::job;
use super::known::{Known, Print};
use super::lock::Lock;
use super::older::Older;
use super::progress::Line;
use super::spool::Spool;
use super::stdout::Outside;

/// The result of a compile before anything is written.
pub struct Done {
    pub sources: Vec<Input>,
    pub diagnostics: Vec<Diagnostic>,
    pub out: PathBuf,
    /// The differences to the files in `out`; `None` if the specs have errors.
    pub changes: Option<Changes>,
    /// The texts of the changed files.
    pub spool: Spool,
    /// The paths of everything that was read.
    pub read: BTreeSet<String>,
    /// The number of services whose changes were not judged, because there is no older state.
    pub unjudged: usize,
    /// The lock of `out`. It ends after the write.
    pub lock: Lock,
}

/// Compares each batch with the files in OUT.
struct Compare<'a> {
    out: &'a Path,
    options: &'a Options,
    /// Whether to skip the search of files that already match OUT (they were searched when they were
    /// written), and to skip compiling them if the fingerprint of an earlier run matches.
    look: bool,
    known: Option<Known>,
    /// Returns the text to keep of an item: the new text, or the diff.
    text: fn(&mut Item) -> String,
    spool: Spool,
    line: Mutex<Line>,
    /// The state that changes are judged against, if it is not that of `out`.
    against: Option<Older>,
    /// The changes that may leave data behind.
    accepted: BTreeSet<String>,
}

/// A service whose files the older state does not have, or has from another spec. It may have another
/// name there.
struct New {
    /// The file name of its spec.
    file: String,
    name: String,
    /// Whether the older state has no files of this name.
    is_first: bool,
    moved: BTreeSet<String>,
    place: Place,
}

/// The differences of one batch.
#[derive(Default)]
struct Compared {
    changes: Vec<Change>,
    unchanged: usize,
    /// The number of services that were not compiled because their fingerprint matched.
    known: usize,
    diagnostics: Vec<Diagnostic>,
    print: Option<Print>,
    new: Vec<New>,
}

impl Sink for Compare<'_> {
    type T = Result<Compared, Outside>;

    fn cached(&self, batch: &Batch<'_>) -> Option<Self::T> {
        let known = self.known.as_ref().filter(|_| self.look && self.against.is_none())?;
        let mut found = known.start(batch);
        // If a file cannot be read, the compile of the batch reports it.
        drift::made(self.out, &folders(batch, self.options), |name, bytes| found.add(name, bytes)).ok()?;
        let print = found.print();
        let (unchanged, services) = (found.files, batch.services.len());
        let compared = Compared { unchanged, known: services, print: Some(print), ..Compared::default() };
        known.has(&print).then_some(Ok(compared))
    }

    fn inspect_first(&self) -> bool {
        self.look
    }

    fn accept(&self, batch: &Batch<'_>, part: Output) -> Option<Self::T> {
        let drift = match drift::drift(self.out, &part.tree, &folders(batch, self.options)) {
            Ok(drift) if !part.searched && !drift.items.is_empty() => return None,
            Ok(drift) => drift,
            Err(e) => return Some(Err(e)),
        };
        let (mut diagnostics, new) = match self.judge(batch, &part, &drift) {
            Ok(judged) => judged,
            Err(e) => return Some(Err(e)),
        };
        diagnostics.extend(left_out(&drift, &part.model));
        let print = self.known.as_ref().filter(|_| !part.noted).map(|known| {
            let mut made = known.start(batch);
            part.tree.iter().for_each(|(name, text)| made.add(name, text.as_bytes()));
            made.print()
        });
        let Drift { items, unchanged } = drift;
        let wait = |mut item: Item| {
            let text = self.spool.keep((self.text)(&mut item))?;
            Ok(Change { name: item.name, state: item.state, text })
        };
        let changes: Result<Vec<Change>, Outside> = items.into_iter().map(wait).collect();
        Some(changes.map(|changes| Compared { changes, unchanged, known: 0, diagnostics, print, new }))
    }

    fn progress(&self, done: usize, of: usize) {
        if let Ok(mut line) = self.line.lock() {
            line.tell(|| format!("compiling {done} of {of}"));
        }
    }
}

impl Compare<'_> {
    /// Judges the changes of a batch. Returns its services that the older state does not have.
    fn judge(
        &self,
        batch: &Batch<'_>,
        part: &Output,
        drift: &Drift,
    ) -> Result<(Vec<Diagnostic>, Vec<New>), Outside> {
        let old = match &self.against {
            Some(older) => Cow::Owned(self.older(older, batch)?),
            None if drift.items.is_empty() => Cow::Borrowed(&part.tree),
            None => Cow::Owned(drift.old(&part.tree)),
        };
        let old: &Tree = &old;
        let files = |name: &str| {
            let prefix = format!("{name}/");
            old.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix))
        };
        let names: BTreeSet<&str> = batch.names().collect();
        let runs = names.iter().filter_map(|name| part.model.find(name)).filter(|s| s.workload().is_some());
        // The files of its name may have been made from another spec.
        let made = |service: &Service| {
            let mut specs =
                files(&service.name).flat_map(|(_, text)| drift::origin(text.as_bytes())).peekable();
            specs.peek().is_none()
                || specs.any(|spec| part.model.named(&service.name).any(|s| s.file == spec))
        };
        let has = |service: &Service| files(&service.name).next().is_some();
        let new = runs.filter(|service| !has(service) || !made(service)).map(|service| New {
            is_first: !has(service),
            file: service.file.clone(),
            name: service.name.clone(),
            moved: service.moved.iter().cloned().collect(),
            place: service.place(&route!["service"]),
        });
        let new = new.collect();
        let equal = self.against.is_none() && drift.items.is_empty();
        let found =
            if equal { Vec::new() } else { change::judge(&part.model, old, &part.tree, &self.accepted) };
        Ok((found, new))
    }

    /// Returns the older files of a batch, for the targets of this run.
    fn older(&self, older: &Older, batch: &Batch<'_>) -> Result<Tree, Outside> {
        let mut all = Tree::new();
        for name in batch.names().collect::<BTreeSet<_>>() {
            all.extend(older.files(name)?.into_iter().filter(|(path, _)| self.options.wants(path)));
        }
        Ok(all)
    }
}

/// What to do with the differences.
#[derive(Clone, Copy)]
pub enum Use {
    /// Write them.
    Write,
    /// Show them. For `look`, see [`Compare`].
    Show { look: bool },
}

/// Compiles the specs and compares the result with the files in OUT.
pub fn done(job: &job::Job, to: Use) -> Result<Done, Outside> {
    let (job::Ready { specs, mut options, mut read, whole: all, disk, project, .. }, out) = job.ready()?;
    let lock = if matches!(to, Use::Write) { Lock::to_write(&out) } else { Lock::to_read(&out) };
    let against = job.against.as_deref().map(|against| Older::of(against, &out)).transpose()?;
    let accepted = job.accept_change.iter().cloned().collect();
    options.threads = threads::cores();
    let known = Known::open(specs.count(), &options);
    let (look, text, spool): (_, fn(&mut Item) -> String, _) = match to {
        Use::Write => (false, |item| std::mem::take(&mut item.new), Spool::new(Some(&out))),
        Use::Show { look } => (look, |item| item.diff(), Spool::new(None)),
    };
    let line = Mutex::default();
    let compare = Compare { out: &out, options: &options, look, known, text, spool, line, against, accepted };
    let (mut rest, parts) = berthc::compile_each(&specs, &disk, &options, &compare);
    let Compare { known, spool, line, against, accepted, .. } = compare;
    line.into_inner().unwrap_or_default().clear();
    // This is an error of the disk, not of a spec.
    if let Some(unread) = rest.diagnostics.iter().find(|d| d.code == Code::SpecUnread.as_str()) {
        return Err(unread.message.clone());
    }
    let is_service = |name: &String| rest.services.contains(name) || specs.count() == 0;
    if let Some(name) = options.bootstrap.iter().find(|name| !is_service(name)) {
        return Err(format!("--bootstrap {name}: no spec of this compile is the service `{name}`"));
    }
    let mut diagnostics = std::mem::take(&mut rest.diagnostics);
    let mut whole = None;
    let mut new: Vec<New> = Vec::new();
    if !failed(&diagnostics) {
        let mut changes = Changes::default();
        let mut prints = Vec::new();
        for part in parts {
            let Compared { changes: own, unchanged, known, diagnostics: also, print, new: added } = part?;
            new.extend(added);
            changes.all.extend(own);
            changes.unchanged += unchanged;
            changes.known += known;
            diagnostics.extend(also);
            prints.extend(print);
        }
        if let Some(known) = known {
            known.keep(prints);
        }
        changes.all.sort_by(|a, b| a.name.cmp(&b.name));
        let known = |name: &str| rest.services.contains(name);
        // Only the specs of a whole project determine which files belong in OUT.
        if all {
            for name in drift::left_behind(&out, known) {
                diagnostics.push(left_behind(&out.join(&name)));
                if matches!(to, Use::Show { .. }) {
                    changes.all.extend(extra(&Older::Folder(out.clone()), &name, &spool)?);
                }
            }
            changes.all.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let older = against.unwrap_or_else(|| Older::Folder(out.clone()));
        let renamed = renamed(&older, &new, known, &accepted)?;
        new.retain(|new| new.is_first && !renamed.iter().any(|d| d.place == new.place));
        diagnostics.extend(renamed);
        if !failed(&diagnostics) {
            let ignored = project.iter().flat_map(|(_, project)| &project.ignore).chain(&job.ignore);
            let ignored: BTreeSet<&str> = ignored.map(String::as_str).collect();
            diagnostics.extend(rest.notes.drain(..).filter(|d| !ignored.contains(&*d.code)));
        }
        whole = Some(changes);
    }
    let sources = rest.sources(&diagnostics);
    read.extend(rest.read);
    Ok(Done { sources, diagnostics, out, changes: whole, spool, read, unjudged: new.len(), lock })
}

/// Returns the files in the folder `name` as extra.
fn extra(older: &Older, name: &str, spool: &Spool) -> Result<Vec<Change>, Outside> {
    let one = |(name, old): (String, String)| {
        let item = Item { name, state: drift::State::Extra, old: old.into_bytes(), new: String::new() };
        Ok(Change { text: spool.keep(item.diff())?, name: item.name, state: item.state })
    };
    older.files(name)?.into_iter().map(one).collect()
}

/// Reports renamed services: the older state has a folder that no spec of this run produces, and
/// the files in it name the spec file of a service that is new.
fn renamed(
    older: &Older,
    new: &[New],
    known: impl Fn(&str) -> bool,
    accepted: &BTreeSet<String>,
) -> Result<Vec<Diagnostic>, Outside> {
    let mut found = Vec::new();
    if new.is_empty() {
        return Ok(found);
    }
    for from in older.unknown(known) {
        let files = older.files(&from)?;
        let specs: BTreeSet<&str> = files.values().flat_map(|text| drift::origin(text.as_bytes())).collect();
        for New { file, name, moved, place, is_first: _ } in
            new.iter().filter(|new| specs.contains(new.file.as_str()))
        {
            let service = change::Renamed { from: &from, name, moved, place: *place };
            found.extend(change::renamed(&service, &files, accepted).filter(|_| !file.is_empty()));
        }
    }
    Ok(found)
}

/// Returns the line that says how many services had no older state; empty if each has one.
pub fn unjudged_line(unjudged: usize, out: &Path) -> String {
    let services = match unjudged {
        0 => return String::new(),
        1 => "1 service".to_owned(),
        n => format!("{n} services"),
    };
    format!("\nchanges not judged for {services} without files in {} (--against REV|DIR)", out.display())
}

/// Reports revisions whose files would change although their specs exist and are not part of this
/// compile.
fn left_out(drift: &Drift, model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, spec) in drift.origins() {
        let Some(given) = model.find(name).filter(|s| s.revision.is_some()) else { continue };
        let path = Path::new(&given.source.path).with_file_name(spec);
        if spec.contains('/') || model.named(name).any(|s| s.file == spec) || !path.is_file() {
            continue;
        }
        let path = path.to_string_lossy();
        let message = format!("OUT has files of {path}, which is not part of this compile");
        found.push(
            Diagnostic::error(Code::RevisionLeftOut, given.place(&route!["revision"]), message)
                .why("berthc would remove these files, and deploying OUT would then stop their members")
                .fix("compile them together", format!("berthc compile {} {path}", given.source.path))
                .advice("or delete the spec, if the revision no longer exists"),
        );
    }
    found
}

/// Makes the warning for the folder of a service that has no spec any more.
fn left_behind(folder: &Path) -> Diagnostic {
    let folder = folder.display();
    let message = format!("{folder} was written by berthc, but no spec needs it any more");
    Diagnostic::warning(Code::LeftBehind, Place::NOWHERE, message)
        .why("deploying all of OUT also starts this service; after a rename, it would use the data of the new service")
        .fix("stop the service, then remove the folder", format!("git rm -r {folder}"))
}

/// Returns the folders that a batch owns: those of its services, for the targets of this run.
fn folders(batch: &Batch<'_>, options: &Options) -> Vec<String> {
    let wanted = |t: &Target| options.targets.is_empty() || options.targets.contains(t);
    let mut all = BTreeSet::new();
    for name in batch.names() {
        all.insert(name.to_owned());
        all.extend(Target::ALL.iter().filter(|t| wanted(t)).map(|t| format!("{name}/{}", t.name())));
    }
    all.into_iter().collect()
}
