//! The arguments that `compile` and `check` share, completed by `berthc.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use berthc::spec::project::FILE;
use berthc::{Input, Options, Project, Specs as _};
use clap::Args;

use super::output::Output;
use super::read;
use super::stdout::Outside;
use super::target::{TargetName, target};

/// Overrides of specs.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Apply the overrides of this environment in berthc.toml
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Override one value of a spec, such as members.count=3 or, with several services,
    /// kafka:image=kafka:3.9.1 (`*:` means all services; `null` removes a value; may be repeated)
    #[arg(long, value_name = "[SERVICE:]PATH=VALUE")]
    set: Vec<String>,
    /// Let specs name files outside of their repository, in `base` and `from`
    #[arg(long)]
    allow_outside: bool,
}

#[derive(Debug, Args)]
pub struct Job {
    /// Spec files (TOML if the name ends in .toml, otherwise YAML), folders of specs, or - for a spec
    /// on standard input
    /// [default: `specs` of berthc.toml]
    #[arg(value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Folder for the output; each service owns one folder in it [default: `out` of berthc.toml]
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Emit only for this target (may be repeated); berthc still checks every target of a spec
    #[arg(long, value_enum, value_name = "TARGET")]
    target: Vec<TargetName>,
    /// Folder with custom templates; each replaces the template of berthc with the same name, such
    /// as kubernetes/statefulset.yaml.j2
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Emit the `bootstrap.env` of this service, for its very first start (may be repeated)
    #[arg(long, value_name = "SERVICE")]
    bootstrap: Vec<String>,
    /// Judge changes against the files of this folder, or of OUT at this git revision, instead of
    /// the current files in OUT
    #[arg(long, value_name = "REV|DIR")]
    pub against: Option<String>,
    /// Accept a change that leaves data behind, for this run, such as orders-db/members/3 (may be
    /// repeated)
    #[arg(long, value_name = "NAME")]
    pub accept_change: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// Print no notes with this code, such as no-user (may be repeated) [also: `ignore` of berthc.toml]
    #[arg(long, value_name = "CODE", value_parser = clap::builder::PossibleValuesParser::new(berthc::diag::note_codes()),
          hide_possible_values = true)]
    pub ignore: Vec<String>,
    /// Print each note with its line and what to write
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    #[command(flatten)]
    pub output: Output,
}

/// The inputs of a compile.
pub struct Ready {
    pub specs: read::Specs,
    /// The files that the specs may name.
    pub disk: read::Disk,
    pub options: Options,
    /// Whether the specs are complete for OUT: those of the whole project, or of whole folders.
    pub whole: bool,
    /// The settings of the project, if they are valid.
    pub project: Option<(PathBuf, Project)>,
    /// The folders and templates that were read. The library does not know them.
    pub read: BTreeSet<String>,
}

impl Ready {
    /// Resolves `path` of `berthc.toml` relative to its folder.
    fn of_project<'p>(&'p self, path: impl Fn(&'p Project) -> Option<&'p String>) -> Option<PathBuf> {
        self.project.as_ref().and_then(|(folder, p)| Some(folder.join(path(p)?)))
    }

    /// Reads the templates of the command line, or those of the project.
    pub fn take_templates(&mut self, dir: Option<&Path>) -> Result<(), Outside> {
        let dir = dir.map(Path::to_path_buf).or_else(|| self.of_project(|p| p.templates.as_ref()));
        if let Some(dir) = dir {
            self.options.templates = read::templates(&dir, &mut self.read)?;
        }
        Ok(())
    }
}

/// Reads `specs`, or the specs of the project if none are named. If `berthc.toml` has errors, there
/// are no specs; the compile reports the errors.
pub fn ready(specs: &[PathBuf], overrides: &Overrides) -> Result<Ready, Outside> {
    let mut options =
        Options { env: overrides.env.clone(), set: overrides.set.clone(), ..Options::default() };
    options.partial = !specs.is_empty();
    let whole = specs.iter().all(|path| path.is_dir());
    let found = find()?;
    options.project = found.as_ref().map(|(_, input)| input.clone());
    let mut project = None;
    let mut specs = specs.to_vec();
    let mut read = BTreeSet::new();
    if let Some((folder, input)) = found {
        match Project::read(&input, 0) {
            Ok(read) => project = Some((folder, read)),
            Err(_) => {
                let (specs, disk) = (read::Specs::none(), read::Disk::whole());
                return Ok(Ready { specs, disk, options, whole, project, read });
            }
        }
    }
    if let (true, Some((folder, project))) = (specs.is_empty(), &project) {
        for pattern in &project.specs {
            specs.extend(read::matches(folder, pattern, &mut read)?);
        }
    }
    if specs.is_empty() {
        return Err(format!("no specs: name them, or add specs = [\"specs/*.yaml\"] to {FILE}"));
    }
    let specs = read::Specs::of(&specs, &mut read)?;
    let disk = if overrides.allow_outside { read::Disk::whole() } else { read::Disk::of(&specs) };
    Ok(Ready { specs, disk, options, whole, project, read })
}

impl Job {
    /// Reads all inputs and decides where the output goes.
    pub fn ready(&self) -> Result<(Ready, PathBuf), Outside> {
        let mut ready = ready(&self.specs, &self.overrides)?;
        let env = ready.options.env.clone().unwrap_or_default();
        ready.take_templates(self.templates.as_deref())?;
        ready.options.targets = self.target.iter().map(|t| target(*t)).collect();
        ready.options.bootstrap = self.bootstrap.iter().cloned().collect();
        let out = self
            .out
            .clone()
            .or_else(|| ready.of_project(|p| p.envs.get(&env).and_then(Option::as_ref).or(p.out.as_ref())));
        match out {
            Some(out) => Ok((ready, out)),
            // An invalid project file may name a folder; nothing is written there.
            None if ready.specs.count() == 0 => Ok((ready, PathBuf::new())),
            None => Err(format!("no output folder: use -o OUT, or add out = \"deploy\" to {FILE}")),
        }
    }
}

/// Returns `berthc.toml` and its folder: the one of this folder or, in a repository, of the nearest
/// parent folder that has one.
pub fn find() -> Result<Option<(PathBuf, Input)>, Outside> {
    // If the current folder was deleted, there is no project.
    let Ok(here) = std::env::current_dir() else { return Ok(None) };
    let root = read::repository(&here);
    let depth = here.ancestors().position(|dir| Some(dir) == root).unwrap_or_default();
    let mut folder = PathBuf::new();
    for _ in 0..=depth {
        let file = folder.join(FILE);
        if file.is_file() {
            let text = read::text(&file)?;
            return Ok(Some((folder, Input { path: file.to_string_lossy().into_owned(), text })));
        }
        folder.push("..");
    }
    Ok(None)
}
