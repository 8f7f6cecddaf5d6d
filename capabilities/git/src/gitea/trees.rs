//! Trees and raw files over REST.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Asker, repository};
use super::contents::At;
use super::error::{ApiError, ApiResult};
use crate::embedded::bare::Bare;
use crate::embedded::lookup::{find, find_commit};
use crate::embedded::read;
use crate::embedded::sources::blocking;
use crate::forge::Forge;
use crate::raw::respond;
use crate::users::Wish;

/// Entries on a page of a tree.
const ENTRIES: usize = 1000;
/// Entries that are walked for a tree.
const WALKED: usize = 50_000;

/// How a tree is asked for.
#[derive(Deserialize)]
pub struct How {
    #[serde(default)]
    recursive: String,
    page: Option<usize>,
    per_page: Option<usize>,
}

/// `GET /repos/{owner}/{repo}/git/trees/{sha}`
pub async fn tree(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, sha)): Path<(String, String, String)>,
    Query(how): Query<How>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let held = bare.clone();
    let deep = matches!(how.recursive.as_str(), "1" | "true");
    let (id, entries, cut) = blocking(move || {
        let git = held.git();
        let id = tree_id(&held, &git, &sha)?;
        let (entries, cut) = if deep { read::walk(&git, id, WALKED)? } else { (read::list(&git, id)?, false) };
        let sized: Vec<(read::Entry, u64)> = entries
            .into_iter()
            .map(|entry| {
                let has_size = !matches!(entry.kind, EntryKind::Tree | EntryKind::Commit);
                let size = if has_size { git.find_header(entry.id).map_or(0, |header| header.size()) } else { 0 };
                (entry, size)
            })
            .collect();
        Ok((id, sized, cut))
    })
    .await?;
    let page = how.page.unwrap_or(1).max(1);
    let limit = how.per_page.filter(|limit| *limit > 0).unwrap_or(ENTRIES).min(ENTRIES);
    let total = entries.len();
    let skip = (page - 1).saturating_mul(limit);
    let api = forge.address.api(&bare.id);
    let shown: Vec<Value> =
        entries.iter().skip(skip).take(limit).map(|(entry, size)| entry_shape(&api, entry, *size)).collect();
    Ok(axum::Json(json!({
        "sha": id.to_string(),
        "url": format!("{api}/git/trees/{id}"),
        "tree": shown,
        "truncated": cut || skip + limit < total,
        "page": page,
        "total_count": total,
    })))
}

/// A tree by its own id, or that of what a revision names.
fn tree_id(bare: &Bare, git: &gix::Repository, sha: &str) -> Result<ObjectId, contracts::git::Error> {
    if let Ok(id) = ObjectId::from_hex(sha.as_bytes())
        && git.find_tree(id).is_ok()
    {
        return Ok(id);
    }
    read::tree_of(git, find_commit(bare, git, sha)?)
}

fn entry_shape(api: &str, entry: &read::Entry, size: u64) -> Value {
    let (mode, kind) = match entry.kind {
        EntryKind::Tree => ("040000", "tree"),
        EntryKind::Blob => ("100644", "blob"),
        EntryKind::BlobExecutable => ("100755", "blob"),
        EntryKind::Link => ("120000", "blob"),
        EntryKind::Commit => ("160000", "commit"),
    };
    json!({
        "path": entry.path,
        "mode": mode,
        "type": kind,
        "size": size,
        "sha": entry.id.to_string(),
        "url": format!("{api}/git/{kind}s/{}", entry.id),
    })
}

/// `GET /repos/{owner}/{repo}/raw/{path}`
pub async fn raw(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, path)): Path<(String, String, String)>,
    Query(At { revision }): Query<At>,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let limit_bytes = forge.settings.max_file_bytes;
    let found = blocking(move || find(&bare, &revision, &path, limit_bytes)).await?;
    found.content.map(respond).ok_or_else(ApiError::not_found)
}
