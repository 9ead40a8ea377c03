//! Files of several orchestrators: each is read once, by the reader of its orchestrator.

use super::file::File;
use super::known::Known;
use super::workload::World;
use crate::target::Target;

/// Files of several orchestrators, read.
#[derive(Debug)]
pub struct Worlds<'f> {
    /// The files.
    pub files: Vec<File<'f>>,
    /// The orchestrator that each of them is for.
    pub targets: Vec<Option<Target>>,
    /// One for each orchestrator that has files.
    pub read: Vec<Read>,
    /// The paths of the ignored files, which belong to no orchestrator.
    pub passed: Vec<String>,
}

/// The files of one orchestrator, read.
#[derive(Debug)]
pub struct Read {
    /// The orchestrator.
    pub target: Target,
    /// How many files it has.
    pub files: usize,
    /// What they say.
    pub world: World,
}

impl<'f> Worlds<'f> {
    /// Reads `files`, all of which may run in one cluster. Calls `before` for each orchestrator
    /// with the number of its files.
    pub fn read(files: &[File<'f>], known: Known<'_>, before: &mut dyn FnMut(usize)) -> Self {
        let targets: Vec<Option<Target>> = files.iter().map(|f| Target::of_file(f.path, f.text)).collect();
        let of = |target: Option<Target>| files.iter().zip(&targets).filter(move |(_, t)| **t == target);
        let passed = of(None).map(|(file, _)| file.path.to_owned()).collect();
        let mut all = Vec::new();
        for target in Target::ALL {
            let own: Vec<File<'_>> = of(Some(target)).map(|(file, _)| *file).collect();
            if !own.is_empty() {
                before(own.len());
                let world = super::read(target, &own, known);
                all.push(Read { target, files: own.len(), world });
            }
        }
        Self { files: files.to_vec(), targets, read: all, passed }
    }
}
