//! Pages for people: a repository's files and their content, read only, and raw
//! files. Nothing that comes from a repository is ever part of a page's markup.

pub mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use contracts::git::Error;

use crate::embedded::bare::Bare;
use crate::embedded::lookup::{Found, find};
use crate::embedded::read;
use crate::embedded::sources::blocking;
use crate::escape;
use crate::forge::Forge;
use crate::names;
use crate::raw;
use crate::smart_http::unauthorized;
use crate::users::{Caller, Presented, Wish};

/// What a page may load and do: its own style and nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
/// Content that is shown on a page; more is offered raw.
const SHOWN_BYTES: usize = 512 * 1024;

/// The routes of the pages.
pub fn router(forge: Arc<Forge>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/{owner}", get(owner))
        .route("/{owner}/{repo}", get(repository))
        .route("/{owner}/{repo}/src/{kind}/{*rest}", get(source))
        .route("/{owner}/{repo}/raw/{kind}/{*rest}", get(raw_file))
        .with_state(forge)
}

fn page(status: StatusCode, html: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (CACHE_CONTROL, "private, no-cache"),
    ];
    (status, headers, html).into_response()
}

fn missing(forge: &Forge) -> Response {
    page(StatusCode::NOT_FOUND, pages::message(&forge.address, "Not found", "There is nothing at this address."))
}

async fn caller(forge: &Forge, headers: &HeaderMap) -> Result<Option<Caller>, Box<Response>> {
    match forge.authenticate(headers).await {
        Presented::Nobody => Ok(None),
        Presented::Caller(caller) => Ok(Some(caller)),
        Presented::Wrong => Err(Box::new(unauthorized())),
    }
}

async fn admit(forge: &Forge, headers: &HeaderMap, owner: &str, name: &str) -> Result<Arc<Bare>, Box<Response>> {
    let caller = caller(forge, headers).await?;
    let id = names::parse_repository(owner, name).map_err(|_| Box::new(missing(forge)))?;
    let bare = forge.embedded.store.get(&id);
    let bare = bare.filter(|bare| forge.allows(caller.as_ref(), bare, Wish::Read));
    bare.ok_or_else(|| Box::new(missing(forge)))
}

async fn home(State(forge): State<Arc<Forge>>, headers: HeaderMap) -> Response {
    list(&forge, &headers, None).await
}

async fn owner(State(forge): State<Arc<Forge>>, Path(owner): Path<String>, headers: HeaderMap) -> Response {
    if forge.users.account(&owner).is_none() {
        return missing(&forge);
    }
    list(&forge, &headers, Some(&owner)).await
}

async fn list(forge: &Forge, headers: &HeaderMap, owner: Option<&str>) -> Response {
    let caller = match caller(forge, headers).await {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    let mut all = forge.embedded.store.all();
    all.retain(|bare| {
        owner.is_none_or(|owner| bare.id.owner.eq_ignore_ascii_case(owner))
            && forge.allows(caller.as_ref(), bare, Wish::Read)
    });
    page(StatusCode::OK, pages::repositories(&forge.address, owner, &all))
}

async fn repository(
    State(forge): State<Arc<Forge>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let bare = match admit(&forge, &headers, &owner, &name).await {
        Ok(bare) => bare,
        Err(refusal) => return *refusal,
    };
    let branch = bare.default_branch();
    if !bare.branches().iter().any(|(name, _)| *name == branch) {
        return page(StatusCode::OK, pages::empty(&forge.address, &bare));
    }
    show(&forge, &bare, "branch", &branch, "").await
}

/// Splits what follows `branch/` into a branch, which may contain slashes, and a path.
fn split(bare: &Bare, kind: &str, rest: &str) -> Option<(String, String)> {
    if kind == "branch" {
        let branches = bare.branches();
        let fits = |name: &&(String, String)| {
            rest.strip_prefix(name.0.as_str()).is_some_and(|after| after.is_empty() || after.starts_with('/'))
        };
        let (name, _) = branches.iter().filter(fits).max_by_key(|(name, _)| name.len())?;
        return Some((name.clone(), rest[name.len()..].trim_matches('/').to_owned()));
    }
    if !matches!(kind, "tag" | "commit") {
        return None;
    }
    let (revision, path) = rest.split_once('/').unwrap_or((rest, ""));
    let revision = if kind == "tag" { format!("refs/tags/{revision}") } else { revision.to_owned() };
    Some((revision, path.trim_matches('/').to_owned()))
}

type Place = Path<(String, String, String, String)>;

async fn source(
    State(forge): State<Arc<Forge>>,
    Path((owner, name, kind, rest)): Place,
    headers: HeaderMap,
) -> Response {
    let bare = match admit(&forge, &headers, &owner, &name).await {
        Ok(bare) => bare,
        Err(refusal) => return *refusal,
    };
    match split(&bare, &kind, &rest) {
        Some((revision, path)) => show(&forge, &bare, &kind, &revision, &path).await,
        None => missing(&forge),
    }
}

async fn look(forge: &Forge, bare: &Arc<Bare>, kind: &str, revision: &str, path: &str) -> Result<Found, Error> {
    let (held, path, limit_bytes) = (bare.clone(), path.to_owned(), forge.settings.max_file_bytes);
    let revision = if kind == "branch" { format!("refs/heads/{revision}") } else { revision.to_owned() };
    blocking(move || find(&held, &revision, &path, limit_bytes)).await
}

async fn show(forge: &Forge, bare: &Arc<Bare>, kind: &str, revision: &str, path: &str) -> Response {
    match look(forge, bare, kind, revision, path).await {
        Ok(found) => {
            let readme = if found.content.is_none() { readme(bare, &found).await } else { None };
            let view = pages::View { address: &forge.address, bare, kind, revision, found: &found, readme };
            page(StatusCode::OK, pages::source(&view, SHOWN_BYTES))
        }
        Err(Error::TooLarge(why)) => page(StatusCode::OK, pages::message(&forge.address, "Too large", &why)),
        Err(_) => missing(forge),
    }
}

/// The directory's README as text.
async fn readme(bare: &Arc<Bare>, found: &Found) -> Option<String> {
    let is_readme = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "readme.md" | "readme" | "readme.txt")
    };
    let (entry, _) = found.entries.iter().find(|(entry, _)| is_readme(&entry.path))?;
    let (held, entry) = (bare.clone(), entry.clone());
    let content = blocking(move || read::blob(&held.git(), entry.id, &entry.path, SHOWN_BYTES as u64)).await.ok()?;
    String::from_utf8(content.to_vec()).ok()
}

async fn raw_file(
    State(forge): State<Arc<Forge>>,
    Path((owner, name, kind, rest)): Place,
    headers: HeaderMap,
) -> Response {
    let bare = match admit(&forge, &headers, &owner, &name).await {
        Ok(bare) => bare,
        Err(refusal) => return *refusal,
    };
    let Some((revision, path)) = split(&bare, &kind, &rest) else { return missing(&forge) };
    match look(&forge, &bare, &kind, &revision, &path).await {
        Ok(Found { content: Some(content), .. }) => raw::respond(content),
        Ok(found) => {
            let escaped = escape::path(&found.entry.path);
            let page = forge.address.page(&bare.id);
            Redirect::to(&format!("{page}/src/{kind}/{}/{escaped}", escape::path(&revision))).into_response()
        }
        Err(Error::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => missing(&forge),
    }
}
