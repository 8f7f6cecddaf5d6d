//! The part of Gitea's REST API that CNOE's stacks call, under `/api/v1`, with
//! Gitea's shapes and status codes. It has no state and no rules of its own.

pub mod branches;
pub mod caller;
pub mod contents;
pub mod edits;
pub mod error;
pub mod json;
pub mod orgs;
pub mod page;
pub mod repos;
pub mod tokens;
pub mod trees;
pub mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post};

use crate::forge::Forge;

/// Largest request body: a file of the largest size in base64, and what stands around it.
const BODY_BYTES: usize = 16 << 20;

/// The routes of the API.
pub fn router(forge: Arc<Forge>) -> Router {
    let api = Router::new()
        .route("/version", get(users::version))
        .route("/user", get(users::own))
        .route("/user/repos", get(repos::list_own).post(repos::create_own))
        .route("/user/orgs", get(orgs::list_own))
        .route("/users/{user}", get(users::show))
        .route("/users/{user}/repos", get(repos::list_of))
        .route("/users/{user}/orgs", get(orgs::list_of))
        .route("/users/{user}/tokens", get(tokens::list).post(tokens::create))
        .route("/users/{user}/tokens/{token}", delete(tokens::remove))
        .route("/admin/users", get(users::list).post(users::create))
        .route("/admin/users/{user}/repos", post(repos::create_for))
        .route("/orgs", get(orgs::list).post(orgs::create))
        .route("/orgs/{org}", get(orgs::show))
        .route("/orgs/{org}/repos", get(repos::list_of_org).post(repos::create_in_org))
        .route("/repos/search", get(repos::search))
        .route("/repos/{owner}/{repo}", get(repos::show).patch(repos::edit).delete(repos::remove))
        .route("/repos/{owner}/{repo}/branches", get(branches::list).post(branches::create))
        .route("/repos/{owner}/{repo}/branches/{*branch}", get(branches::show).delete(branches::remove))
        .route("/repos/{owner}/{repo}/commits", get(branches::commits))
        .route("/repos/{owner}/{repo}/git/commits/{sha}", get(branches::commit))
        .route("/repos/{owner}/{repo}/git/trees/{sha}", get(trees::tree))
        .route("/repos/{owner}/{repo}/contents", get(contents::show_root).post(edits::change_files))
        .route(
            "/repos/{owner}/{repo}/contents/{*path}",
            get(contents::show).post(edits::create).put(edits::update).delete(edits::remove),
        )
        .route("/repos/{owner}/{repo}/raw/{*path}", get(trees::raw))
        .route("/{*rest}", any(error::no_route))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(forge);
    Router::new().nest("/api/v1", api)
}
