//! What cargo's manifests and lock file must and must not say. It must never
//! repeat what `layers` checks: who may use whom.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::Finding;
use super::tree::{File, Tree};
use super::workspace::Package;
use crate::run;

/// Packages in Cargo.lock, ours included.
const LOCKED_PACKAGES: usize = 400;

/// Never built into anything, with the reason. `deny.toml` holds the same list.
const BANNED: [(&str, &str); 3] = [
    ("ring", "aws-lc-rs is the one provider of cryptography"),
    ("openssl-sys", "rustls is the one TLS, and the system's OpenSSL differs everywhere"),
    ("native-tls", "rustls is the one TLS"),
];

pub fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        if let Some(file) = tree.file(&package.manifest()) {
            findings.extend(versions(file));
            findings.extend(lints(file));
        }
        findings.extend(targets(package, tree));
    }
    findings.extend(tree.file("Cargo.lock").and_then(budget));
    findings
}

/// Third-party versions, and paths to our own crates, stand only at the root.
fn versions(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut section = "";
    for (index, line) in file.text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            if let Some((_, name)) = section.split_once("dependencies.") {
                let text = format!("write `{name}` on one line with `workspace = true`, its version at the root");
                findings.push(Finding::new(&file.path, index + 1, text));
            }
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|_| section.ends_with("dependencies")) else { continue };
        let is_shared = name.trim().ends_with(".workspace") || value.replace(' ', "").contains("workspace=true");
        if !is_shared {
            let name = name.trim();
            let text = format!(
                "{name} has a version of its own: name it in the root's Cargo.toml, say `{name}.workspace = true`"
            );
            findings.push(Finding::new(&file.path, index + 1, text));
        }
    }
    findings
}

fn lints(file: &File) -> Option<Finding> {
    let shares = file.text.replace(' ', "").contains("[lints]\nworkspace=true");
    let text = "the crate has no lints: add `[lints]` with `workspace = true`";
    (!shares).then(|| Finding::new(&file.path, 1, text))
}

/// No doctests, and one binary of integration tests.
fn targets(package: &Package, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifest = package.manifest();
    for target in &package.targets {
        if target.runs_doctests && target.kind == "lib" {
            let text = "doctests link one binary each: say `doctest = false` under [lib]";
            findings.push(Finding::new(&manifest, 1, text));
        }
        if target.kind == "test" && target.path != format!("{}/tests/it/main.rs", package.folder) {
            let text = "each integration binary links the crate again: make this a module of tests/it/main.rs";
            findings.push(Finding::new(&target.path, 1, text));
        }
    }
    let folder = format!("{}/tests/it/", package.folder);
    let first = tree.rust().find(|(file, _)| file.path.starts_with(&folder));
    if let Some((file, _)) = first.filter(|_| !tree.exists(&format!("{folder}main.rs"))) {
        findings.push(Finding::new(&file.path, 1, format!("nothing runs these tests: add {folder}main.rs")));
    }
    findings
}

fn budget(lock: &File) -> Option<Finding> {
    let count = lock.text.lines().filter(|line| *line == "[[package]]").count();
    let text = format!("{count} packages are locked of at most {LOCKED_PACKAGES}: drop one before adding another");
    (count > LOCKED_PACKAGES).then(|| Finding::new(&lock.path, 1, text))
}

/// The names of all packages that building the workspace here takes. Cargo.lock
/// names more: what optional features would add.
pub fn built_packages(root: &Path) -> Result<BTreeSet<String>> {
    let mut command = run::cargo();
    command.args(["tree", "--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"]);
    let output = run::captured(command.current_dir(root))?;
    Ok(output.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

pub fn banned(built: &BTreeSet<String>) -> Vec<Finding> {
    let present = BANNED.iter().filter(|(name, _)| built.contains(*name));
    let text = |name, reason| {
        format!(
            "{name} is built, but {reason}: find who wants it with `cargo tree -i {name}` and turn that feature off"
        )
    };
    present.map(|(name, reason)| Finding::new("Cargo.toml", 1, text(name, reason))).collect()
}

#[cfg(test)]
mod tests {
    use super::{banned, check};
    use crate::tidy::tree::Tree;
    use crate::tidy::workspace::{Package, Target};

    fn target(kind: &str, path: &str, runs_doctests: bool) -> Target {
        Target { kind: kind.to_owned(), path: path.to_owned(), runs_doctests }
    }

    fn found(targets: Vec<Target>, files: &[(&str, &str)]) -> Vec<String> {
        let package = Package { name: "a".to_owned(), folder: "crates/a".to_owned(), targets, ..Package::default() };
        check(&[package], &Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn versions_stand_at_the_root() {
        let text = "[package]\nversion = \"1\"\n[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n\
                    url = { workspace = true, features = [\"x\"] }\nhttp = \"1\"\n[dev-dependencies.insta]\nversion = \"1\"\n";
        let findings = found(Vec::new(), &[("crates/a/Cargo.toml", text)]);
        assert_eq!(findings.len(), 2, "{findings:#?}");
        assert!(findings[0].starts_with("crates/a/Cargo.toml:8: http has a version of its own"), "{}", findings[0]);
        assert!(findings[1].starts_with("crates/a/Cargo.toml:9: write `insta` on one line"), "{}", findings[1]);
    }

    #[test]
    fn lints_are_shared() {
        assert!(found(Vec::new(), &[("crates/a/Cargo.toml", "[package]\n")])[0].contains("has no lints"));
    }

    #[test]
    fn there_is_one_integration_binary_and_no_doctest() {
        let good =
            vec![target("lib", "crates/a/src/lib.rs", false), target("test", "crates/a/tests/it/main.rs", false)];
        assert_eq!(found(good, &[]), Vec::<String>::new());
        let bad = vec![target("lib", "crates/a/src/lib.rs", true), target("test", "crates/a/tests/crash.rs", false)];
        let findings = found(bad, &[("crates/a/tests/it/sync.rs", "")]);
        assert!(findings[0].contains("`doctest = false`"), "{}", findings[0]);
        assert!(findings[1].starts_with("crates/a/tests/crash.rs:1: each integration binary"), "{}", findings[1]);
        assert!(findings[2].contains("add crates/a/tests/it/main.rs"), "{}", findings[2]);
    }

    #[test]
    fn the_lock_file_has_a_budget() {
        let lock = "[[package]]\nname = \"a\"\n".repeat(401);
        assert!(found(Vec::new(), &[("Cargo.lock", &lock)])[0].contains("401 packages are locked"));
    }

    #[test]
    fn banned_packages_are_named() {
        let built = ["serde", "ring"].map(str::to_owned).into();
        assert!(banned(&built)[0].text.contains("`cargo tree -i ring`"));
        assert_eq!(banned(&["serde".to_owned()].into()), []);
    }
}
