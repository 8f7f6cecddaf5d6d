//! `docs/status.md` promises a test for each behaviour; this checks that each
//! test it names exists. It must never say whether the test passes.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;
use super::workspace::Package;

const STATUS: &str = "docs/status.md";

pub fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(STATUS) else { return Vec::new() };
    let functions = functions(tree);
    let mut findings = Vec::new();
    let mut column = None;
    for (index, line) in file.text.lines().enumerate() {
        if !line.trim_start().starts_with('|') {
            column = None;
            continue;
        }
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let Some(at) = column else {
            column = Some(cells.iter().position(|cell| ["test", "tests"].contains(&cell.to_lowercase().as_str())));
            continue;
        };
        let cell = at.and_then(|at: usize| cells.get(at).copied()).unwrap_or_default();
        for reference in cell.split('`').skip(1).step_by(2) {
            if !exists(reference, packages, tree, &functions) {
                let text =
                    format!("there is no test `{reference}`: name it as crate::path::test, or as a file from the root");
                findings.push(Finding::new(STATUS, index + 1, text));
            }
        }
    }
    findings
}

/// Where functions of a name are.
fn functions(tree: &Tree) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, source) in tree.rust() {
        for at in (1..source.tokens.len()).filter(|at| source.word(at - 1) == "fn") {
            found.entry(source.word(at)).or_default().push(&file.path);
        }
    }
    found
}

/// `crate::path::test`, `path/file.rs` or `path/file.rs::test`.
fn exists(reference: &str, packages: &[Package], tree: &Tree, functions: &BTreeMap<&str, Vec<&str>>) -> bool {
    let (place, name) = reference.rsplit_once("::").unwrap_or((reference, ""));
    if place.contains('/') {
        let has_function = || functions.get(name).is_some_and(|paths| paths.contains(&place));
        return tree.exists(place) && (name.is_empty() || has_function());
    }
    let first = reference.split("::").next().unwrap_or_default();
    let package = packages.iter().find(|package| package.identifier() == first || package.name == first);
    let folder = package.map(|package| format!("{}/", package.folder));
    let name = if name.is_empty() { reference } else { name };
    let paths = functions.get(name).map(Vec::as_slice).unwrap_or_default();
    paths.iter().any(|path| folder.as_ref().is_none_or(|folder| path.starts_with(folder)))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;
    use crate::tidy::workspace::Package;

    #[test]
    fn named_tests_must_exist() {
        let status = "\
Some `prose`.

| behaviour | test | state |
| --- | --- | --- |
| `create` is quick | `store::tests::replays`, `crates/store/src/a.rs::replays` | done |
| restart | `store::tests::forgotten` | done |
| start | `server::tests::replays` | done |
| crash | `crates/store/tests/it/crash.rs` | done |
";
        let package =
            |name: &str| Package { name: name.to_owned(), folder: format!("crates/{name}"), ..Package::default() };
        let tree = Tree::of(&[("docs/status.md", status), ("crates/store/src/a.rs", "#[test]\nfn replays() {}")]);
        let findings = check(&[package("store"), package("server")], &tree);
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [6, 7, 8], "{findings:#?}");
    }
}
