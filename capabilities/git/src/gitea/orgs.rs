//! Organisations over REST: names under which several users own repositories.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use super::caller::{Json, Known, Unlimited};
use super::error::{ApiError, ApiResult};
use super::page::Paging;
use super::{json, users};
use crate::forge::Forge;
use crate::users::record::{Account, AccountKind, Password};

/// `GET /orgs`
pub async fn list(State(forge): State<Arc<Forge>>, Query(paging): Query<Paging>) -> Response {
    respond(&forge, paging, "orgs", |_| true)
}

/// `GET /user/orgs`
pub async fn list_own(State(forge): State<Arc<Forge>>, Known(caller): Known, Query(paging): Query<Paging>) -> Response {
    respond(&forge, paging, "user/orgs", |org| is_owned_by(org, &caller.login))
}

/// `GET /users/{user}/orgs`
pub async fn list_of(
    State(forge): State<Arc<Forge>>,
    Path(user): Path<String>,
    Query(paging): Query<Paging>,
) -> ApiResult<Response> {
    let account = forge.users.account(&user).ok_or_else(ApiError::not_found)?;
    let path = format!("users/{}/orgs", account.login);
    Ok(respond(&forge, paging, &path, |org| is_owned_by(org, &account.login)))
}

fn is_owned_by(org: &Account, login: &str) -> bool {
    org.owners.iter().any(|owner| owner.eq_ignore_ascii_case(login))
}

fn respond(forge: &Forge, paging: Paging, path: &str, wanted: impl Fn(&Account) -> bool) -> Response {
    let mut orgs = forge.users.accounts();
    orgs.retain(|account| account.kind == AccountKind::Organisation && wanted(account));
    orgs.sort_by_key(|org| org.number);
    paging.respond(&format!("{}/api/v1/{path}", forge.address.base()), orgs, json::organisation)
}

/// `GET /orgs/{org}`
pub async fn show(State(forge): State<Arc<Forge>>, Path(org): Path<String>) -> ApiResult<axum::Json<Value>> {
    Ok(axum::Json(json::organisation(&find(&forge, &org)?)))
}

/// An organisation by its name.
pub fn find(forge: &Forge, org: &str) -> ApiResult<Account> {
    let found = forge.users.account(org).filter(|account| account.kind == AccountKind::Organisation);
    found.ok_or_else(ApiError::not_found)
}

/// An organisation to be made.
#[derive(Deserialize)]
pub struct NewOrganisation {
    username: String,
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    email: String,
}

/// `POST /orgs`
pub async fn create(
    State(forge): State<Arc<Forge>>,
    Unlimited(caller): Unlimited,
    Json(new): Json<NewOrganisation>,
) -> ApiResult<Response> {
    let account = Account {
        number: forge.users.next_number(),
        login: new.username,
        kind: AccountKind::Organisation,
        email: new.email,
        full_name: new.full_name,
        admin: false,
        created: forge.clock.now_rfc3339(),
        owners: vec![caller.login],
        password: Password::None,
    };
    users::store_account(&forge, &account, "user already exists").await?;
    Ok((StatusCode::CREATED, axum::Json(json::organisation(&account))).into_response())
}
