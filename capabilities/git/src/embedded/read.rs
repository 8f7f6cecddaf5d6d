//! Reading objects of one repository: commits, trees, files, within bounds. It
//! is told which repository; URLs and permissions are none of its business.

use std::collections::BTreeMap;

use bytes::Bytes;
use contracts::git::{Error, File, Mode, Tree};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;

use crate::names;
use crate::settings::Settings;

/// Directories within each other that are followed.
const DEPTH: usize = 128;

/// Bounds of one read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// All files together, in bytes.
    pub tree_bytes: u64,
    /// Number of files.
    pub files: usize,
}

impl Limits {
    /// The bounds that were set.
    pub fn new(settings: &Settings) -> Self {
        Limits {
            file_bytes: settings.max_file_bytes,
            tree_bytes: settings.max_tree_bytes,
            files: settings.max_tree_files,
        }
    }
}

/// The commit at the tip of a branch.
pub fn branch(git: &gix::Repository, branch: &str) -> Result<Option<ObjectId>, Error> {
    reference(git, &format!("refs/heads/{branch}"))
}

/// The object that a full ref name leads to, annotated tags peeled.
pub fn reference(git: &gix::Repository, name: &str) -> Result<Option<ObjectId>, Error> {
    let Ok(full) = gix::refs::FullName::try_from(name) else { return Ok(None) };
    match git.try_find_reference(full.as_ref()).map_err(internal)? {
        Some(mut reference) if reference.name().as_bstr() == name => {
            Ok(Some(reference.peel_to_id().map_err(internal)?.detach()))
        }
        _ => Ok(None),
    }
}

/// The tree of a commit.
pub fn tree_of(git: &gix::Repository, commit: ObjectId) -> Result<ObjectId, Error> {
    let commit = git.find_commit(commit).map_err(internal)?;
    Ok(commit.tree_id().map_err(internal)?.detach())
}

/// A tree's entries, to be changed.
pub fn decoded_tree(git: &gix::Repository, id: ObjectId) -> Result<gix::objs::Tree, Error> {
    let tree = git.find_tree(id).map_err(internal)?;
    Ok(tree.decode().map_err(internal)?.into_owned())
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path from the tree that was listed.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its object.
    pub id: ObjectId,
}

/// The direct entries of a tree, in git's order.
pub fn list(git: &gix::Repository, tree: ObjectId) -> Result<Vec<Entry>, Error> {
    let tree = git.find_tree(tree).map_err(internal)?;
    let decoded = tree.decode().map_err(internal)?;
    let entry = |entry: &gix::objs::tree::EntryRef<'_>| Entry {
        path: entry.filename.to_str_lossy().into_owned(),
        kind: entry.mode.kind(),
        id: entry.oid.to_owned(),
    };
    Ok(decoded.entries.iter().map(entry).collect())
}

/// The entry at `path` below `tree`, if there is one. The root itself is a tree entry.
pub fn lookup(git: &gix::Repository, tree: ObjectId, path: &str) -> Result<Option<Entry>, Error> {
    let mut found = Entry { path: String::new(), kind: EntryKind::Tree, id: tree };
    for component in names::directory_components(path)? {
        if found.kind != EntryKind::Tree {
            return Ok(None);
        }
        match list(git, found.id)?.into_iter().find(|entry| entry.path == component) {
            Some(entry) => found = entry,
            None => return Ok(None),
        }
    }
    found.path = path.trim_matches('/').to_owned();
    Ok(Some(found))
}

/// All entries below a tree, directories included, at most `limit`; says whether there are more.
pub fn walk(git: &gix::Repository, tree: ObjectId, limit: usize) -> Result<(Vec<Entry>, bool), Error> {
    let mut entries = Vec::new();
    let complete = walk_into(git, tree, "", 0, limit, &mut entries)?;
    Ok((entries, !complete))
}

fn walk_into(
    git: &gix::Repository,
    tree: ObjectId,
    prefix: &str,
    depth: usize,
    limit: usize,
    entries: &mut Vec<Entry>,
) -> Result<bool, Error> {
    if depth > DEPTH {
        return Err(Error::TooLarge(format!("directories are nested more than {DEPTH} deep")));
    }
    for mut entry in list(git, tree)? {
        if entries.len() == limit {
            return Ok(false);
        }
        entry.path = format!("{prefix}{}", entry.path);
        let inner = (entry.kind == EntryKind::Tree).then(|| (entry.id, format!("{}/", entry.path)));
        entries.push(entry);
        if let Some((id, prefix)) = inner
            && !walk_into(git, id, &prefix, depth + 1, limit, entries)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Every file below a tree with its content. Submodules hold nothing of this repository and
/// are left out.
pub fn tree(git: &gix::Repository, id: ObjectId, limits: Limits) -> Result<Tree, Error> {
    let (entries, more) = walk(git, id, limits.files.saturating_mul(2))?;
    let mut files = BTreeMap::new();
    let mut total = 0u64;
    for entry in entries {
        let mode = match entry.kind {
            EntryKind::Blob => Mode::File,
            EntryKind::BlobExecutable => Mode::Executable,
            EntryKind::Link => Mode::Link,
            EntryKind::Tree | EntryKind::Commit => continue,
        };
        let content = blob(git, entry.id, &entry.path, limits.file_bytes)?;
        total += content.len() as u64;
        if total > limits.tree_bytes {
            return Err(Error::TooLarge(format!("the files together are larger than {} bytes", limits.tree_bytes)));
        }
        files.insert(entry.path, File { mode, content });
    }
    if more || files.len() > limits.files {
        return Err(Error::TooLarge(format!("there are more than {} files", limits.files)));
    }
    Ok(Tree { id: id.to_string(), files })
}

/// The content of a file; its size is looked at before it is read.
pub fn blob(git: &gix::Repository, id: ObjectId, path: &str, limit_bytes: u64) -> Result<Bytes, Error> {
    let header = git.find_header(id).map_err(internal)?;
    if header.size() > limit_bytes {
        return Err(Error::TooLarge(format!("{path} is larger than {limit_bytes} bytes")));
    }
    let mut blob = git.find_object(id).map_err(internal)?;
    Ok(Bytes::from(std::mem::take(&mut blob.data)))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the repository cannot be read: {error}"))
}
