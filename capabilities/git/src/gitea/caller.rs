//! What handlers ask of a request: who it comes from, its JSON, and the repository
//! it is about, if the caller may have it.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::error::{ApiError, ApiResult};
use crate::embedded::bare::Bare;
use crate::forge::Forge;
use crate::names;
use crate::users::Wish;
use crate::users::{Caller, Presented};

/// Who a request comes from; `None` for nobody. Wrong credentials are refused.
pub struct Asker(pub Option<Caller>);

impl FromRequestParts<Arc<Forge>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, forge: &Arc<Forge>) -> Result<Self, ApiError> {
        match forge.authenticate(&parts.headers).await {
            Presented::Nobody => Ok(Asker(None)),
            Presented::Caller(caller) => Ok(Asker(Some(caller))),
            Presented::Wrong => {
                Err(ApiError::new(axum::http::StatusCode::UNAUTHORIZED, "invalid username, password or token"))
            }
        }
    }
}

/// An authenticated caller.
pub struct Known(pub Caller);

impl FromRequestParts<Arc<Forge>> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, forge: &Arc<Forge>) -> Result<Self, ApiError> {
        let Asker(caller) = Asker::from_request_parts(parts, forge).await?;
        caller.map(Known).ok_or_else(ApiError::unauthorized)
    }
}

/// An authenticated caller whose token, if it is one, is for everything.
pub struct Unlimited(pub Caller);

impl FromRequestParts<Arc<Forge>> for Unlimited {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, forge: &Arc<Forge>) -> Result<Self, ApiError> {
        let Known(caller) = Known::from_request_parts(parts, forge).await?;
        let everything = caller.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| scope == "all"));
        if everything { Ok(Unlimited(caller)) } else { Err(ApiError::forbidden("this token is not for that")) }
    }
}

/// An administrator.
pub struct Administrator(pub Caller);

impl FromRequestParts<Arc<Forge>> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, forge: &Arc<Forge>) -> Result<Self, ApiError> {
        let Unlimited(caller) = Unlimited::from_request_parts(parts, forge).await?;
        if caller.admin {
            Ok(Administrator(caller))
        } else {
            Err(ApiError::forbidden("user should be an administrator"))
        }
    }
}

/// A JSON body; an empty one counts as `{}`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Forge>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, forge: &Arc<Forge>) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, forge)
            .await
            .map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))?;
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(text).map(Json).map_err(|error| ApiError::invalid(format!("invalid JSON: {error}")))
    }
}

/// The repository that a path names, if the caller may do that with it.
pub fn repository(forge: &Forge, asker: &Asker, owner: &str, name: &str, wish: Wish) -> ApiResult<Arc<Bare>> {
    let id = names::parse_repository(owner, name).map_err(|_| ApiError::not_found())?;
    let caller = asker.0.as_ref();
    let bare = forge.embedded.store.get(&id).filter(|bare| forge.allows(caller, bare, Wish::Read));
    // Nobody learns whether a repository that they may not read exists.
    let bare = bare.ok_or_else(ApiError::not_found)?;
    if forge.allows(caller, &bare, wish) {
        return Ok(bare);
    }
    if caller.is_none() {
        return Err(ApiError::unauthorized());
    }
    Err(ApiError::forbidden("user should be an owner or a collaborator with write of a repository"))
}
