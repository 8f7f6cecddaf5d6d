//! Repositories over REST: list, search, make, change, remove.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use contracts::git::{File, Mode, NewCommit, NewRepository, RepositoryId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Administrator, Asker, Json, Known, repository};
use super::error::{ApiError, ApiResult};
use super::page::Paging;
use super::{json, orgs};
use crate::embedded::bare::Bare;
use crate::embedded::read;
use crate::embedded::sources::blocking;
use crate::forge::Forge;
use crate::names;
use crate::users::Caller;
use crate::users::Wish;

/// A repository to be made.
#[derive(Deserialize)]
pub struct NewRepo {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    auto_init: bool,
    #[serde(default)]
    default_branch: String,
}

/// `POST /user/repos`
pub async fn create_own(
    State(forge): State<Arc<Forge>>,
    Known(caller): Known,
    Json(new): Json<NewRepo>,
) -> ApiResult<Response> {
    let owner = caller.login.clone();
    create(&forge, &caller, &owner, new).await
}

/// `POST /orgs/{org}/repos`
pub async fn create_in_org(
    State(forge): State<Arc<Forge>>,
    Known(caller): Known,
    Path(org): Path<String>,
    Json(new): Json<NewRepo>,
) -> ApiResult<Response> {
    let owner = orgs::find(&forge, &org)?.login;
    if !caller.admin && !forge.users.belongs_to(&caller.login, &owner) {
        return Err(ApiError::forbidden("user is not allowed to make repositories in this organisation"));
    }
    create(&forge, &caller, &owner, new).await
}

/// `POST /admin/users/{user}/repos`
pub async fn create_for(
    State(forge): State<Arc<Forge>>,
    Administrator(caller): Administrator,
    Path(user): Path<String>,
    Json(new): Json<NewRepo>,
) -> ApiResult<Response> {
    let owner = forge.users.account(&user).ok_or_else(ApiError::not_found)?.login;
    create(&forge, &caller, &owner, new).await
}

async fn create(forge: &Arc<Forge>, caller: &Caller, owner: &str, new: NewRepo) -> ApiResult<Response> {
    if !caller.scope_allows(Wish::Write) {
        return Err(ApiError::forbidden("this token is not for that"));
    }
    let default_branch = if new.default_branch.is_empty() { "main".to_owned() } else { new.default_branch };
    let wanted = NewRepository {
        id: RepositoryId { owner: owner.to_owned(), name: new.name },
        description: new.description,
        private: new.private,
        default_branch,
    };
    let (bare, made) = forge.create(&wanted).await?;
    if !made {
        return Err(ApiError::conflict("The repository with the same name already exists."));
    }
    if new.auto_init {
        let readme = format!("# {}\n\n{}\n", wanted.id.name, wanted.description);
        let file = File { mode: Mode::File, content: Bytes::from(readme.trim_end().to_owned() + "\n") };
        let email = forge.users.account(&caller.login).map(|account| account.email).unwrap_or_default();
        let commit = NewCommit {
            branch: wanted.default_branch.clone(),
            expected_parent: None,
            files: BTreeMap::from([("README.md".to_owned(), file)]),
            author_name: caller.login.clone(),
            author_email: email,
            message: "Initial commit".into(),
        };
        forge.embedded.commit_all(&wanted.id, commit, &caller.login).await?;
    }
    Ok((StatusCode::CREATED, axum::Json(json::repository(forge, Some(caller), &bare))).into_response())
}

/// Repositories that a caller may read, of one owner or of all, by number.
fn visible(forge: &Forge, caller: Option<&Caller>, wanted: impl Fn(&Bare) -> bool) -> Vec<Arc<Bare>> {
    let mut found = forge.embedded.store.all();
    found.retain(|bare| wanted(bare) && forge.allows(caller, bare, Wish::Read));
    found.sort_by_key(|bare| bare.facts().number);
    found
}

/// `GET /user/repos`
pub async fn list_own(State(forge): State<Arc<Forge>>, Known(caller): Known, Query(paging): Query<Paging>) -> Response {
    let found = visible(&forge, Some(&caller), |bare| forge.users.belongs_to(&caller.login, &bare.id.owner));
    let url = format!("{}/api/v1/user/repos", forge.address.base());
    paging.respond(&url, found, |bare| json::repository(&forge, Some(&caller), bare))
}

