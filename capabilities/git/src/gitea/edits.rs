//! Changing files over REST: each call is one commit.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contracts::git::{Error, File, Mode};
use gix::ObjectId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Asker, Json, repository};
use super::contents::shape;
use super::error::{ApiError, ApiResult};
use super::json;
use crate::embedded::bare::Bare;
use crate::embedded::sources::blocking;
use crate::embedded::write::{About, Edit, EditCommit, Expect, Refusal};
use crate::embedded::{history, lookup, read};
use crate::forge::Forge;
use crate::users::Wish;

/// Files that one call may change.
const FILES: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    name: String,
    email: String,
}

/// What every change says of its commit.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Options {
    message: String,
    branch: String,
    new_branch: String,
    author: Person,
    content: String,
    sha: String,
    from_path: String,
}

/// Several changes at once.
#[derive(Deserialize)]
pub struct Several {
    #[serde(flatten)]
    options: Options,
    files: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    operation: String,
    path: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    sha: String,
    #[serde(default)]
    from_path: String,
}

type Place = Path<(String, String, String)>;

/// `POST /repos/{owner}/{repo}/contents/{path}`
pub async fn create(
    state: State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, path)): Place,
    Json(options): Json<Options>,
) -> ApiResult<Response> {
    one(state, asker, (owner, name), path, "create", options).await
}

/// `PUT /repos/{owner}/{repo}/contents/{path}`
pub async fn update(
    state: State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, path)): Place,
    Json(options): Json<Options>,
) -> ApiResult<Response> {
    // As Gitea: an update without a known file makes it.
    let operation = if options.sha.is_empty() { "upload" } else { "update" };
    one(state, asker, (owner, name), path, operation, options).await
}

/// `DELETE /repos/{owner}/{repo}/contents/{path}`, options in the body or the query
pub async fn remove(
    state: State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, path)): Place,
    Query(query): Query<Options>,
    Json(body): Json<Options>,
) -> ApiResult<Response> {
    let options = if body.sha.is_empty() { query } else { body };
    if options.sha.is_empty() {
        return Err(ApiError::invalid("[SHA]: Required"));
    }
    one(state, asker, (owner, name), path, "delete", options).await
}

/// `POST /repos/{owner}/{repo}/contents`
pub async fn change_files(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    Json(several): Json<Several>,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Write)?;
    let changed = apply(&forge, &asker, &bare, several.files, several.options).await?;
    let files: Vec<Value> = changed.files.into_iter().map(|(_, shape)| shape).collect();
    let body = json!({"files": files, "commit": changed.commit, "verification": null});
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

async fn one(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    (owner, name): (String, String),
    path: String,
    operation: &str,
    mut options: Options,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Write)?;
    let change = Change {
        operation: operation.to_owned(),
        path,
        content: std::mem::take(&mut options.content),
        sha: std::mem::take(&mut options.sha),
        from_path: std::mem::take(&mut options.from_path),
    };
    let changed = apply(&forge, &asker, &bare, vec![change], options).await?;
    let (was_there, content) = changed.files.into_iter().next().unwrap_or((false, Value::Null));
    let status = if was_there || operation == "delete" { StatusCode::OK } else { StatusCode::CREATED };
    let body = json!({"content": content, "commit": changed.commit, "verification": null});
    Ok((status, axum::Json(body)).into_response())
}

/// What came of a change.
struct Changed {
    /// For each file whether it was there before, and its shape now; null if it is gone.
    files: Vec<(bool, Value)>,
    commit: Value,
}

