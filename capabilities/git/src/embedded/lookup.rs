//! What is at a path of a repository, for people and REST: the entry, its content
//! or what is in it, and who changed it last. It reads within bounds.

use bytes::Bytes;
use contracts::git::Error;
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::bare::Bare;
use super::history;
use super::read::{self, Entry};
use super::sources::resolve;

/// Entries of one directory that are shown.
const ENTRIES: usize = 1000;

/// The commit that a revision names; the default branch if it is empty.
pub fn find_commit(bare: &Bare, git: &gix::Repository, revision: &str) -> Result<ObjectId, Error> {
    let revision = if revision.is_empty() { bare.default_branch() } else { revision.to_owned() };
    let missing =
        || Error::NoRevision { url: format!("{}/{}", bare.id.owner, bare.id.name), revision: revision.clone() };
    let id = resolve(git, &revision)?.ok_or_else(missing)?;
    ObjectId::from_hex(id.as_bytes()).map_err(|_| missing())
}

/// What is at a path.
pub struct Found {
    /// The commit it was looked up in.
    pub commit: ObjectId,
    /// The entry, with its whole path.
    pub entry: Entry,
    /// The commit that changed it last.
    pub last_commit: String,
    /// Its content, if it is a file or link.
    pub content: Option<Bytes>,
    /// What is in it, if it is a directory, with sizes.
    pub entries: Vec<(Entry, u64)>,
}

/// Looks a path up at a revision.
pub fn find(bare: &Bare, revision: &str, path: &str, limit_bytes: u64) -> Result<Found, Error> {
    let git = bare.git();
    let commit = find_commit(bare, &git, revision)?;
    let missing = || Error::NoPath { url: String::new(), commit: commit.to_string(), path: path.to_owned() };
    let entry = read::lookup(&git, read::tree_of(&git, commit)?, path)?.ok_or_else(missing)?;
    let last = history::last_change(&git, commit, &entry.path)?.map_or(commit, |info| info.id);
    let mut found = Found { commit, last_commit: last.to_string(), content: None, entries: Vec::new(), entry };
    match found.entry.kind {
        EntryKind::Tree => {
            let prefix = if found.entry.path.is_empty() { String::new() } else { format!("{}/", found.entry.path) };
            for mut entry in read::list(&git, found.entry.id)?.into_iter().take(ENTRIES) {
                entry.path = format!("{prefix}{}", entry.path);
                let has_size = !matches!(entry.kind, EntryKind::Tree | EntryKind::Commit);
                let size = if has_size { git.find_header(entry.id).map_or(0, |header| header.size()) } else { 0 };
                found.entries.push((entry, size));
            }
        }
        EntryKind::Commit => {}
        _ => found.content = Some(read::blob(&git, found.entry.id, path, limit_bytes)?),
    }
    Ok(found)
}
