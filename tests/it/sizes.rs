//! Tests the size of files and functions: each must be readable at once.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::harness::{root, walk};

/// The maximum number of lines of one file of `src`.
const FILE: usize = 450;

/// The maximum number of lines of one function of `src`, from its name to its last brace, including
/// its closures.
const FUNCTION: usize = 80;

/// Returns each file of `src` with its text.
fn sources() -> impl Iterator<Item = (String, String)> {
    let src = root().join("src");
    let rust = walk(&src).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    rust.map(move |path| {
        let name = path.strip_prefix(&src).unwrap().display().to_string();
        (name, std::fs::read_to_string(path).unwrap())
    })
}

/// The functions of one file, each with its number of lines.
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.span().end().line + 1 - signature.span().start().line;
        self.0.push((signature.ident.to_string(), lines));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn no_file_is_too_long() {
    let long = sources().map(|(file, text)| (file, text.lines().count())).filter(|(_, lines)| *lines > FILE);
    let long: Vec<String> = long.map(|(file, lines)| format!("{file}: {lines} lines")).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_function_is_too_long() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(&text).unwrap());
        let over = functions.0.into_iter().filter(|(_, lines)| *lines > FUNCTION);
        long.extend(over.map(|(name, lines)| format!("{file}: {name} has {lines} lines")));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}
