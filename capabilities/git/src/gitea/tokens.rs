//! Access tokens over REST. A token is shown once, when it is made; afterwards
//! only its digest is known.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use client::{DeleteOptions, Target};
use serde::Deserialize;

use super::caller::{Json, Unlimited};
use super::error::{ApiError, ApiResult};
use super::json;
use super::page::Paging;
use crate::forge::Forge;
use crate::kinds::{self, NAMESPACE};
use crate::records;
use crate::users::Caller;
use crate::users::record::{self, Account, Record, Token};

/// Bytes of a token; it is written in hexadecimal.
const TOKEN_BYTES: usize = 20;
/// Tokens of one user.
const TOKENS: usize = 1000;

/// Whose tokens are meant, if the caller may handle them.
fn subject(forge: &Forge, caller: &Caller, user: &str) -> ApiResult<Account> {
    let account = forge.users.account(user).ok_or_else(ApiError::not_found)?;
    if caller.admin || account.login.eq_ignore_ascii_case(&caller.login) {
        return Ok(account);
    }
    Err(ApiError::forbidden("tokens of others are not yours to handle"))
}

/// `GET /users/{user}/tokens`
pub async fn list(
    State(forge): State<Arc<Forge>>,
    Unlimited(caller): Unlimited,
    Path(user): Path<String>,
    Query(paging): Query<Paging>,
) -> ApiResult<Response> {
    let account = subject(&forge, &caller, &user)?;
    let url = format!("{}/api/v1/users/{}/tokens", forge.address.base(), account.login);
    let tokens = forge.users.tokens(&account.login);
    Ok(paging.respond(&url, tokens, |(_, token)| json::token(token, "")))
}

/// A token to be made.
#[derive(Deserialize)]
pub struct NewToken {
    name: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// `POST /users/{user}/tokens`
pub async fn create(
    State(forge): State<Arc<Forge>>,
    Unlimited(caller): Unlimited,
    Path(user): Path<String>,
    Json(new): Json<NewToken>,
) -> ApiResult<Response> {
    let account = subject(&forge, &caller, &user)?;
    let scopes = new.scopes.unwrap_or_default();
    if scopes
        .iter()
        .any(|scope| scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_lowercase() || b":-".contains(&byte)))
    {
        return Err(ApiError::bad_request("invalid access token scope provided"));
    }
    let held = forge.users.tokens(&account.login);
    if new.name.is_empty() || held.len() >= TOKENS {
        return Err(ApiError::invalid("a token needs a name, and a user has at most 1000"));
    }
    if held.iter().any(|(_, token)| token.name == new.name) {
        return Err(ApiError::bad_request("access token name has been used already"));
    }
    let secret = forge.ids.token_hex(TOKEN_BYTES);
    let token = Token {
        number: forge.users.next_number(),
        login: account.login,
        name: new.name,
        sha256: base::digest::sha256_hex(secret.as_bytes()),
        last_eight: record::last_eight(&secret),
        scopes,
        created: forge.clock.now_rfc3339(),
    };
    let name = format!("git-token-{}", forge.ids.token_hex(8));
    let target = Target::namespaced(&api::ClusterName::root(), &kinds::secrets(), NAMESPACE);
    records::create_with_namespace(forge.records.objects(), &target, &record::token_secret(&name, &token)).await?;
    forge.users.observe(&name, Some(Record { account: None, tokens: vec![token.clone()] }));
    Ok((StatusCode::CREATED, axum::Json(json::token(&token, &secret))).into_response())
}

/// `DELETE /users/{user}/tokens/{token}`, by number or name
pub async fn remove(
    State(forge): State<Arc<Forge>>,
    Unlimited(caller): Unlimited,
    Path((user, wanted)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let account = subject(&forge, &caller, &user)?;
    let mut held = forge.users.tokens(&account.login).into_iter();
    let is_wanted = |token: &Token| token.name == wanted || token.number.to_string() == wanted;
    let (secret, _) = held.find(|(_, token)| is_wanted(token)).ok_or_else(ApiError::not_found)?;
    if secret == record::CREDENTIAL {
        return Err(ApiError::forbidden("this token is in the Secret gitea/gitea-credential; change it there"));
    }
    let target = Target::namespaced(&api::ClusterName::root(), &kinds::secrets(), NAMESPACE);
    match forge.records.objects().delete(&target, &secret, DeleteOptions::default()).await {
        Err(status) if !status.is_not_found() => return Err(status.into()),
        _ => {}
    }
    forge.users.observe(&secret, None);
    Ok(StatusCode::NO_CONTENT)
}
