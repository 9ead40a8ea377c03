//! Helpers that the tests share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use berthc::{Diagnostic, Files, Input, Options, Tree};

/// Returns the folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the built program in the folder of the project, without colours.
pub fn berthc<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    berthc_in(root(), args)
}

/// Runs the built program in the folder `dir`, without colours.
pub fn berthc_in<S: AsRef<std::ffi::OsStr>>(dir: &Path, args: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_berthc"))
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env("BERTHC_CACHE", "")
        .output()
        .unwrap()
}

/// Writes the files of a project below `dir`.
pub fn files(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The xorshift generator: small, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// Returns a number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    /// Returns one of `all`.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Returns what a run printed on stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns what a run printed on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The files that a spec may name, by path.
#[derive(Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}

/// Checks that twice the text, as [`crate::hostile`] makes it, gives about twice the result, in bytes.
pub fn grows_with_its_text<T: std::fmt::Debug>(
    read: impl Fn(&str) -> T,
    texts: impl Fn(usize) -> Vec<String>,
) {
    struct Bytes(usize);
    impl std::fmt::Write for Bytes {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let size = |text: &String| {
        let mut bytes = Bytes(0);
        std::fmt::write(&mut bytes, format_args!("{:?}", read(text))).unwrap();
        bytes.0
    };
    for (small, large) in texts(2).iter().zip(&texts(4)) {
        let (before, after) = (size(small), size(large));
        let start: String = large.chars().take(80).collect();
        assert!(after <= 2 * before + before / 10 + (64 << 10), "{before} and {after} bytes of {start}");
    }
}

/// Compiles texts by path.
pub fn compile(specs: &[(&str, &str)]) -> (Option<Tree>, Vec<Diagnostic>) {
    compile_with(specs, &Options::default())
}

/// Compiles texts by path, with options.
pub fn compile_with(specs: &[(&str, &str)], options: &Options) -> (Option<Tree>, Vec<Diagnostic>) {
    let inputs: Vec<Input> =
        specs.iter().map(|(path, text)| Input { path: (*path).into(), text: (*text).into() }).collect();
    let berthc::Compiled { tree, diagnostics, .. } = berthc::compile(&inputs, &Memory::default(), options);
    (tree, diagnostics)
}

/// Returns the files below `dir`, in order.
pub fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Compares `text` with `golden/<folder>/<name>.snap`.
pub fn golden(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("golden").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
