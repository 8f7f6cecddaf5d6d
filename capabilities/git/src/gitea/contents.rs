//! Reading files and directories over REST.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use gix::objs::tree::EntryKind;
use serde::Deserialize;
use serde_json::Value;

use super::caller::{Asker, repository};
use super::error::ApiResult;
use super::json::{self, Item};
use crate::embedded::bare::Bare;
use crate::embedded::lookup::{Found, find};
use crate::embedded::sources::blocking;
use crate::forge::Forge;
use crate::users::Wish;

/// At which revision.
#[derive(Deserialize)]
pub struct At {
    #[serde(default, rename = "ref")]
    pub revision: String,
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
