//! Which modules and crates each source file names. Code under `#[cfg(test)]` may name what it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};

/// The name under which the thin binary uses the library.
const LIBRARY: &str = "usersyncd";

/// A file of the sources and what it names.
pub(super) struct Source {
    /// From the folder that holds `src` on: `src/sync/pass.rs`.
    pub(super) file: String,
    /// The path of the file's module: `sync::pass`; empty for `lib.rs`.
    pub(super) module: Vec<String>,
    pub(super) edges: Vec<Edge>,
}

/// One use of something that is not the file's own.
pub(super) struct Edge {
    /// The path as it stands in the source, for the message.
    pub(super) written: String,
    pub(super) target: Target,
}

#[derive(Clone)]
pub(super) enum Target {
    /// A path inside of the library, from its root on, down to the item that is named, or to `*`.
    Module(Vec<String>),
    Crate(String),
}

/// Reads every file below `src`. A path that begins with one of `crates` names that crate.
pub(super) fn read(src: &Path, crates: &BTreeSet<String>) -> Vec<Source> {
    let mut files = Vec::new();
    list(src, &mut files);
    files.sort();
    let parsed: Vec<(String, Vec<String>, syn::File)> = files
        .iter()
        .map(|path| {
            let inside = path.strip_prefix(src).unwrap();
            let text = std::fs::read_to_string(path).unwrap();
            let file = syn::parse_file(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", inside.display()));
            (format!("src/{}", inside.display()), module_of(inside), file)
        })
        .collect();
    let tests: Vec<Vec<String>> = parsed
        .iter()
        .flat_map(|(_, module, file)| test_modules(module, file))
        .collect();
    let modules = parsed
        .iter()
        .flat_map(|(_, module, _)| prefixes(module))
        .collect();
    let product = parsed
        .into_iter()
        .filter(|(_, module, _)| !tests.iter().any(|test| module.starts_with(test)));
    product
        .map(|(name, module, file)| source(name, module, &file, &modules, crates))
        .collect()
}

fn source(
    name: String,
    module: Vec<String>,
    file: &syn::File,
    modules: &BTreeSet<Vec<String>>,
    crates: &BTreeSet<String>,
) -> Source {
    let mut walk = Walk {
        root: module
            .iter()
            .take_while(|name| *name == "main")
            .cloned()
            .collect(),
        module: module.clone(),
        modules,
        crates,
        names: BTreeMap::new(),
        importing: true,
        edges: Vec::new(),
    };
    // Imports first: code above an import may use the name that it brings.
    walk.visit_file(file);
    walk.importing = false;
    walk.visit_file(file);
    Source {
        file: name,
        module,
        edges: walk.edges,
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `sync/mod.rs` is `sync`, `sync/pass.rs` is `sync::pass`, `lib.rs` is the root.
fn module_of(file: &Path) -> Vec<String> {
    let without_extension = file.with_extension("");
    let mut module: Vec<String> = without_extension
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

/// A module and those around it.
fn prefixes(module: &[String]) -> impl Iterator<Item = Vec<String>> {
    (1..=module.len()).map(|length| module[..length].to_vec())
}

/// The modules with files of their own that a file declares under `#[cfg(test)]`.
fn test_modules(module: &[String], file: &syn::File) -> Vec<Vec<String>> {
    let declared = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() && is_test(&item.attrs) => {
            Some(item.ident.to_string())
        }
        _ => None,
    });
    declared.map(|name| [module, &[name]].concat()).collect()
}

/// Walks one file, twice.
struct Walk<'a> {
    /// What `crate` stands for: nothing, or `main` in the binary.
    root: Vec<String>,
    module: Vec<String>,
    modules: &'a BTreeSet<Vec<String>>,
    crates: &'a BTreeSet<String>,
    /// What the names that imports bring into a module stand for.
    names: BTreeMap<(Vec<String>, String), Target>,
    importing: bool,
    edges: Vec<Edge>,
}

impl Walk<'_> {
    fn resolve(&self, path: &[String]) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let below = |module: &[String]| Some(Target::Module([module, rest].concat()));
        match first.as_str() {
            "crate" => return below(&self.root),
            "self" => return below(&self.module),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let module = &self.module[..self.module.len().saturating_sub(ups)];
                return Some(Target::Module([module, &path[ups..]].concat()));
            }
            LIBRARY if !self.root.is_empty() => return below(&[]),
            _ => {}
        }
        if let Some(target) = self.names.get(&(self.module.clone(), first.clone())) {
            return match target {
                Target::Module(module) => below(module),
                Target::Crate(name) => Some(Target::Crate(name.clone())),
            };
        }
        let child = [self.module.as_slice(), std::slice::from_ref(first)].concat();
        if self.modules.contains(&child) {
            return below(&child);
        }
        self.crates
            .contains(first)
            .then(|| Target::Crate(first.clone()))
    }

    /// Notes a path of the code. A bare name is a local one or imported, and then the import was noted.
    fn note(&mut self, path: &[String]) {
        if path.len() > 1
            && let Some(target) = self.resolve(path)
        {
            self.edges.push(Edge {
                written: path.join("::"),
                target,
            });
        }
    }

    /// Notes an import, and what its last name stands for from here on.
    fn import(&mut self, path: &[String], name: &str) {
        let Some(target) = self.resolve(path) else {
            return;
        };
        self.names
            .insert((self.module.clone(), name.to_owned()), target.clone());
        self.edges.push(Edge {
            written: path.join("::"),
            target,
        });
    }

    fn imports(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.imports(&path.tree, &with(&path.ident)),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.imports(tree, prefix)),
            syn::UseTree::Glob(_) => self.import(&[prefix, &["*".to_owned()]].concat(), "*"),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.import(prefix, prefix.last().map_or("", String::as_str));
            }
            syn::UseTree::Name(name) => self.import(&with(&name.ident), &name.ident.to_string()),
            syn::UseTree::Rename(rename) if rename.ident == "self" => {
                self.import(prefix, &rename.rename.to_string());
            }
            syn::UseTree::Rename(rename) => {
                self.import(&with(&rename.ident), &rename.rename.to_string());
            }
        }
    }

    /// Notes the paths in tokens that are not parsed: arguments of macros and attributes.
    fn tokens(&mut self, mut cursor: Cursor<'_>) {
        let mut path: Vec<String> = Vec::new();
        while !cursor.eof() {
            if let Some((name, next)) = cursor.ident() {
                path.push(name.to_string());
                cursor = next;
                if let Some(next) = separator(cursor) {
                    cursor = next;
                    continue;
                }
            } else if let Some((inside, _, _, next)) = cursor.any_group() {
                self.tokens(inside);
                cursor = next;
            } else if let Some((literal, next)) = cursor.literal() {
                // serde takes functions and modules as text.
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                if let Ok(path) = text.and_then(|text| text.parse::<syn::Path>()) {
                    self.visit_path(&path);
                }
                cursor = next;
            } else if let Some((_, next)) = cursor.token_tree() {
                cursor = next;
            }
            self.note(&std::mem::take(&mut path));
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if self.importing {
            self.imports(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if !self.importing {
            let names: Vec<String> = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.note(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if !self.importing {
            self.tokens(TokenBuffer::new2(call.tokens.clone()).begin());
        }
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        if !self.importing {
            self.tokens(TokenBuffer::new2(list.tokens.clone()).begin());
        }
    }

    /// `pub(crate)` and its kin name no module in order to use it.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// What follows `::`.
fn separator(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, next) = cursor.punct()?;
    let (second, next) = next.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(next)
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, …))]` stands there.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return false;
        };
        let condition = list.tokens.to_string();
        list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
    })
}

fn item_attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
