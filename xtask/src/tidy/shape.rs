//! The shape of a file: how it opens, how long it and its functions are. It
//! must never judge what the code does.

use std::collections::BTreeSet;

use super::Finding;
use super::exceptions::{self, Exception, LONG};
use super::source::Source;
use super::tree::{File, Tree};

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 600;

/// `tests` are the files that only tests compile, beyond those whose path says so.
pub fn check(tree: &Tree, tests: &BTreeSet<String>) -> Vec<Finding> {
    check_with(tree, tests, LONG)
}

fn check_with(tree: &Tree, tests: &BTreeSet<String>, excused: &'static [Exception]) -> Vec<Finding> {
    let (mut findings, mut used) = (Vec::new(), Vec::new());
    for (file, source) in tree.rust().filter(|(file, _)| !file.path.contains("/testdata/")) {
        let is_test = file.is_test() || tests.contains(&file.path);
        findings.extend(opening(file, is_test));
        let long = (!is_test).then(|| length(file, source)).flatten();
        for (place, finding) in long.into_iter().chain(functions(file, source)) {
            if !exceptions::excuses(excused, &mut used, &place) {
                findings.push(finding);
            }
        }
    }
    findings.extend(exceptions::stale(excused, &used));
    findings
}

/// A file opens with at least one sentence on what it is for; that of a test
/// may be short.
fn opening(file: &File, is_test: bool) -> Option<Finding> {
    let lines = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    let doc = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let remedy = "open it with what it is for and what it must never do, in sentences after `//!`";
    if doc.is_empty() {
        return Some(Finding::new(&file.path, 1, format!("the file does not say what it is for: {remedy}")));
    }
    let least_words = if is_test { 2 } else { 4 };
    let is_sentence = (doc.ends_with('.') || doc.contains(". ")) && doc.split_whitespace().count() >= least_words;
    (!is_sentence).then(|| Finding::new(&file.path, 1, format!("the file's opening is no sentence: {remedy}")))
}

fn length(file: &File, source: &Source) -> Option<(String, Finding)> {
    let lines = file.text.lines().count().saturating_sub(source.test_lines());
    let text = format!(
        "the file has {lines} lines of at most {FILE_LINES}: split it by topic, or, if it is a table, \
         say so in {}",
        exceptions::FILE
    );
    (lines > FILE_LINES).then(|| (file.path.clone(), Finding::new(&file.path, FILE_LINES, text)))
}

fn functions(file: &File, source: &Source) -> Vec<(String, Finding)> {
    let mut findings = Vec::new();
    for at in 0..source.tokens.len() {
        let name = source.word(at + 1);
        let is_named = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if source.word(at) != "fn" || !is_named {
            continue;
        }
        let Some(end) = body_end(source, at) else { continue };
        let lines = source.line(end) + 1 - source.line(at);
        if lines > FUNCTION_LINES {
            let text = format!(
                "the function {name} has {lines} lines of at most {FUNCTION_LINES}: give its steps names of their own"
            );
            let place = format!("{}#{name}", file.path);
            findings.push((place, Finding::new(&file.path, source.line(at), text)));
        }
    }
    findings
}

/// The bracket that closes a function's body; `None` when it has no body.
fn body_end(source: &Source, mut at: usize) -> Option<usize> {
    while at < source.tokens.len() {
        match (source.word(at), source.tokens[at].partner) {
            (";", _) => return None,
            ("{", partner) => return partner,
            (_, Some(partner)) => at = partner + 1,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::check_with;
    use crate::tidy::exceptions::Exception;
    use crate::tidy::tree::Tree;

    const DOC: &str = "//! What it is for.\n";

    fn found(path: &str, text: &str, excused: &'static [Exception]) -> Vec<String> {
        let findings = check_with(&Tree::of(&[(path, text)]), &BTreeSet::new(), excused);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn openings_are_sentences() {
        assert_eq!(found("a.rs", DOC, &[]), Vec::<String>::new());
        assert!(found("a.rs", "use std::fmt;", &[])[0].contains("does not say what it is for"));
        assert!(found("a.rs", "//! Helpers", &[])[0].contains("is no sentence"));
    }

    #[test]
    fn functions_are_measured_from_their_first_line_to_their_last() {
        let body = |lines: usize| format!("{DOC}fn long(a: [u8; 3]) -> u8 {{{}}}\n", "\n    // }\n".repeat(lines / 2));
        assert_eq!(found("a.rs", &body(68), &[]), Vec::<String>::new());
        let findings = found("a.rs", &body(72), &[]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("a.rs:2: the function long has 73 lines of at most 70"), "{}", findings[0]);
        const TABLE: &[Exception] = &[Exception { place: "a.rs#long", reason: "a table" }];
        assert_eq!(found("a.rs", &body(72), TABLE), Vec::<String>::new());
    }

    #[test]
    fn files_are_measured_without_their_tests() {
        let code = format!("{DOC}{}", "const A: u8 = 1;\n".repeat(590));
        let tests = format!("{code}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(100));
        assert_eq!(found("src/a.rs", &tests, &[]), Vec::<String>::new());
        let long = format!("{code}{}", "const B: u8 = 1;\n".repeat(20));
        assert!(found("src/a.rs", &long, &[])[0].contains("has 611 lines of at most 600"));
        assert_eq!(found("src/tests.rs", &long, &[]), Vec::<String>::new());
    }

    #[test]
    fn stale_exceptions_are_reported() {
        const TABLE: &[Exception] = &[Exception { place: "a.rs", reason: "a table" }];
        assert!(found("a.rs", DOC, TABLE)[0].contains("needs no exception any more"));
    }
}
