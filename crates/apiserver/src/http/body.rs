//! Request bodies: bounded in size, read as JSON, YAML or Kubernetes protobuf,
//! always into a JSON tree.

use std::time::Duration;

use api::{Gvk, Status};
use axum::body::Body;
use base::limits;
use bytes::Bytes;
use http::{HeaderMap, header};
use machinery::patch::Body as PatchBody;
use serde_json::Value;

use crate::pipeline::apply_unsupported;
use crate::tree::Tree;

/// How long a client may take to send the body of a request, as kube-apiserver's limit
/// for a whole request.
const PATIENCE: Duration = Duration::from_secs(60);

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const ACCEPTED_PATCHES: &str =
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json";

/// Reads a body of at most the size of one request.
pub async fn read(body: Body) -> Result<Bytes, Status> {
    let read = axum::body::to_bytes(body, limits::REQUEST_BODY_BYTES);
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(Status::too_large(limits::REQUEST_BODY_BYTES)),
        Ok(Err(error)) => Err(Status::bad_request(format!("the body of the request cannot be read: {error}"))),
        Err(_) => Err(Status::new(408, api::Reason::Timeout, "the body of the request did not arrive in time")),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The media type of the body, without parameters.
fn media_type(headers: &HeaderMap) -> &str {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/json");
    text.split(';').next().unwrap_or_default().trim()
}

/// The object in a body. `expected` is what the path names: a protobuf body that does
/// not name its type is read as that.
pub fn object(headers: &HeaderMap, body: &[u8], expected: &Gvk) -> Result<Tree, Status> {
    match value(headers, body, expected)? {
        Value::Object(tree) => Ok(tree),
        Value::Null => Err(Status::bad_request("the body of the request is empty")),
        _ => Err(Status::bad_request("the body of the request is not an object")),
    }
}

/// The value in a body; `Null` for an empty one.
pub fn value(headers: &HeaderMap, body: &[u8], expected: &Gvk) -> Result<Value, Status> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match media_type(headers) {
        "application/json" | "" => json(body),
        "application/yaml" => yaml(body),
        "application/vnd.kubernetes.protobuf" => {
            let lookup = |gvk: &Gvk| api::builtin::type_of(if gvk.kind.is_empty() { expected } else { gvk });
            machinery::protobuf::decode(body, api::builtin::types(), &lookup)
                .map_err(|error| Status::bad_request(format!("the protobuf body cannot be read: {error}")))
        }
        other => Err(Status::unsupported_media_type(ACCEPTED, other)),
    }
}

/// The patch in a body.
pub fn patch(headers: &HeaderMap, body: &[u8]) -> Result<PatchBody, Status> {
    match media_type(headers) {
        "application/json-patch+json" => json(body).map(PatchBody::Json),
        "application/merge-patch+json" => json(body).map(PatchBody::Merge),
        "application/strategic-merge-patch+json" => json(body).map(PatchBody::Strategic),
        "application/apply-patch+yaml" => Err(apply_unsupported()),
        other => Err(Status::unsupported_media_type(ACCEPTED_PATCHES, other)),
    }
}

fn json(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body)
        .map_err(|error| Status::bad_request(format!("error decoding the body of the request: {error}")))
}

fn yaml(body: &[u8]) -> Result<Value, Status> {
    let text = std::str::from_utf8(body).map_err(|_| Status::bad_request("the body of the request is not UTF-8"))?;
    let documents = machinery::yaml::documents(text)
        .map_err(|error| Status::bad_request(format!("error decoding the body of the request: {error}")))?;
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Ok(document),
        (None, _) => Ok(Value::Null),
        _ => Err(Status::bad_request("the body of the request holds more than one document")),
    }
}

#[cfg(test)]
mod tests;
