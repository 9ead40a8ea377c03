//! Checks the order of imports: each module imports only earlier modules, and no file or folder imports
//! itself through other files.
//!
//! An import is any path in the code: of a `use`, of a call, of a type, in the arguments of a macro. It
//! leads to the file that declares the name, also through `pub use`. The name of a module
//! alone is no import; the names behind it are. Tests inside `src` do not count.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use crate::harness::{root, walk};

/// The modules at the top, in the order of the data. A module imports only those before it.
const ORDER: &[&str] = &[
    "text",
    "threads",
    "target",
    "hazard",
    "code",
    "finding",
    "backend",
    "images",
    "kubernetes_api",
    "diag",
    "gap",
    "input",
    "options",
    "value",
    "spec",
    "model",
    "schema",
    "emit",
    "plan",
    "world",
    "mechanism",
    "explore",
    "verify",
    "certificate",
    "change",
    "compile",
    "explain",
    "lib",
    "cli",
    "main",
];

/// The orchestrators. A file with the name of one imports no file with the name of another.
const TARGETS: &[&str] = &["kubernetes", "fleet", "swarm"];

/// A path in the code, a segment for each step.
type Path = Vec<String>;

/// What one file declares and names, not yet resolved.
#[derive(Default)]
struct Source {
    /// The module that the file is: empty for the root.
    module: Path,
    /// The names that `use` brings in, each with the path behind it.
    names: BTreeMap<String, Path>,
    /// The paths behind `pub use NAME::*`.
    globs: Vec<Path>,
    /// The macros that the crate exports.
    macros: Vec<String>,
    /// All other paths, as written.
    paths: BTreeSet<Path>,
    /// The paths of each private `use`.
    uses: BTreeSet<Path>,
    /// The types that it declares.
    types: BTreeSet<String>,
    /// The types that it gives methods.
    methods: BTreeSet<String>,
}

impl Source {
    /// Flattens one `use` into the names that it brings in.
    fn flatten(&mut self, tree: &syn::UseTree, mut path: Path, public: bool) {
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.flatten(&step.tree, path, public);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.flatten(tree, path.clone(), public));
            }
            syn::UseTree::Glob(_) if public => self.globs.push(path),
            syn::UseTree::Glob(_) => {
                path.push("*".to_owned());
                self.uses.insert(path);
            }
            syn::UseTree::Name(name) => self.bind(path, &name.ident, &name.ident, public),
            syn::UseTree::Rename(name) => self.bind(path, &name.ident, &name.rename, public),
        }
    }

    fn bind(&mut self, mut path: Path, item: &syn::Ident, name: &syn::Ident, public: bool) {
        let own = item == "self";
        if !own {
            path.push(item.to_string());
        }
        let name =
            if own && item == name { path.last().cloned().unwrap_or_default() } else { name.to_string() };
        if !public {
            self.uses.insert(path.clone());
        }
        self.names.insert(name, path);
    }

    /// Collects the paths in the tokens of a macro's call, which syn does not parse.
    fn scan(&mut self, tokens: &str) {
        let mut path = Path::new();
        let mut joined = false;
        let mut quoted = false;
        let text = tokens.replace("\\\\", "").replace("\\\"", "").replace("::", " :: ");
        for word in text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let (name, rest) = word.split_at(
                word.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).len(),
            );
            if !quoted {
                match name {
                    "" => {}
                    "::" => joined = true,
                    name => {
                        if !joined {
                            self.paths.insert(std::mem::take(&mut path));
                        }
                        path.push(name.to_owned());
                        joined = false;
                    }
                }
            }
            if rest.contains('"') {
                quoted = !quoted;
            }
            if !rest.trim().is_empty() {
                self.paths.insert(std::mem::take(&mut path));
                joined = false;
            }
        }
        self.paths.insert(path);
    }
}

impl<'a> Visit<'a> for Source {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.flatten(&item.tree, Path::new(), public);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.paths.insert(path.segments.iter().map(|s| s.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_enum(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if let (None, syn::Type::Path(of)) = (&item.trait_, &*item.self_ty) {
            self.methods.extend(of.path.segments.last().map(|s| s.ident.to_string()));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, _: &'a syn::ItemMod) {}

    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.scan(&call.tokens.to_string());
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let exported = item.attrs.iter().any(|a| a.path().is_ident("macro_export"));
        if let (true, Some(name)) = (exported, &item.ident) {
            self.macros.push(name.to_string());
        }
        visit::visit_item_macro(self, item);
    }
}

/// The files of `src` and what each imports.
struct Graph {
    files: BTreeMap<String, Source>,
    /// The file of each module.
    modules: BTreeMap<Path, String>,
}

impl Graph {
    fn read() -> Self {
        let src = root().join("src");
        let mut graph = Self { files: BTreeMap::new(), modules: BTreeMap::new() };
        for path in walk(&src).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            let mut module: Path = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|m| ["mod", "lib", "main"].contains(&m.as_str())) {
                module.pop();
            }
            let mut source = Source { module: module.clone(), ..Source::default() };
            source.visit_file(&syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap());
            if name != "main.rs" {
                graph.modules.insert(module, name.clone());
            }
            graph.files.insert(name, source);
        }
        graph
    }

    /// Returns the same path from the root of the crate, or none for a path of another crate.
    fn absolute(&self, from: &Source, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let mut at = from.module.clone();
        match first.as_str() {
            "crate" | "berthc" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            name => {
                at.push(name.to_owned());
                if !self.modules.contains_key(&at) {
                    let bound = from.names.get(name).filter(|p| p.as_slice() != [name])?;
                    at = self.absolute(from, bound)?;
                }
            }
        }
        for step in rest {
            if step == "super" { drop(at.pop()) } else { at.push(step.clone()) }
        }
        Some(at)
    }

    /// Returns the file that declares the end of an absolute path, and follows re-exports.
    fn home(&self, path: &[String]) -> Option<String> {
        let known = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]))?;
        let (module, rest) = path.split_at(known);
        let file = &self.modules[module];
        let source = &self.files[file];
        let Some(name) = rest.first() else { return Some(file.clone()) };
        if module.is_empty()
            && let Some((file, _)) = self.files.iter().find(|(_, s)| s.macros.contains(name))
        {
            return Some(file.clone());
        }
        match source.names.get(name) {
            Some(behind) => {
                let mut all = self.absolute(source, behind)?;
                all.extend_from_slice(&rest[1..]);
                self.home(&all)
            }
            None => Some(file.clone()),
        }
    }

    /// Returns the imports of each file.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for (file, source) in &self.files {
            let named = source.paths.iter().chain(&source.uses);
            // The name of a module alone is no import; the names behind it are.
            let items = named
                .filter_map(|path| self.absolute(source, path))
                .filter(|path| !self.modules.contains_key(path));
            let homes = items.filter_map(|path| self.home(&path));
            all.insert(file.as_str(), homes.filter(|home| home != file).collect());
        }
        all
    }
}