/// `GET /users/{user}/repos`
pub async fn list_of(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path(user): Path<String>,
    Query(paging): Query<Paging>,
) -> ApiResult<Response> {
    let owner = forge.users.account(&user).ok_or_else(ApiError::not_found)?.login;
    Ok(list_owned(&forge, &asker, &owner, "users", paging))
}

/// `GET /orgs/{org}/repos`
pub async fn list_of_org(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path(org): Path<String>,
    Query(paging): Query<Paging>,
) -> ApiResult<Response> {
    let owner = orgs::find(&forge, &org)?.login;
    Ok(list_owned(&forge, &asker, &owner, "orgs", paging))
}

fn list_owned(forge: &Forge, asker: &Asker, owner: &str, kind: &str, paging: Paging) -> Response {
    let caller = asker.0.as_ref();
    let found = visible(forge, caller, |bare| bare.id.owner.eq_ignore_ascii_case(owner));
    let url = format!("{}/api/v1/{kind}/{owner}/repos", forge.address.base());
    paging.respond(&url, found, |bare| json::repository(forge, caller, bare))
}

/// What is searched for.
#[derive(Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
    #[serde(default)]
    uid: i64,
    page: Option<usize>,
    limit: Option<usize>,
}

/// `GET /repos/search`
pub async fn search(State(forge): State<Arc<Forge>>, asker: Asker, Query(search): Query<Search>) -> Response {
    let paging = Paging::new(search.page, search.limit);
    let caller = asker.0.as_ref();
    let text = search.q.to_lowercase();
    let owner = forge.users.accounts().into_iter().find(|account| account.number == search.uid);
    let found = visible(&forge, caller, |bare| {
        let by_owner =
            search.uid == 0 || owner.as_ref().is_some_and(|owner| owner.login.eq_ignore_ascii_case(&bare.id.owner));
        by_owner && (bare.id.name.to_lowercase().contains(&text) || names::key(&bare.id).contains(&text))
    });
    let url = format!(
        "{}/api/v1/repos/search?q={}&uid={}",
        forge.address.base(),
        crate::escape::segment(&search.q),
        search.uid
    );
    let total = found.len();
    let data: Vec<Value> = paging.cut(found).iter().map(|bare| json::repository(&forge, caller, bare)).collect();
    paging.respond_with(&url, total, &json!({"ok": true, "data": data}))
}

/// `GET /repos/{owner}/{repo}`
pub async fn show(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Read)?;
    Ok(axum::Json(json::repository(&forge, asker.0.as_ref(), &bare)))
}

/// What is to change of a repository.
#[derive(Deserialize)]
pub struct Changes {
    name: Option<String>,
    description: Option<String>,
    private: Option<bool>,
    default_branch: Option<String>,
}

/// `PATCH /repos/{owner}/{repo}`
pub async fn edit(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
    Json(changes): Json<Changes>,
) -> ApiResult<axum::Json<Value>> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Administer)?;
    if changes.name.is_some_and(|name| name != bare.id.name) {
        return Err(ApiError::invalid("repositories cannot be renamed; make another and push to it"));
    }
    let mut spec = serde_json::Map::new();
    if let Some(description) = changes.description {
        spec.insert("description".into(), description.into());
    }
    if let Some(private) = changes.private {
        spec.insert("private".into(), private.into());
    }
    if let Some(branch) = changes.default_branch {
        let (held, wanted) = (bare.clone(), branch.clone());
        let exists = blocking(move || Ok(read::branch(&held.git(), &wanted)?.is_some())).await?;
        if names::check_branch(&branch).is_err() || (!exists && !bare.branches().is_empty()) {
            return Err(ApiError::not_found());
        }
        spec.insert("defaultBranch".into(), branch.into());
    }
    forge.records.revise(&bare, spec.into()).await?;
    Ok(axum::Json(json::repository(&forge, asker.0.as_ref(), &bare)))
}

/// `DELETE /repos/{owner}/{repo}`
pub async fn remove(
    State(forge): State<Arc<Forge>>,
    asker: Asker,
    Path((owner, name)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let bare = repository(&forge, &asker, &owner, &name, Wish::Administer)?;
    forge.remove(&bare.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
