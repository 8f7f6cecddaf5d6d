//! The files of the repository that have rules, read once. It must never know
//! the rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::source::Source;

/// Folders nobody writes by hand, wherever they stand.
const SKIPPED_FOLDERS: [&str; 4] = ["target", ".git", "node_modules", "dist"];
const TEXT_ENDINGS: [&str; 11] =
    [".rs", ".toml", ".md", ".sh", ".go", ".py", ".txt", ".yaml", ".yml", ".lock", "/.ci/run"];

/// A text file, with its path from the root.
#[derive(Debug)]
pub struct File {
    pub path: String,
    pub text: String,
    /// For Rust: taken apart.
    pub source: Option<Source>,
}

/// All of them, in the order of their paths.
#[derive(Debug, Default)]
pub struct Tree {
    pub files: Vec<File>,
    paths: BTreeSet<String>,
}

impl Tree {
    pub fn read(root: &Path) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.walk(root, "")?;
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(tree)
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.paths.insert((*path).to_owned());
            tree.files.push(File::new(path, (*text).to_owned()));
        }
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        tree
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.add(&entry.path(), path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &Path, path: String) -> Result<()> {
        let slashed = format!("/{path}");
        if TEXT_ENDINGS.iter().any(|ending| slashed.ends_with(ending)) {
            let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            self.files.push(File::new(&path, String::from_utf8_lossy(&bytes).into_owned()));
        }
        self.paths.insert(path);
        Ok(())
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        Some(&self.files[at])
    }

    /// Whether there is such a file, of any kind.
    pub fn exists(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Every Rust file, taken apart.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }
}

impl File {
    fn new(path: &str, text: String) -> File {
        let source = path.ends_with(".rs").then(|| Source::new(&text));
        File { path: path.to_owned(), text, source }
    }

    /// Whether the file as a whole is part of a test.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_folder = |folder: &str| self.path.contains(&format!("/{folder}/"));
        name == "tests.rs" || in_folder("tests") || in_folder("testdata") || self.path.starts_with("crates/testkit/")
    }
}
