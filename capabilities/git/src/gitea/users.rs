//! Users over REST: who am I, who is that, and an administrator's making of users.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use client::Target;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Administrator, Json, Known};
use super::error::{ApiError, ApiResult};
use super::json;
use super::page::Paging;
use crate::forge::Forge;
use crate::kinds::{self, NAMESPACE};
use crate::users::record::{self, Account, AccountKind, Password, Record};
use crate::{names, records};

/// The Gitea whose API this is.
const VERSION: &str = "1.24.3";

/// `GET /version`
pub async fn version() -> axum::Json<Value> {
    axum::Json(json!({ "version": VERSION }))
}

/// `GET /user`
pub async fn own(State(forge): State<Arc<Forge>>, Known(caller): Known) -> axum::Json<Value> {
    axum::Json(match forge.users.account(&caller.login) {
        Some(account) => json::own_user(&forge, &account),
        None => json::owner(&forge, &caller.login),
    })
}

/// `GET /users/{user}`
pub async fn show(State(forge): State<Arc<Forge>>, Path(user): Path<String>) -> ApiResult<axum::Json<Value>> {
    let account = forge.users.account(&user).ok_or_else(ApiError::not_found)?;
    Ok(axum::Json(json::user(&forge, &account)))
}

/// `GET /admin/users`
pub async fn list(State(forge): State<Arc<Forge>>, _: Administrator, Query(paging): Query<Paging>) -> Response {
    let mut users = forge.users.accounts();
    users.retain(|account| account.kind == AccountKind::User);
    let url = format!("{}/api/v1/admin/users", forge.address.base());
    paging.respond(&url, users, |account| json::own_user(&forge, account))
}

/// A user to be made.
#[derive(Deserialize)]
pub struct NewUser {
    username: String,
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    full_name: String,
}

/// `POST /admin/users`
pub async fn create(
    State(forge): State<Arc<Forge>>,
    _: Administrator,
    Json(new): Json<NewUser>,
) -> ApiResult<Response> {
    if new.password.len() < 8 {
        return Err(ApiError::invalid("the password is shorter than 8 characters"));
    }
    let (salt, password) = (forge.ids.token_hex(16), new.password);
    let hashed = tokio::task::spawn_blocking({
        let salt = salt.clone();
        move || base::digest::password_hash(&password, &salt, record::ROUNDS)
    });
    let hash = hashed.await.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let account = Account {
        number: forge.users.next_number(),
        login: new.username,
        kind: AccountKind::User,
        email: new.email,
        full_name: new.full_name,
        admin: false,
        created: forge.clock.now_rfc3339(),
        owners: Vec::new(),
        password: Password::Hashed { salt, rounds: record::ROUNDS, hash },
    };
    store_account(&forge, &account, "user already exists").await?;
    Ok((StatusCode::CREATED, axum::Json(json::own_user(&forge, &account))).into_response())
}

/// Stores a new account as a Secret; its name is derived from the login, so that of two who
/// make the same one wins.
pub async fn store_account(forge: &Forge, account: &Account, taken: &str) -> ApiResult<()> {
    names::check_owner(&account.login).map_err(|error| ApiError::invalid(error.to_string()))?;
    if forge.users.account(&account.login).is_some() {
        return Err(ApiError::invalid(format!("{taken} [name: {}]", account.login)));
    }
    let digest = base::digest::sha256_hex(account.login.to_ascii_lowercase().as_bytes());
    let name = format!("git-account-{}", &digest[..16]);
    let secret = record::account_secret(&name, account);
    let target = Target::namespaced(&api::ClusterName::root(), &kinds::secrets(), NAMESPACE);
    match records::create_with_namespace(forge.records.objects(), &target, &secret).await {
        Err(status) if status.is_already_exists() => {
            return Err(ApiError::invalid(format!("{taken} [name: {}]", account.login)));
        }
        other => other?,
    };
    forge.users.observe(&name, Some(Record { account: Some(account.clone()), tokens: Vec::new() }));
    Ok(())
}
