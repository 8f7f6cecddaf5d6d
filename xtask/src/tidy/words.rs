//! Words that have no place in finished work: unchecked unwraps, unfinished
//! code, sleeping or skipped tests, paths of somebody's machine. It must never
//! look inside test data.

use std::collections::BTreeSet;

use super::Finding;
use super::exceptions::{self, Exception, SLEEPS};
use super::source::Source;
use super::tree::{File, Tree};

/// Put together here, so that this file does not break its own rule.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/fa", "rm/")];
const UNFINISHED_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
const UNFINISHED_MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// `tests` are the files that only tests compile, beyond those whose path says so.
pub fn check(tree: &Tree, tests: &BTreeSet<String>) -> Vec<Finding> {
    check_with(tree, tests, SLEEPS)
}

fn check_with(tree: &Tree, tests: &BTreeSet<String>, excused: &'static [Exception]) -> Vec<Finding> {
    let (mut findings, mut used) = (Vec::new(), Vec::new());
    for file in tree.files.iter().filter(|file| !is_data(&file.path)) {
        findings.extend(machine_paths(file));
        if let Some(source) = &file.source {
            let is_test = file.is_test() || tests.contains(&file.path);
            findings.extend(unfinished(file, source, is_test));
            findings.extend(comments(file, source));
            let sleeps = sleeps(file, source, is_test);
            if !sleeps.is_empty() && !exceptions::excuses(excused, &mut used, &file.path) {
                findings.extend(sleeps);
            }
        }
    }
    findings.extend(exceptions::stale(excused, &used));
    findings
}

fn is_data(path: &str) -> bool {
    path.contains("/testdata/") || path.contains("/fixtures/") || path.ends_with(".lock")
}

fn unfinished(file: &File, source: &Source, is_test_file: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |at: usize, text: String| findings.push(Finding::new(&file.path, source.line(at), text));
    for at in 0..source.tokens.len() {
        let word = source.word(at);
        let is_test = || is_test_file || source.is_test(at);
        if word == "unwrap"
            && source.follows(at + 1, &["(", ")"])
            && source.word(at.wrapping_sub(1)) == "."
            && !is_test()
        {
            report(
                at,
                "unwrap() hides why this cannot fail: return an error, or expect() with the invariant".to_owned(),
            );
        }
        if UNFINISHED_MACROS.contains(&word) && source.word(at + 1) == "!" {
            report(at, format!("{word}! is for unfinished code: finish it or leave it out"));
        }
        if word == "ignore" && source.word(at.wrapping_sub(1)) == "[" && source.word(at.wrapping_sub(2)) == "#" {
            report(at, "an ignored test tests nothing: make it pass or delete it".to_owned());
        }
    }
    findings
}

fn sleeps(file: &File, source: &Source, is_test_file: bool) -> Vec<Finding> {
    let is_test = |at: usize| is_test_file || source.is_test(at);
    let all = (0..source.tokens.len()).filter(|at| source.word(*at) == "sleep");
    let found = all.filter(|at| is_sleep(source, *at) && is_test(*at));
    let text = "a test that sleeps is slow or flaky: wait for the event, or move the clock";
    found.map(|at| Finding::new(&file.path, source.line(at), text)).collect()
}

/// `thread::sleep`, `time::sleep`, or either of them in a `use` list.
fn is_sleep(source: &Source, at: usize) -> bool {
    const HOMES: [&str; 2] = ["thread", "time"];
    if source.word(at.wrapping_sub(1)) == "::" {
        return HOMES.contains(&source.word(at.wrapping_sub(2)));
    }
    let opening = (2..at).rev().take(40).find(|start| source.word(*start) == "{" || source.word(*start) == ";");
    opening.is_some_and(|start| source.follows(start - 1, &["::", "{"]) && HOMES.contains(&source.word(start - 2)))
}

fn comments(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, comment) in source.comment_lines() {
        let words = || comment.split(|letter: char| !letter.is_alphanumeric());
        if let Some(mark) = UNFINISHED_MARKS.iter().find(|mark| words().any(|word| word == **mark)) {
            let text = format!("{mark} leaves work to somebody else: do it, or open an issue and say why it can wait");
            findings.push(Finding::new(&file.path, line, text));
        }
    }
    findings
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for path in MACHINE_PATHS {
            let starts_there = |at: usize| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}>*~$".contains(letter))
            };
            if line.match_indices(path).any(|(at, _)| starts_there(at)) {
                let text = format!("{path} exists on one machine only: use a path from the root of the repository");
                findings.push(Finding::new(&file.path, index + 1, text));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::check_with;
    use crate::tidy::tree::Tree;

    fn found(path: &str, text: &str) -> Vec<String> {
        let findings = check_with(&Tree::of(&[(path, text)]), &BTreeSet::new(), &[]);
        findings.iter().map(|finding| format!("{}: {}", finding.line, finding.text)).collect()
    }

    fn count(path: &str, text: &str) -> usize {
        found(path, text).len()
    }

    #[test]
    fn unwrap_is_for_tests() {
        assert_eq!(count("src/a.rs", "fn f() { g().unwrap(); }"), 1);
        assert_eq!(count("src/a.rs", "fn f() { g().unwrap_or(1); \"x.unwrap()\"; } // .unwrap()"), 0);
        assert_eq!(count("src/a.rs", "#[test]\nfn f() { g().unwrap(); }"), 0);
        assert_eq!(count("crates/a/tests/it/main.rs", "fn f() { g().unwrap(); }"), 0);
    }

    #[test]
    fn unfinished_work_is_found() {
        assert_eq!(count("src/a.rs", concat!("fn f() { to", "do!() }")), 1);
        assert_eq!(count("src/a.rs", concat!("// TO", "DO: later\nfn f() {}")), 1);
        assert_eq!(count("src/a.rs", concat!("fn f() -> &str { \"TO", "DO\" }")), 0);
        assert_eq!(count("src/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), 1);
    }

    #[test]
    fn tests_do_not_sleep() {
        assert_eq!(count("src/tests.rs", "fn f() { std::thread::sleep(d) }"), 1);
        assert_eq!(count("src/tests.rs", "use tokio::time::{timeout, sleep};"), 1);
        assert_eq!(count("src/tests.rs", "fn f(clock: Clock) { clock.sleep(d) }"), 0);
        assert_eq!(count("src/a.rs", "fn f() { tokio::time::sleep(d) }"), 0);
    }

    #[test]
    fn paths_of_one_machine_are_found_in_any_text() {
        let path = concat!("/wo", "rk/main");
        assert_eq!(count("docs/a.md", &format!("see {path}")), 1);
        assert_eq!(count("docs/a.md", &format!("see https://example.com{path} and ${{HOME}}{path}")), 0);
        assert_eq!(count("crates/a/testdata/a.md", &format!("see {path}")), 0);
    }
}
