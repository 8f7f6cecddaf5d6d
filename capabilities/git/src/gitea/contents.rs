//! Reading files and directories over REST.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use bytes::Bytes;
use contracts::git::Error;
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use serde::Deserialize;
use serde_json::Value;

use super::branches::find_commit;
use super::caller::{Asker, repository};
use super::error::ApiResult;
use super::json::{self, Item};
use crate::embedded::bare::Bare;
use crate::embedded::history;
use crate::embedded::read::{self, Entry};
use crate::embedded::sources::blocking;
use crate::forge::{Forge, Wish};

/// Entries of one directory that are shown.
const ENTRIES: usize = 1000;

/// At which revision.
#[derive(Deserialize)]
pub struct At {
    #[serde(default, rename = "ref")]
    pub revision: String,
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

/// The JSON of what was found: one item for a file, a list for a directory.
pub fn shape(forge: &Forge, bare: &Bare, revision: &str, found: &Found) -> Value {
    let default = bare.default_branch();
    let revision = if revision.is_empty() { &default } else { revision };
    let item = |entry, size, content| {
        json::content(forge, &Item { bare, revision, entry, size, last_commit: &found.last_commit, content })
    };
    if found.entry.kind == EntryKind::Tree {
        return found.entries.iter().map(|(entry, size)| item(entry, *size, None)).collect();
    }
    let content = found.content.as_deref();
    item(&found.entry, content.map_or(0, |content| content.len() as u64), content)
}

/// `GET /repos/{owner}/{repo}/contents`
pub async fn show_root(
    state: State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    at: Query<At>,
) -> ApiResult<axum::Json<Value>> {
    show(state, asker, Path((owner, name, String::new())), at).await
}

/// `GET /repos/{owner}/{repo}/contents/{path}`
pub async fn show(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, path)): Path<(String, String, String)>,
    Query(At { revision }): Query<At>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let (held, at, limit_bytes) = (bare.clone(), revision.clone(), forge.settings.max_file_bytes);
    let found = blocking(move || find(&held, &at, &path, limit_bytes)).await?;
    Ok(axum::Json(shape(&forge, &bare, &revision, &found)))
}
