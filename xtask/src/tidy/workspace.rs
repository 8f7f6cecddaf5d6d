//! The crates of this workspace and what they depend on, as cargo tells it. It
//! must never judge them.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// One of our crates.
#[derive(Debug, Default)]
pub struct Package {
    pub name: String,
    /// From the root, without a slash at its end.
    pub folder: String,
    pub dependencies: Vec<Dependency>,
    pub targets: Vec<Target>,
}

#[derive(Debug)]
pub struct Dependency {
    pub name: String,
    /// Whether only tests and benchmarks use it.
    pub is_dev: bool,
    /// Whether it is a crate of this workspace.
    pub is_ours: bool,
}

#[derive(Debug)]
pub struct Target {
    /// `lib`, `bin`, `test`, `bench`, `custom-build`, …
    pub kind: String,
    /// From the root.
    pub path: String,
    pub runs_doctests: bool,
}

impl Package {
    pub fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    pub fn is_capability(&self) -> bool {
        self.folder.starts_with("capabilities/")
    }

    /// Where Rust code finds it.
    pub fn identifier(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// Asks cargo, without resolving anything.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut command = run::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    parse(&run::captured(&mut command)?)
}

fn parse(metadata: &str) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let root = format!("{}/", text(&metadata, "workspace_root"));
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages.iter().map(|package| read_package(package, &root)).collect())
}

fn read_package(package: &Value, root: &str) -> Package {
    let inside = |path: &str| path.strip_prefix(root).unwrap_or(path).to_owned();
    let manifest = inside(text(package, "manifest_path"));
    let dependency = |value: &Value| Dependency {
        name: text(value, "name").to_owned(),
        is_dev: text(value, "kind") == "dev",
        is_ours: value["path"].is_string(),
    };
    let target = |value: &Value| Target {
        kind: value["kind"][0].as_str().unwrap_or_default().to_owned(),
        path: inside(text(value, "src_path")),
        runs_doctests: value["doctest"].as_bool().unwrap_or(false),
    };
    Package {
        name: text(package, "name").to_owned(),
        folder: manifest.trim_end_matches("/Cargo.toml").to_owned(),
        dependencies: package["dependencies"].as_array().into_iter().flatten().map(dependency).collect(),
        targets: package["targets"].as_array().into_iter().flatten().map(target).collect(),
    }
}

fn text<'value>(value: &'value Value, key: &str) -> &'value str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn metadata_becomes_packages() {
        let metadata = r#"{"workspace_root": "/r", "packages": [{
            "name": "core-loops", "manifest_path": "/r/capabilities/core/Cargo.toml",
            "dependencies": [
                {"name": "api", "kind": null, "path": "/r/crates/api"},
                {"name": "insta", "kind": "dev"}],
            "targets": [{"name": "core_loops", "kind": ["lib"], "src_path": "/r/capabilities/core/src/lib.rs", "doctest": true}]
        }]}"#;
        let packages = parse(metadata).expect("it is JSON");
        let package = &packages[0];
        assert_eq!((package.name.as_str(), package.folder.as_str()), ("core-loops", "capabilities/core"));
        assert!(package.is_capability());
        assert_eq!(package.identifier(), "core_loops");
        let [api, insta] = &package.dependencies[..] else { panic!("two dependencies") };
        assert!(api.is_ours && !api.is_dev && insta.is_dev && !insta.is_ours);
        assert_eq!(package.targets[0].path, "capabilities/core/src/lib.rs");
        assert!(package.targets[0].runs_doctests);
    }
}
