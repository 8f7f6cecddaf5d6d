//! Finds circles of imports between the files of a crate. It reads paths that
//! begin with `crate`, `self`, `super` or a child module, and must never count
//! a root's re-exports (`pub use`) as imports, nor what only tests import. A
//! folder belongs to the file it is named after: what a child takes from the
//! modules above it is no arrow, but for the crate's root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Finding;
use super::modules::{Modules, inline_modules};
use super::source::Source;
use super::tree::Tree;
use super::workspace::Package;

/// From one file to another, with the line that first imports it.
type Edges = BTreeMap<String, BTreeMap<String, usize>>;

pub fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        for target in package.targets.iter().filter(|target| ["lib", "bin"].contains(&target.kind.as_str())) {
            let modules = Modules::of(target, tree);
            findings.extend(report(&edges(&Crate::new(&modules, tree))));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// One target's files and what they re-export.
struct Crate<'a> {
    modules: &'a Modules,
    tree: &'a Tree,
    /// From a module and a name in it to the path the name stands for.
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
    /// Modules that re-export everything of another.
    globs: BTreeMap<Vec<String>, Vec<Vec<String>>>,
}

/// A path as written, made absolute from the crate's root.
struct Import {
    path: Vec<String>,
    /// The name it has afterwards; `*` for all.
    name: String,
    line: usize,
    is_export: bool,
}

impl<'a> Crate<'a> {
    fn new(modules: &'a Modules, tree: &'a Tree) -> Crate<'a> {
        let mut this = Crate { modules, tree, exports: BTreeMap::new(), globs: BTreeMap::new() };
        for (module, file) in &modules.files {
            let Some(source) = this.source(file) else { continue };
            for import in this.imports(module, source).into_iter().filter(|import| import.is_export) {
                if import.name == "*" {
                    this.globs.entry(module.clone()).or_default().push(import.path);
                } else {
                    this.exports.insert((module.clone(), import.name), import.path);
                }
            }
        }
        this
    }

    fn source(&self, file: &str) -> Option<&'a Source> {
        self.tree.file(file)?.source.as_ref()
    }

    /// Every path of the file that leads into this crate.
    fn imports(&self, module: &[String], source: &Source) -> Vec<Import> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < source.tokens.len() {
            let start = at;
            at += 1;
            if source.is_test(start) || (start > 0 && ["::", "."].contains(&source.word(start - 1))) {
                continue;
            }
            let is_use = source.word(start) == "use";
            let first = start + usize::from(is_use);
            let is_path = source.word(first + 1) == "::" && self.base(module, source, first).is_some();
            let is_visibility = start > 1 && source.word(start - 1) == "in" && source.word(start - 2) == "(";
            if (is_use || is_path) && !is_visibility {
                let mut leaves = Vec::new();
                let end = leaves_of(source, first, &[], &mut leaves);
                let is_export = is_use && start > 0 && ["pub", ")"].contains(&source.word(start - 1));
                for (words, name) in leaves {
                    let Some(path) = self.absolute(module, source, first, &words) else { continue };
                    found.push(Import { path, name, line: source.line(first), is_export });
                }
                at = end.max(at);
            }
        }
        found
    }

    /// What a path's first word stands for, when that is in this crate.
    fn base(&self, module: &[String], source: &Source, at: usize) -> Option<Vec<String>> {
        let here = || [module, &inline_modules(source, at)[..]].concat();
        match source.word(at) {
            "crate" => Some(Vec::new()),
            "self" => Some(here()),
            "super" => {
                let mut path = here();
                path.pop();
                Some(path)
            }
            word => {
                let child = [module, &[word.to_owned()]].concat();
                self.modules.files.contains_key(&child).then_some(child)
            }
        }
    }

    fn absolute(&self, module: &[String], source: &Source, first: usize, words: &[String]) -> Option<Vec<String>> {
        let mut path = self.base(module, source, first)?;
        for word in &words[1..] {
            match word.as_str() {
                "super" => drop(path.pop()),
                "self" => {}
                _ => path.push(word.clone()),
            }
        }
        Some(path)
    }

    /// The file that defines what a path names, through re-exports.
    fn file_of(&self, path: &[String], depth: usize) -> Option<&'a String> {
        let mut module: Vec<String> = Vec::new();
        for (index, word) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(word)].concat();
            let is_module = self.modules.files.keys().any(|known| known.starts_with(&child));
            if is_module {
                module = child;
                continue;
            }
            if depth < 8 {
                if let Some(target) = self.exports.get(&(module.clone(), word.clone())) {
                    return self.file_of(&[&target[..], &path[index + 1..]].concat(), depth + 1);
                }
                let mut globs = self.globs.get(&module).into_iter().flatten();
                if let Some(target) = globs.find(|target| self.defines(target, word)) {
                    return self.file_of(target, depth + 1);
                }
            }
            break;
        }
        while !self.modules.files.contains_key(&module) && !module.is_empty() {
            module.pop();
        }
        self.modules.files.get(&module)
    }

    /// Whether `file` is that of a module above this one, the root excepted.
    fn is_above(&self, file: &String, module: &[String]) -> bool {
        (1..module.len()).any(|length| self.modules.files.get(&module[..length]) == Some(file))
    }

    fn defines(&self, module: &[String], name: &str) -> bool {
        const ITEMS: [&str; 9] = ["struct", "enum", "trait", "fn", "const", "static", "type", "union", "mod"];
        let source = self.modules.files.get(module).and_then(|file| self.source(file));
        source.is_some_and(|source| {
            (1..source.tokens.len()).any(|at| source.word(at) == name && ITEMS.contains(&source.word(at - 1)))
        })
    }
}

