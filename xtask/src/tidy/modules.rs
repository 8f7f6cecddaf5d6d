//! Which file is which module: follows `mod` lines from each target's root. It
//! must never guess at files that no `mod` line names.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Source;
use super::tree::Tree;
use super::workspace::{Package, Target};

/// The modules of one target.
#[derive(Debug, Default)]
pub struct Modules {
    /// From a module's path (`["sync", "plan"]`; the root is empty) to its file.
    pub files: BTreeMap<Vec<String>, String>,
    /// Files that only `#[cfg(test)]` modules reach.
    pub tests: BTreeSet<String>,
}

impl Modules {
    pub fn of(target: &Target, tree: &Tree) -> Modules {
        let mut modules = Modules::default();
        let folder = target.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        modules.follow(tree, Vec::new(), &target.path, folder, false);
        modules
    }

    /// Notes a file and goes on to the files its `mod` lines name in `folder`.
    fn follow(&mut self, tree: &Tree, path: Vec<String>, file: &str, folder: &str, is_test: bool) {
        if is_test {
            self.tests.insert(file.to_owned());
        }
        let source = tree.file(file).and_then(|file| file.source.as_ref());
        for declared in source.map(declarations).unwrap_or_default() {
            let mut child = path.clone();
            child.extend(declared.names.iter().cloned());
            let below = format!("{folder}/{}", declared.names.join("/"));
            let places = [format!("{below}.rs"), format!("{below}/mod.rs")];
            if let Some(place) = places.iter().find(|place| tree.exists(place)) {
                self.follow(tree, child, place, &below, is_test || declared.is_test);
            }
        }
        self.files.insert(path, file.to_owned());
    }
}

/// A `mod name;` line, with the inline modules around it.
struct Declaration {
    names: Vec<String>,
    is_test: bool,
}

fn declarations(source: &Source) -> Vec<Declaration> {
    let mut found = Vec::new();
    for at in 0..source.tokens.len() {
        if source.word(at) == "mod" && source.word(at + 2) == ";" {
            let mut names = inline_modules(source, at);
            names.push(source.word(at + 1).to_owned());
            found.push(Declaration { names, is_test: source.is_test(at) });
        }
    }
    found
}

/// The names of the `mod name { … }` blocks around a token, outermost first.
pub fn inline_modules(source: &Source, at: usize) -> Vec<String> {
    let opens = |start: usize| {
        let closing = source.tokens.get(start + 2).and_then(|token| token.partner);
        source.word(start) == "mod" && source.word(start + 2) == "{" && closing.is_some_and(|closing| closing > at)
    };
    (0..at).filter(|start| opens(*start)).map(|start| source.word(start + 1).to_owned()).collect()
}

/// Every file that only `#[cfg(test)]` modules reach.
pub fn test_files(packages: &[Package], tree: &Tree) -> BTreeSet<String> {
    let targets = packages.iter().flat_map(|package| &package.targets);
    targets.flat_map(|target| Modules::of(target, tree).tests).collect()
}

/// Reports Rust files that nothing compiles.
pub fn orphans(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for target in &package.targets {
            reached.extend(Modules::of(target, tree).files.into_values());
        }
        for (file, _) in tree.rust() {
            let Some(inside) = file.path.strip_prefix(&format!("{}/", package.folder)) else { continue };
            let is_code = inside.starts_with("src/") || inside.starts_with("tests/") || inside.starts_with("benches/");
            let is_data = inside.contains("/testdata/") || inside.contains("/fixtures/");
            if is_code && !is_data && !reached.contains(&file.path) {
                let text = "no `mod` line reaches this file, so nothing compiles it: add one or delete the file";
                findings.push(Finding::new(&file.path, 1, text));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Modules, orphans};
    use crate::tidy::tree::Tree;
    use crate::tidy::workspace::{Package, Target};

    fn target(kind: &str, path: &str) -> Target {
        Target { kind: kind.to_owned(), path: path.to_owned(), runs_doctests: false }
    }

    fn tree() -> Tree {
        Tree::of(&[
            ("crates/a/src/lib.rs", "mod plan; // mod comment;\nmod outer { mod inner; }\n#[cfg(test)]\nmod fakes;"),
            ("crates/a/src/plan.rs", "mod waves;"),
            ("crates/a/src/plan/waves.rs", ""),
            ("crates/a/src/outer/inner.rs", ""),
            ("crates/a/src/fakes.rs", "mod clock;"),
            ("crates/a/src/fakes/clock.rs", ""),
            ("crates/a/src/comment.rs", ""),
            ("crates/a/tests/it/main.rs", "mod sync;"),
            ("crates/a/tests/it/sync.rs", ""),
            ("crates/a/tests/it/forgotten.rs", ""),
        ])
    }

    #[test]
    fn mod_lines_lead_to_files() {
        let modules = Modules::of(&target("lib", "crates/a/src/lib.rs"), &tree());
        let paths: Vec<String> = modules.files.keys().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["", "fakes", "fakes::clock", "outer::inner", "plan", "plan::waves"]);
        let tests: Vec<&str> = modules.tests.iter().map(String::as_str).collect();
        assert_eq!(tests, ["crates/a/src/fakes.rs", "crates/a/src/fakes/clock.rs"]);
    }

    #[test]
    fn files_nothing_reaches_are_reported() {
        let targets = vec![target("lib", "crates/a/src/lib.rs"), target("test", "crates/a/tests/it/main.rs")];
        let package = Package { name: "a".to_owned(), folder: "crates/a".to_owned(), targets, ..Package::default() };
        let paths: Vec<String> = orphans(&[package], &tree()).into_iter().map(|finding| finding.path).collect();
        assert_eq!(paths, ["crates/a/src/comment.rs", "crates/a/tests/it/forgotten.rs"]);
    }
}
