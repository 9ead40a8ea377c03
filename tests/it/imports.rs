//! Checks the order of imports: each module imports only earlier modules, and no file or folder imports
//! itself through other files.
//!
//! An import is any path in the code: of a `use`, of a call, of a type, in the arguments of a macro or an
//! attribute. It leads to the file that declares the name, also through `pub use`. A `pub use` is itself
//! an import if the name comes from outside of the module. The name of a module alone is no import; the
//! names behind it are. Tests inside `src` do not count.

use std::collections::{BTreeMap, BTreeSet};

use berthc::Target;
use proc_macro2::{TokenStream, TokenTree};
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
    "change",
    "verify",
    "certificate",
    "compile",
    "explain",
    "lib",
    "cli",
    "main",
];

/// A path in the code, a segment for each step.
type Path = Vec<String>;

/// What one file declares and names, not yet resolved.
#[derive(Default)]
struct Source {
    /// The module that the file is: empty for the root.
    module: Path,
    /// The names that `use` brings in, each with the path behind it.
    names: BTreeMap<String, Path>,
    /// The paths of each `pub use`.
    exports: BTreeSet<Path>,
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
            syn::UseTree::Glob(_) => {
                path.push("*".to_owned());
                if public { &mut self.exports } else { &mut self.uses }.insert(path);
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
        if public { &mut self.exports } else { &mut self.uses }.insert(path.clone());
        self.names.insert(name, path);
    }

