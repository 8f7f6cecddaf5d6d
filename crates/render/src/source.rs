//! The tree that is rendered, as plain data. It must never know where the files
//! come from.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Error;

/// Links followed before a chain of them is called a loop.
const LINKS: usize = 16;

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file with its content.
    File(Bytes),
    /// A symbolic link with its target.
    Link(String),
}

/// Files by their path below the source's directory, `/` between names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The files.
    pub files: BTreeMap<String, Entry>,
}

impl Source {
    /// A tree of plain files, for tests and generated sources.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let entry =
            |(path, text): &(&str, &str)| ((*path).to_owned(), Entry::File(Bytes::copy_from_slice(text.as_bytes())));
        Source { files: files.iter().map(entry).collect() }
    }

    /// Refuses a tree in which a link points outside.
    pub fn check_links(&self) -> Result<(), Error> {
        for (path, entry) in &self.files {
            if let Entry::Link(target) = entry
                && resolve(path, target).is_none()
            {
                return Err(Error::OutOfBounds(path.clone()));
            }
        }
        Ok(())
    }

    /// The content of a file, through links inside the tree; `None` for what is no file.
    pub fn read(&self, path: &str) -> Option<&Bytes> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            match self.files.get(&path)? {
                Entry::File(content) => return Some(content),
                Entry::Link(target) => path = resolve(&path, target)?,
            }
        }
        None
    }
}

/// Where a link at `path` leads, if that is inside the tree.
fn resolve(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
