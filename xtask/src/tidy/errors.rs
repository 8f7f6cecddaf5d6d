//! Every error code a user can meet has a page in `docs/errors/`, and every
//! page a code; the index there is written from the pages. It must never judge
//! what a page says beyond its headings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::source::Source;
use super::tree::{File, Tree};

const FOLDER: &str = "docs/errors/";
const INDEX: &str = "docs/errors/README.md";
const OPENING: &str = "\
# Error codes

Each error that Coracle prints for a person ends with a stable code. Its page says
what causes it and what to do. `cargo xtask tidy --fix` writes this list.

";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut codes: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (file, source) in tree.rust().filter(|(file, _)| !file.is_test()) {
        for (at, code) in used_codes(source) {
            match code {
                Some(code) => {
                    codes.entry(code).or_insert((&file.path, source.line(at)));
                }
                None => findings.push(Finding::new(
                    &file.path,
                    source.line(at),
                    "the code is not written here: use a literal, or return it from a method `code` in this file",
                )),
            }
        }
    }
    for (code, (path, line)) in &codes {
        if !tree.exists(&page_path(code)) {
            let text = format!("the error {code} has no page: write docs/errors/{code}.md with its Cause and Remedy");
            findings.push(Finding::new(path, *line, text));
        }
    }
    for page in pages(tree) {
        findings.extend(page_findings(page, &codes));
    }
    findings.extend(index_finding(tree));
    findings
}

/// Rewrites the index.
pub fn fix(root: &Path, tree: &Tree) -> Result<()> {
    fs::write(root.join(INDEX), index(tree)).with_context(|| format!("cannot write {INDEX}"))
}

/// Codes handed to `Diagnostic::new`, and those that methods named `code`
/// return; `None` where a code comes from neither.
fn used_codes(source: &Source) -> Vec<(usize, Option<&str>)> {
    let mut codes: Vec<(usize, Option<&str>)> = Vec::new();
    let mut elsewhere: Vec<usize> = Vec::new();
    for at in (0..source.tokens.len()).filter(|at| !source.is_test(*at)) {
        if source.follows(at, &["Diagnostic", "::", "new", "("]) {
            match source.literal(at + 4) {
                Some(code) => codes.push((at, Some(code))),
                None => elsewhere.push(at),
            }
        }
        if is_code_method(source, at) {
            codes.extend(literals_in_body(source, at));
        }
    }
    let has_function = (0..source.tokens.len()).any(|at| is_code_method(source, at));
    if !has_function {
        codes.extend(elsewhere.into_iter().map(|at| (at, None)));
    }
    codes
}

fn is_code_method(source: &Source, at: usize) -> bool {
    source.follows(at, &["fn", "code", "(", "self"]) || source.follows(at, &["fn", "code", "(", "&", "self"])
}

/// Codes are words of small letters with dashes between them; a method of the
/// same name may return something else.
fn literals_in_body(source: &Source, function: usize) -> Vec<(usize, Option<&str>)> {
    let Some(open) = (function..source.tokens.len()).find(|at| ["{", ";"].contains(&source.word(*at))) else {
        return Vec::new();
    };
    let end = source.tokens[open].partner.unwrap_or(open);
    let is_code =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (open..end).filter_map(|at| Some((at, Some(source.literal(at).filter(is_code)?)))).collect()
}

fn page_path(code: &str) -> String {
    format!("{FOLDER}{code}.md")
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.starts_with(FOLDER) && file.path.ends_with(".md") && file.path != INDEX)
}

fn code_of(page: &File) -> &str {
    page.path.trim_start_matches(FOLDER).trim_end_matches(".md")
}

fn page_findings(page: &File, codes: &BTreeMap<&str, (&str, usize)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |text: String| findings.push(Finding::new(&page.path, 1, text));
    let code = code_of(page);
    if !codes.contains_key(code) {
        report(format!("nothing raises {code}: delete the page, or raise the error"));
    }
    if page.text.lines().next() != Some(&format!("# {code}")) {
        report(format!("the page must open with `# {code}`"));
    }
    for heading in ["## Cause", "## Remedy"] {
        if !page.text.lines().any(|line| line == heading) {
            report(format!("the page has no `{heading}`: write it"));
        }
    }
    if summary(page).is_none() {
        report("the page says nothing before its first heading: begin with one sentence".to_owned());
    }
    findings
}

/// The first paragraph below the title, on one line.
fn summary(page: &File) -> Option<String> {
    let body = page.text.lines().skip(1).skip_while(|line| line.trim().is_empty());
    let paragraph: Vec<&str> = body.take_while(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
    (!paragraph.is_empty()).then(|| paragraph.join(" "))
}

fn index(tree: &Tree) -> String {
    let mut text = OPENING.to_owned();
    for page in pages(tree) {
        let code = code_of(page);
        text += &format!("- [{code}]({code}.md): {}\n", summary(page).unwrap_or_default());
    }
    text
}

fn index_finding(tree: &Tree) -> Option<Finding> {
    let present = tree.file(INDEX).map(|file| file.text.as_str());
    let is_wanted = present.is_some() || pages(tree).next().is_some();
    (is_wanted && present != Some(&index(tree)))
        .then(|| Finding::new(INDEX, 1, "the list is not what the pages say: run `cargo xtask tidy --fix`"))
}

#[cfg(test)]
mod tests {
    use super::{check, index};
    use crate::tidy::tree::Tree;

    const PAGE: &str = "# port-in-use\n\nA port Coracle needs\nis taken.\n\n## Cause\n\nx\n\n## Remedy\n\ny\n";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_index_is_written_from_the_pages() {
        let page = ("docs/errors/port-in-use.md", PAGE);
        let text = index(&Tree::of(&[page]));
        assert!(text.ends_with("\n\n- [port-in-use](port-in-use.md): A port Coracle needs is taken.\n"), "{text}");
        let code = ("src/a.rs", "fn f() { Diagnostic::new(\"port-in-use\", \"x\"); }");
        assert_eq!(found(&[page, code, ("docs/errors/README.md", &text)]), Vec::<String>::new());
        assert!(found(&[page, code])[0].contains("run `cargo xtask tidy --fix`"));
    }

    #[test]
    fn codes_and_pages_belong_together() {
        let code = ("src/a.rs", "impl E { fn code(&self) -> &str { match self { _ => \"disk-full\" } } }");
        let findings = found(&[("docs/errors/port-in-use.md", "# Port\n## Cause\n"), code]);
        let all = findings.join("\n");
        assert!(all.contains("src/a.rs:1: the error disk-full has no page"), "{all}");
        for part in ["nothing raises port-in-use", "open with `# port-in-use`", "no `## Remedy`", "says nothing before"]
        {
            assert!(all.contains(part), "{part} is missing in\n{all}");
        }
    }

    #[test]
    fn a_code_that_cannot_be_read_is_reported() {
        assert!(found(&[("src/a.rs", "fn f(c: &str) { Diagnostic::new(c, \"x\"); }")])[0].contains("use a literal"));
        let test = "#[cfg(test)]\nmod tests { fn f() { Diagnostic::new(\"any\", \"x\"); } }";
        assert_eq!(found(&[("src/a.rs", test)]), Vec::<String>::new());
    }
}