/// Collects the leaves of a path or use tree that starts at `at`, as written
/// words and the name each ends up with; returns the token after it.
fn leaves_of(source: &Source, mut at: usize, prefix: &[String], leaves: &mut Vec<(Vec<String>, String)>) -> usize {
    let mut words = prefix.to_vec();
    loop {
        match source.word(at) {
            "{" => {
                let Some(closing) = source.tokens[at].partner else { return at + 1 };
                at += 1;
                while at < closing {
                    at = if source.word(at) == "," { at + 1 } else { leaves_of(source, at, &words, leaves) };
                }
                return closing + 1;
            }
            "*" => {
                leaves.push((words, "*".to_owned()));
                return at + 1;
            }
            word => words.push(word.to_owned()),
        }
        at += 1;
        let is_further = source.word(at + 1).starts_with(|next: char| next.is_alphanumeric() || "_{*".contains(next));
        if source.word(at) == "::" && is_further {
            at += 1;
            continue;
        }
        if source.word(at) == "as" {
            leaves.push((words, source.word(at + 1).to_owned()));
            return at + 2;
        }
        let name = match words.last().map(String::as_str) {
            Some("self") if words.len() > 1 => words[words.len() - 2].clone(),
            last => last.unwrap_or_default().to_owned(),
        };
        leaves.push((words, name));
        return at;
    }
}

fn edges(this: &Crate) -> Edges {
    let mut edges = Edges::new();
    for (module, file) in &this.modules.files {
        let is_test = this.modules.tests.contains(file) || this.tree.file(file).is_some_and(|file| file.is_test());
        let (Some(source), false) = (this.source(file), is_test) else { continue };
        for import in this.imports(module, source).into_iter().filter(|import| !import.is_export) {
            let target = this.file_of(&import.path, 0).filter(|target| *target != file);
            if let Some(target) = target.filter(|target| !this.is_above(target, module)) {
                let line = edges.entry(file.clone()).or_default().entry(target.clone()).or_insert(import.line);
                *line = import.line.min(*line);
            }
        }
    }
    edges
}

/// The shortest circle through each file that has one, each circle once.
fn report(edges: &Edges) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told: BTreeSet<&String> = BTreeSet::new();
    for start in edges.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(circle) = shortest_circle(edges, start) else { continue };
        told.extend(&circle);
        let line = edges[start][circle[1]];
        let names: Vec<&str> = circle.iter().map(|file| file.as_str()).collect();
        let text =
            format!("imports run in a circle, {}: move what they share into a file of its own", names.join(" → "));
        findings.push(Finding::new(start, line, text));
    }
    findings
}

/// From a file back to itself, both ends included.
fn shortest_circle<'a>(edges: &'a Edges, start: &'a String) -> Option<Vec<&'a String>> {
    let mut before: BTreeMap<&String, &String> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![start, file];
                while let Some(previous) = before.get(circle[circle.len() - 1]) {
                    circle.push(previous);
                }
                circle.reverse();
                return Some(circle);
            }
            if !before.contains_key(next) {
                before.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;
    use crate::tidy::workspace::{Package, Target};

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let paths: Vec<String> = files.iter().map(|(name, _)| format!("crates/a/src/{name}")).collect();
        let files: Vec<(&str, &str)> =
            paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)).collect();
        let path = "crates/a/src/lib.rs".to_owned();
        let target = Target { kind: "lib".to_owned(), path, runs_doctests: false };
        let package = Package { targets: vec![target], ..Package::default() };
        let findings = check(&[package], &Tree::of(&files));
        findings.iter().map(|finding| finding.to_string().replace("crates/a/src/", "")).collect()
    }

    const TAIL: &str = ": move what they share into a file of its own";

    #[test]
    fn a_tree_of_imports_passes() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;\npub use a::A;\npub use b::*;"),
            ("a.rs", "pub struct A;"),
            ("b.rs", "use crate::A;\npub struct B;"),
            ("c.rs", "mod leaf;\nuse crate::{A, B};\nfn f() { leaf::run() }"),
            ("c/leaf.rs", "use super::super::a::A;\nuse crate::B;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn circles_are_reported_once_with_their_way() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use std::fmt;\nuse crate::{b::B, missing};"),
            ("b.rs", "fn f() -> crate::c::C { todo }"),
            ("c.rs", "use super::a::A as Other;"),
        ];
        assert_eq!(found(&files), [format!("a.rs:2: imports run in a circle, a.rs → b.rs → c.rs → a.rs{TAIL}")]);
    }

    #[test]
    fn a_folder_belongs_to_its_file() {
        let files = [
            ("lib.rs", "mod plan;"),
            ("plan.rs", "mod waves;\npub struct Plan;\nfn f() { waves::split() }"),
            ("plan/waves.rs", "use super::Plan;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn the_root_is_nobodys_parent() {
        let files = [("lib.rs", "mod a;\npub struct Root;\nfn f() { a::run() }"), ("a.rs", "use crate::Root;")];
        assert_eq!(found(&files), [format!("a.rs:1: imports run in a circle, a.rs → lib.rs → a.rs{TAIL}")]);
    }

    #[test]
    fn re_exports_are_seen_through() {
        let files = [
            ("lib.rs", "mod a; mod b;\npub use b::*;"),
            ("a.rs", "use crate::B;"),
            ("b.rs", "pub struct B;\nuse crate::a::f;"),
        ];
        assert_eq!(found(&files), [format!("a.rs:1: imports run in a circle, a.rs → b.rs → a.rs{TAIL}")]);
    }

    #[test]
    fn tests_may_import_what_they_test() {
        let files = [
            ("lib.rs", "mod a;\n#[cfg(test)]\nmod fakes;"),
            ("a.rs", "#[cfg(test)]\nmod tests { use crate::fakes::F; use super::*; }"),
            ("fakes.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }
}
