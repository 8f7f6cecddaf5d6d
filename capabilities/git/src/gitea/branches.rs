//! Branches and commits over REST.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contracts::git::Error;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Asker, Json, repository};
use super::error::{ApiError, ApiResult};
use super::json;
use super::page::Paging;
use crate::embedded::bare::Bare;
use crate::embedded::history::{self, CommitInfo};
use crate::embedded::lookup::find_commit;
use crate::embedded::sources::blocking;
use crate::embedded::{read, write};
use crate::forge::Forge;
use crate::names;
use crate::users::Wish;

/// `GET /repos/{owner}/{repo}/branches`
pub async fn list(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    Query(paging): Query<Paging>,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let may_push = forge.allows(asker.0.as_ref(), &bare, Wish::Write);
    let all = bare.branches();
    let total = all.len();
    let shown = paging.cut(all);
    let held = bare.clone();
    let infos: Vec<(String, CommitInfo)> = blocking(move || {
        let git = held.git();
        let info = |(name, _): (String, String)| match read::branch(&git, &name)? {
            Some(id) => history::commit(&git, id).map(|info| Some((name, info))),
            None => Ok(None),
        };
        shown.into_iter().filter_map(|branch| info(branch).transpose()).collect()
    })
    .await?;
    let shown: Vec<Value> =
        infos.iter().map(|(name, info)| json::branch(&forge, &bare, name, info, may_push)).collect();
    Ok(paging.respond_with(&format!("{}/branches", forge.address.api(&bare.id)), total, &shown))
}

async fn branch_info(bare: &Arc<Bare>, branch: &str) -> ApiResult<CommitInfo> {
    let (held, wanted) = (bare.clone(), branch.to_owned());
    let found = blocking(move || {
        let git = held.git();
        read::branch(&git, &wanted)?.map(|id| history::commit(&git, id)).transpose()
    });
    found.await?.ok_or_else(ApiError::not_found)
}

/// `GET /repos/{owner}/{repo}/branches/{branch}`
pub async fn show(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, branch)): Path<(String, String, String)>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let info = branch_info(&bare, &branch).await?;
    let may_push = forge.allows(asker.0.as_ref(), &bare, Wish::Write);
    Ok(axum::Json(json::branch(&forge, &bare, &branch, &info, may_push)))
}

/// A branch to be made.
#[derive(Deserialize)]
pub struct NewBranch {
    new_branch_name: String,
    #[serde(default)]
    old_branch_name: String,
    #[serde(default)]
    old_ref_name: String,
}

/// `POST /repos/{owner}/{repo}/branches`
pub async fn create(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    Json(new): Json<NewBranch>,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Write)?;
    names::check_branch(&new.new_branch_name)?;
    let actor = asker.0.map(|caller| caller.login).unwrap_or_default();
    let branch = new.new_branch_name.clone();
    let from = if new.old_ref_name.is_empty() { new.old_branch_name } else { new.old_ref_name };
    let made = forge.embedded.changing(&bare.id, &actor, move |_, bare| {
        let git = bare.git();
        let start = find_commit(bare, &git, &from)?;
        if read::branch(&git, &branch)?.is_some() {
            return Ok(false);
        }
        write::move_branch(bare, &git, &branch, None, start).map(|()| true)
    });
    match made.await {
        Ok(false) | Err(Error::Moved { .. }) => return Err(ApiError::conflict("The branch already exists.")),
        other => drop(other?),
    }
    let info = branch_info(&bare, &new.new_branch_name).await?;
    let shown = json::branch(&forge, &bare, &new.new_branch_name, &info, true);
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// `DELETE /repos/{owner}/{repo}/branches/{branch}`
pub async fn remove(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, branch)): Path<(String, String, String)>,
) -> ApiResult<StatusCode> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Write)?;
    if branch == bare.default_branch() {
        return Err(ApiError::forbidden("can not delete default branch"));
    }
    let actor = asker.0.map(|caller| caller.login).unwrap_or_default();
    let removed = forge.embedded.changing(&bare.id, &actor, move |_, bare| {
        let git = bare.git();
        let Some(tip) = read::branch(&git, &branch)? else { return Ok(false) };
        write::remove_branch(bare, &git, &branch, tip).map(|()| true)
    });
    if removed.await? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found()) }
}

/// Which commits are asked for.
#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    sha: String,
    #[serde(default)]
    path: String,
    page: Option<usize>,
    limit: Option<usize>,
}

/// `GET /repos/{owner}/{repo}/commits`
pub async fn commits(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> ApiResult<Response> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    if bare.branches().is_empty() {
        return Err(ApiError::conflict("Git Repository is empty."));
    }
    let paging = Paging::new(which.page, which.limit);
    let held = bare.clone();
    let page = blocking(move || {
        let git = held.git();
        let tip = find_commit(&held, &git, &which.sha)?;
        history::log(&git, tip, &which.path, paging.skip(), paging.limit())
    })
    .await?;
    let shown: Vec<Value> = page.commits.iter().map(|info| json::commit(&forge, &bare, info)).collect();
    Ok(paging.respond_with(&format!("{}/commits", forge.address.api(&bare.id)), page.total, &json!(shown)))
}

/// `GET /repos/{owner}/{repo}/git/commits/{sha}`
pub async fn commit(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name, sha)): Path<(String, String, String)>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    let held = bare.clone();
    let info = blocking(move || {
        let git = held.git();
        history::commit(&git, find_commit(&held, &git, &sha)?)
    })
    .await?;
    Ok(axum::Json(json::commit(&forge, &bare, &info)))
}
