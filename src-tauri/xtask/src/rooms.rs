//! The rooms of the engine: which may import which.
//!
//! A room is a module of the engine, such as `bson` or `cache::file`. The list is in order: a room imports from those
//! before it and from itself. Imports between the files of a room form no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use crate::Outcome;

/// The rooms, lowest first.
const ROOMS: [&str; 25] = [
    "zone_rules",
    "secret",
    "words",
    "limits",
    "moment",
    "failure",
    "day",
    "rows",
    "bson",
    "query",
    "plan",
    "proposal",
    "answer",
    "decode",
    "source",
    "cache::file",
    "cache::read",
    "cache::write",
    "cache::export",
    "cache::adhoc",
    "cache::store",
    "api",
    "engine",
    "run",
    "browse",
];

/// Facades: they only name again what their rooms hold, for the rooms above all of these.
const FACADES: [(&str, &str); 1] = [("cache", "cache::store")];

/// One file imports from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    /// Module of the importing file, such as `cache::read::view`.
    from: String,
    /// Module of the imported file.
    to: String,
    /// Line of the import, from 1.
    line: usize,
}

/// Imports of the engine's sources that go upwards or in a circle, each in a sentence.
///
/// # Errors
/// The sentences, or why the sources cannot be read.
pub(crate) fn check(sources: &Path) -> Outcome {
    let modules = modules(sources)?;
    let mut imports = BTreeSet::new();
    for (module, path) in &modules {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}.", path.display()))?;
        imports.extend(imports_of(module, &text, &modules)?);
    }
    let found = problems(&imports, modules.keys());
    if found.is_empty() { Ok(()) } else { Err(found.join("\n  ")) }
}

/// The engine's source files by module.
fn modules(sources: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut modules = BTreeMap::new();
    let mut folders = vec![sources.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}.", folder.display()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(sources).unwrap_or(&path).with_extension("");
            let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
            if path.extension().is_some_and(|ending| ending == "rs")
                && parts.last().is_none_or(|last| last != "tests")
            {
                modules.insert(parts.join("::"), path);
            }
        }
    }
    Ok(modules)
}

/// What a file imports from other files of the engine, tests left out: they may look anywhere.
fn imports_of(
    module: &str,
    text: &str,
    modules: &BTreeMap<String, PathBuf>,
) -> Result<BTreeSet<Import>, String> {
    let file = syn::parse_file(text).map_err(|error| format!("{module}: {error}."))?;
    let mut collector = Collector { module, modules, imports: BTreeSet::new() };
    collector.visit_file(&file);
    Ok(collector.imports)
}

struct Collector<'a> {
    module: &'a str,
    modules: &'a BTreeMap<String, PathBuf>,
    imports: BTreeSet<Import>,
}

impl Collector<'_> {
    /// Notes a path, if it leads to another file of the engine.
    fn note(&mut self, path: &[String], line: usize) {
        let own: Vec<&str> =
            if self.module == "lib" { Vec::new() } else { self.module.split("::").collect() };
        let Some(first) = path.first() else { return };
        let mut target: Vec<&str> = match &**first {
            "crate" => Vec::new(),
            "self" => own,
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                own[..own.len().saturating_sub(up)].to_vec()
            }
            child => {
                let whole = own.iter().copied().chain([child]).collect::<Vec<_>>().join("::");
                if !self.modules.contains_key(&whole) {
                    return;
                }
                own
            }
        };
        let relative = ["crate", "self", "super"];
        target.extend(path.iter().map(String::as_str).skip_while(|part| relative.contains(part)));
        // The longest beginning that is a file: what follows is something in it.
        while !target.is_empty() && !self.modules.contains_key(&target.join("::")) {
            target.pop();
        }
        let to = target.join("::");
        if !to.is_empty() && to != self.module {
            self.imports.insert(Import { from: self.module.to_owned(), to, line });
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree, line: usize) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree, line),
            syn::UseTree::Name(name) => self.note(&with(&name.ident), line),
            syn::UseTree::Rename(name) => self.note(&with(&name.ident), line),
            syn::UseTree::Glob(_) => self.note(before, line),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(before, tree, line);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        let is_test = attributes.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|only| only == "test")
        });
        if !is_test {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree, item.use_token.span.start().line);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
            let line = path.segments[0].ident.span().start().line;
            if ["crate", "self", "super"].contains(&&*names[0]) {
                self.note(&names, line);
            }
        }
        visit::visit_path(self, path);
    }
}