    /// Collects the paths in tokens that syn does not parse: those of a macro or an attribute.
    fn scan(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Path::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons < 2 {
                        self.paths.insert(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                other => {
                    self.paths.insert(std::mem::take(&mut path));
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
            colons = 0;
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

    /// Collects what a module inside the file imports from other files.
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let test = |a: &syn::Attribute| {
            a.path().is_ident("cfg") && a.meta.require_list().is_ok_and(|l| l.tokens.to_string() == "test")
        };
        if item.attrs.iter().any(test) {
            return;
        }
        let mut inner = Self::default();
        visit::visit_item_mod(&mut inner, item);
        for mut path in inner.paths.into_iter().chain(inner.uses).chain(inner.exports) {
            match path.first().map(String::as_str) {
                Some("super") => path[0] = "self".to_owned(),
                Some("crate") => {}
                _ => continue,
            }
            self.paths.insert(path);
        }
    }

    fn visit_meta_list(&mut self, list: &'a syn::MetaList) {
        self.scan(list.tokens.clone());
    }

    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
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
    /// Reads all of `src`.
    fn read() -> Self {
        let src = root().join("src");
        let files = walk(&src).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
        Self::of(files.map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        }))
    }

    /// Makes the graph of files with these names and texts.
    fn of(files: impl Iterator<Item = (String, String)>) -> Self {
        let mut graph = Self { files: BTreeMap::new(), modules: BTreeMap::new() };
        for (name, text) in files {
            let mut module: Path = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|m| ["mod", "lib", "main"].contains(&m.as_str())) {
                module.pop();
            }
            let mut source = Source { module: module.clone(), ..Source::default() };
            source.visit_file(&syn::parse_file(&text).unwrap());
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
            let exports = source.exports.iter().filter_map(|path| self.absolute(source, path));
            let exports = exports.filter(|path| !path.starts_with(&source.module));
            let homes = items.chain(exports).filter_map(|path| self.home(&path));
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

/// The imports of the file `a/one.rs` with this code, next to a file `b.rs` and in front of `c.rs`.
fn imports_of(code: &str) -> BTreeSet<String> {
    let files = [
        ("lib.rs", "pub mod a; pub mod b; pub mod c; pub use b::X;"),
        ("a/mod.rs", "pub mod one; pub mod two; pub use two::Two;"),
        ("a/one.rs", code),
        ("a/two.rs", "pub struct Two;"),
        ("b.rs", "pub struct X; pub fn y() {}"),
        ("c.rs", "pub use crate::b::y;"),
    ];
    let graph = Graph::of(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())));
    graph.imports().remove("a/one.rs").unwrap()
}

#[test]
fn each_way_to_name_a_file_is_an_import() {
    for code in [
        "use crate::b::X;",
        "use crate::b::{X, y};",
        "use crate::{b::{self, X}, c};",
        "use crate::b::*;",
        "use crate::X;",
        "use crate::c::y;",
        "use super::super::b::X;",
        "use crate::b; fn f() { b::y() }",
        "use crate::b as other; fn f() -> other::X { other::X }",
        "use crate::c; fn f() { c::y() }",
        "pub use crate::b::X;",
        "pub(super) use crate::b::*;",
        "fn f() { crate::b::y() }",
        "fn f() { super::super::b::y() }",
        "fn f() { use crate::b::y; }",
        "struct S(Vec<crate::b::X>);",
        "fn f(g: impl Fn() -> crate::b::X) {}",
        "type T = <crate::b::X as Default>::T;",
        "impl Drop for crate::b::X { fn drop(&mut self) {} }",
        "fn f() { println!(\"{}\", crate::b::y()) }",
        "fn f() { assert!('\"' == c, \"{:?}\", [crate::b::y()]) }",
        "macro_rules! m { () => { $crate::b::y() } }",
        "#[schemars(transform = crate::b::y)] struct S;",
        "pub mod inner { use super::super::super::b::X; }",
        "pub mod inner { fn f() { crate::b::y() } }",
    ] {
        assert_eq!(imports_of(code), ["b.rs".to_owned()].into(), "{code}");
    }
    for code in
        ["use super::Two;", "use super::two::Two;", "fn f() { super::Two; }", "fn f(t: crate::a::Two) {}"]
    {
        assert_eq!(imports_of(code), ["a/two.rs".to_owned()].into(), "{code}");
    }
    for code in [
        "use crate::b;",
        "use self::inner::X; mod inner { pub struct X; }",
        "#[cfg(test)] mod tests { use crate::b::X; }",
    ] {
        assert_eq!(imports_of(code), BTreeSet::new(), "{code}");
    }
}

#[test]
fn a_circle_of_two_files_is_found() {
    let files = [
        ("lib.rs", ""),
        ("a/x.rs", "use super::y::Y; pub struct X;"),
        ("a/y.rs", "use super::x::X; pub struct Y;"),
    ];
    let graph = Graph::of(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())));
    let imports = graph.imports();
    assert_eq!(circle(&entries(&imports, "")), None);
    let found = circle(&entries(&imports, "a")).unwrap();
    assert_eq!(found, ["a/x.rs imports a/y.rs", "a/y.rs imports a/x.rs"]);
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

/// A file with the name of an orchestrator imports no file with the name of another.
#[test]
fn orchestrators_do_not_import_each_other() {
    let graph = Graph::read();
    let of = |file: &str| -> Option<&str> {
        let mut steps = file.split(['/', '.']);
        steps.find_map(Target::named).map(Target::name)
    };
    let mut wrong = Vec::new();
    for (file, homes) in graph.imports() {
        let Some(own) = of(file) else { continue };
        let others = homes.iter().filter(|home| of(home).is_some_and(|other| other != own));
        wrong.extend(others.map(|home| format!("{file} imports {home}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files are read back without the plan, and neither of the two judges knows the other.
#[test]
fn judges_are_independent() {
    const APART: [(&str, &str); 6] = [
        ("world", "plan"),
        ("mechanism", "plan"),
        ("explore", "plan"),
        ("verify", "plan"),
        ("certificate", "explore"),
        ("certificate", "verify"),
    ];
    let graph = Graph::read();
    let imports = graph.imports();
    let edges = entries(&imports, "");
    let wrong: Vec<&String> = APART.into_iter().filter_map(|(from, to)| edges.get(from)?.get(to)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
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