async fn apply(
    forge: &Arc<Forge>,
    asker: &Asker,
    bare: &Arc<Bare>,
    changes: Vec<Change>,
    options: Options,
) -> ApiResult<Changed> {
    if changes.is_empty() || changes.len() > FILES {
        return Err(ApiError::invalid(format!("between 1 and {FILES} files can be changed at once")));
    }
    let actor = asker.0.as_ref().map(|caller| caller.login.clone()).unwrap_or_default();
    let base = if options.branch.is_empty() { bare.default_branch() } else { options.branch.clone() };
    let branch = if options.new_branch.is_empty() { base.clone() } else { options.new_branch.clone() };
    // The first commit of an empty repository has no branch to start from.
    let from = (branch != base || !bare.branches().is_empty()).then(|| base.clone());
    let about = about(forge, &actor, &changes, &options);
    let edits = edits(forge, &changes)?;
    let paths: Vec<(String, bool)> =
        changes.iter().map(|change| (change.path.clone(), change.operation == "delete")).collect();
    let before = present(bare, &base, &paths).await?;
    let commit = EditCommit { branch: branch.clone(), from, edits, about };
    let id = forge.embedded.commit_edits(&bare.id, commit, &actor).await?.map_err(refused)?;
    let (held, limit_bytes) = (bare.clone(), forge.settings.max_file_bytes);
    let (found, info) = blocking(move || {
        let commit = ObjectId::from_hex(id.as_bytes()).map_err(|error| held.internal(&error))?;
        let info = history::commit(&held.git(), commit)?;
        let find = |(path, is_gone): &(String, bool)| {
            if *is_gone { Ok(None) } else { lookup::find(&held, &id, path, limit_bytes).map(Some) }
        };
        Ok((paths.iter().map(find).collect::<Result<Vec<_>, Error>>()?, info))
    })
    .await?;
    let shapes =
        found.iter().map(|found| found.as_ref().map_or(Value::Null, |found| shape(forge, bare, &branch, found)));
    Ok(Changed { files: before.into_iter().zip(shapes).collect(), commit: json::file_commit(forge, bare, &info) })
}

/// Which of the paths are there now.
async fn present(bare: &Arc<Bare>, branch: &str, paths: &[(String, bool)]) -> ApiResult<Vec<bool>> {
    let (held, branch, paths) = (bare.clone(), branch.to_owned(), paths.to_vec());
    let found = blocking(move || {
        let git = held.git();
        let Some(tip) = read::branch(&git, &branch)? else { return Ok(vec![false; paths.len()]) };
        let root = read::tree_of(&git, tip)?;
        paths.iter().map(|(path, _)| Ok(read::lookup(&git, root, path)?.is_some())).collect()
    });
    Ok(found.await?)
}

fn about(forge: &Forge, actor: &str, changes: &[Change], options: &Options) -> About {
    let account = forge.users.account(actor);
    let email = account.map(|account| account.email).unwrap_or_default();
    let message = match (options.message.as_str(), changes) {
        ("", [change]) => {
            let verb = match change.operation.as_str() {
                "create" | "upload" => "Add",
                "delete" => "Delete",
                _ => "Update",
            };
            format!("{verb} {}", change.path)
        }
        ("", _) => format!("Change {} files", changes.len()),
        (message, _) => message.to_owned(),
    };
    About {
        name: if options.author.name.is_empty() { actor.to_owned() } else { options.author.name.clone() },
        email: if options.author.email.is_empty() { email } else { options.author.email.clone() },
        message,
    }
}

fn edits(forge: &Forge, changes: &[Change]) -> ApiResult<Vec<Edit>> {
    let mut edits = Vec::new();
    for change in changes {
        let path = change.path.trim_matches('/').to_owned();
        let expect = match change.operation.as_str() {
            "create" => Expect::Absent,
            "update" | "delete" if change.from_path.is_empty() => Expect::File(change.sha.clone()),
            "update" | "upload" => Expect::Anything,
            other => {
                return Err(ApiError::invalid(format!("operation {other:?} is not one of create, update, delete")));
            }
        };
        let file = if change.operation == "delete" { None } else { Some(decode(forge, change)?) };
        if !change.from_path.is_empty() && change.from_path != path {
            let from = Expect::File(change.sha.clone());
            edits.push(Edit { path: change.from_path.clone(), file: None, expect: from });
        }
        edits.push(Edit { path, file, expect });
    }
    Ok(edits)
}

fn decode(forge: &Forge, change: &Change) -> ApiResult<File> {
    let text: String = change.content.split_whitespace().collect();
    let content =
        STANDARD.decode(text).map_err(|error| ApiError::invalid(format!("content is not base64: {error}")))?;
    let limit_bytes = forge.settings.max_file_bytes;
    if content.len() as u64 > limit_bytes {
        return Err(Error::TooLarge(format!("{} is larger than {limit_bytes} bytes", change.path)).into());
    }
    Ok(File { mode: Mode::File, content: Bytes::from(content) })
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NoBranch(_) => ApiError::not_found(),
        Refusal::Missing(path) => {
            ApiError::new(StatusCode::NOT_FOUND, format!("repository file does not exist [path: {path}]"))
        }
        Refusal::Exists(path) => ApiError::invalid(format!("repository file already exists [path: {path}]")),
        Refusal::Stale { path, expected, actual } => {
            ApiError::invalid(format!("sha does not match [path: {path}, given: {expected}, expected: {actual}]"))
        }
        Refusal::NotAFile(path) => ApiError::invalid(format!("path is not a file [path: {path}]")),
    }
}