/// Returns the edges between the entries of `folder` (files and folders), each with its first import.
fn entries<'g>(
    imports: &'g BTreeMap<&str, BTreeSet<String>>,
    folder: &str,
) -> BTreeMap<&'g str, BTreeMap<&'g str, String>> {
    let entry = |file: &'g str| -> Option<&'g str> {
        let rest = if folder.is_empty() { file } else { file.strip_prefix(folder)?.strip_prefix('/')? };
        rest.split('/').next()
    };
    let mut edges: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for (file, homes) in imports {
        let Some(from) = entry(file) else { continue };
        let of = edges.entry(from).or_default();
        for home in homes {
            if let Some(to) = entry(home).filter(|to| *to != from) {
                of.entry(to).or_insert_with(|| format!("{file} imports {home}"));
            }
        }
    }
    edges
}

/// Returns a circle among the entries of a folder, as the imports in it.
fn circle(edges: &BTreeMap<&str, BTreeMap<&str, String>>) -> Option<Vec<String>> {
    let mut left = edges.clone();
    // Removes entries without imports among the rest, until only circles are left.
    while let Some(free) =
        left.iter().find(|(_, to)| to.keys().all(|to| !left.contains_key(to))).map(|(entry, _)| *entry)
    {
        left.remove(free);
    }
    let mut at = *left.keys().next()?;
    let (mut seen, mut way) = (Vec::new(), Vec::new());
    while !seen.contains(&at) {
        seen.push(at);
        let (to, import) = left[at].iter().find(|(to, _)| left.contains_key(*to))?;
        way.push(import.clone());
        at = to;
    }
    let start = seen.iter().position(|entry| *entry == at)?;
    Some(way.split_off(start))
}

/// Returns the folders of `src` with these files, the top first.
fn folders<'g>(imports: &BTreeMap<&'g str, BTreeSet<String>>) -> BTreeSet<&'g str> {
    let above =
        |file: &&'g str| -> Vec<&'g str> { file.match_indices('/').map(|(end, _)| &file[..end]).collect() };
    imports.keys().flat_map(above).chain([""]).collect()
}

#[test]
fn imports_go_in_one_direction() {
    let graph = Graph::read();
    let imports = graph.imports();
    let place = |entry: &str| {
        let name = entry.trim_end_matches(".rs");
        ORDER.iter().position(|o| *o == name).unwrap_or_else(|| panic!("`{name}` has no place in the order"))
    };
    let mut wrong = Vec::new();
    for (from, to) in entries(&imports, "") {
        wrong.extend(to.into_iter().filter(|(to, _)| place(to) >= place(from)).map(|(_, import)| import));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let modules: BTreeSet<&str> = entries(&imports, "").keys().map(|e| e.trim_end_matches(".rs")).collect();
    let gone: Vec<&&str> = ORDER.iter().filter(|o| !modules.contains(**o)).collect();
    assert!(gone.is_empty(), "the order names what does not exist: {gone:?}");
}

#[test]
fn no_folder_has_an_import_cycle_of_more_than_three_files() {
    let graph = Graph::read();
    let imports = graph.imports();
    let found: Vec<String> = folders(&imports)
        .into_iter()
        .filter_map(|folder| {
            Some(format!("in src/{folder}: {}", circle(&entries(&imports, folder))?.join(", ")))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn orchestrators_do_not_import_each_other() {
    let graph = Graph::read();
    let of = |file: &str| -> Option<&str> {
        let mut steps = file.split(['/', '.']);
        steps.find_map(|step| TARGETS.iter().copied().find(|target| *target == step))
    };
    let mut wrong = Vec::new();
    for (file, homes) in graph.imports() {
        let Some(own) = of(file) else { continue };
        let others = homes.iter().filter(|home| of(home).is_some_and(|other| other != own));
        wrong.extend(others.map(|home| format!("{file} imports {home}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A method in another file than its type is called without an import, so the tests above do not see it.
#[test]
fn methods_are_in_the_file_of_their_type() {
    let mut wrong = Vec::new();
    for (file, source) in Graph::read().files {
        wrong.extend(source.methods.difference(&source.types).map(|of| format!("{file}: impl {of}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
