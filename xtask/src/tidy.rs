//! `cargo xtask tidy`: the house rules that a machine can check, without
//! building anything. It must never take longer than a few seconds, and each
//! finding must say what to do.

mod finding;
mod source;
mod tree;
mod workspace;

mod circles;
mod errors;
mod exceptions;
mod layers;
mod manifests;
mod modules;
mod shape;
mod status;
mod words;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

pub use finding::Finding;

use crate::run;

/// Prints what is found and fails if anything is.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let root = run::root();
    match arguments {
        [] => {}
        [flag] if flag == "--fix" => errors::fix(&root, &tree::Tree::read(&root)?)?,
        _ => bail!("`tidy` knows only `--fix`"),
    }
    let start = Instant::now();
    let findings = check(&root)?;
    findings.iter().for_each(|finding| println!("{finding}"));
    eprintln!("tidy: {} findings in {:.1} s", findings.len(), start.elapsed().as_secs_f64());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every rule on the whole repository, sorted by place.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let tree = tree::Tree::read(root)?;
    let packages = workspace::packages(root)?;
    let tests = modules::test_files(&packages, &tree);
    let mut findings = Vec::new();
    findings.extend(layers::check(&packages, &tree));
    findings.extend(circles::check(&packages, &tree));
    findings.extend(modules::orphans(&packages, &tree));
    findings.extend(shape::check(&tree, &tests));
    findings.extend(words::check(&tree, &tests));
    findings.extend(manifests::check(&packages, &tree));
    findings.extend(manifests::banned(&manifests::built_packages(root)?));
    findings.extend(errors::check(&tree));
    findings.extend(status::check(&packages, &tree));
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use crate::run;

    /// The repository itself keeps the rules.
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::check(&run::root()).expect("tidy reads the repository");
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
    }
}