/// The room that a module belongs to, by its place in the list.
fn room_of(module: &str) -> Option<usize> {
    let facade = FACADES.iter().find(|(facade, _)| *facade == module).map(|(_, rank)| *rank);
    let module = facade.unwrap_or(module);
    ROOMS.iter().position(|room| {
        module.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

/// A file without its folders: `cache::file` declares the files of the room and belongs to none of its circles.
fn declares(from: &str, to: &str) -> bool {
    to.strip_prefix(from).is_some_and(|rest| rest.starts_with("::"))
}

fn problems<'a>(imports: &BTreeSet<Import>, modules: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = modules
        .filter(|module| *module != "lib" && !module.ends_with("fixtures") && room_of(module).is_none())
        .map(|module| format!("{module} is in no room: add it to the list in xtask/src/rooms.rs"))
        .collect();
    let file = |module: &str| format!("{}.rs", module.replace("::", "/"));
    for import in imports.iter().filter(|import| import.from != "lib") {
        let Import { from, to, line } = import;
        if let (Some(own), Some(other)) = (room_of(from), room_of(to))
            && other > own
        {
            found.push(format!(
                "{}:{line} imports {to}, a room above its own: {} may import from rooms before it alone",
                file(from),
                ROOMS[own]
            ));
        }
    }
    for circle in circles(imports) {
        let files: Vec<String> = circle.iter().map(|module| file(module)).collect();
        found.push(format!("These files import each other in a circle: {}", files.join(", ")));
    }
    found
}

/// Files of which each imports every other, at once or by way of others.
fn circles(imports: &BTreeSet<Import>) -> Vec<Vec<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Import { from, to, .. } in imports.iter().filter(|import| !declares(&import.from, &import.to)) {
        next.entry(from).or_default().insert(to);
    }
    let reached = |start: &str| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
        while let Some(module) = open.pop() {
            if seen.insert(module) {
                open.extend(next.get(module).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|module| (*module, reached(module))).collect();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for (module, ahead) in &reach {
        if !ahead.contains(module) || circles.iter().flatten().any(|known| known == module) {
            continue;
        }
        circles.push(
            ahead
                .iter()
                .copied()
                .filter(|other| reach.get(other).is_some_and(|back| back.contains(module)))
                .collect(),
        );
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules_of(names: &[&str]) -> BTreeMap<String, PathBuf> {
        names.iter().map(|name| ((*name).to_owned(), PathBuf::new())).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let modules = modules_of(&names);
        let imports = files
            .iter()
            .flat_map(|(name, text)| imports_of(name, text, &modules).expect("it parses"))
            .collect();
        problems(&imports, modules.keys())
    }

    #[test]
    fn an_import_upwards_is_found() {
        let plan = ("plan", "pub struct Plan;");
        assert!(found(&[plan, ("run::fetch", "use crate::plan::Plan;")]).is_empty());
        let upwards = found(&[plan, ("query::form", "use std::fmt;\nuse crate::{plan::Plan};")]);
        assert_eq!(
            upwards,
            [
                "query/form.rs:2 imports plan, a room above its own: query may import from rooms before it alone"
            ]
        );
        for inline in [
            "fn f() -> crate::plan::Plan { x() }",
            "fn f() { let _ = super::super::plan::Plan; }",
            "impl From<crate::plan::Plan> for X {}",
        ] {
            assert_eq!(found(&[plan, ("query::form", inline)]).len(), 1, "{inline}");
        }
        assert!(
            found(&[plan, ("query::form", "#[cfg(test)]\nmod tests { use crate::plan::Plan; }")]).is_empty()
        );
    }

    #[test]
    fn a_circle_is_found() {
        let one = ("cache::file::one", "use super::two::Two;");
        let two = ("cache::file::two", "use super::three;");
        let back = ("cache::file::three", "use super::one::One;");
        assert!(found(&[one, two, ("cache::file::three", "")]).is_empty());
        assert_eq!(found(&[one, two, back]).len(), 1);
    }

    #[test]
    fn a_file_without_a_room_is_found() {
        assert_eq!(found(&[("attic", "")]).len(), 1);
    }
}
