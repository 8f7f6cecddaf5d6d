//! Request bodies: bounded in size, read as JSON, YAML or Kubernetes protobuf,
//! always into a JSON tree.

use std::sync::Arc;
use std::time::Duration;

use api::{Gvk, Status};
use axum::body::Body;
use base::limits;
use bytes::Bytes;
use http::{HeaderMap, header};
use machinery::decode::{self, Document, Findings};
use machinery::patch::Body as PatchBody;
use serde_json::Value;

use crate::pipeline::{FieldValidation, Reading, Write};
use crate::tree::Tree;

/// How long a client may take to send the body of a request, as kube-apiserver's limit
/// for a whole request.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of a body that cannot be read, so many bytes are shown.
const SHOWN_BYTES: usize = 30;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const ACCEPTED_PATCHES: &str = "application/json-patch+json, application/merge-patch+json, \
    application/strategic-merge-patch+json, application/apply-patch+yaml";
const APPLY: &str = "application/apply-patch+yaml";

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

/// The media type of the body, without parameters. Bodies without one are JSON.
fn media_type(headers: &HeaderMap) -> &str {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(JSON);
    match text.split(';').next().unwrap_or_default().trim() {
        "" => JSON,
        stated => stated,
    }
}

/// The object in a body. `expected` is what the path names: a protobuf body that does
/// not name its type is read as that. What reading found goes to `write`.
pub fn object(headers: &HeaderMap, body: &Bytes, expected: &Gvk, write: &mut Write) -> Result<Tree, Status> {
    let media = media_type(headers);
    let document = match media {
        JSON => decode::json(body).map_err(|error| unrecognised(expected, &not_json(&error.to_string()), body))?,
        YAML => decode::yaml(body).map_err(|error| unrecognised(expected, &error.to_string(), body))?,
        PROTOBUF => Document { value: protobuf(body, expected)?, ..Document::default() },
        _ => return Err(Status::unsupported_media_type(ACCEPTED)),
    };
    let tree = match document.value {
        Value::Object(tree) => tree,
        Value::Null => Tree::new(),
        other => {
            let why = format!("json: cannot unmarshal {} into Go value of type {HEAD}", json_type(&other));
            return Err(unrecognised(expected, &not_json(&why), body));
        }
    };
    for field in ["apiVersion", "kind"] {
        let Some(value) = tree.get(field).filter(|value| !value.is_string() && !value.is_null()) else { continue };
        let why = format!("json: cannot unmarshal {} into Go struct field .{field} of type string", json_type(value));
        return Err(unrecognised(expected, &not_json(&why), body));
    }
    write.reading = reading(document.findings, body, media);
    Ok(tree)
}

fn reading(findings: Findings, body: &Bytes, media: &str) -> Reading {
    Reading { findings: Arc::new(findings), text: (media != YAML && media != PROTOBUF).then(|| body.clone()) }
}

/// What Go calls the part of an object that names its type.
const HEAD: &str =
    r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;

fn not_json(why: &str) -> String {
    format!("couldn't get version/kind; json parse error: {why}")
}

fn unrecognised(expected: &Gvk, why: &str, body: &[u8]) -> Status {
    let kind = &expected.kind;
    let start = &body[..body.len().min(SHOWN_BYTES)];
    let more = if body.len() > SHOWN_BYTES { " ..." } else { "" };
    let shown = match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned(),
        Some(_) => start.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown}{more})"))
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The value in a body that is no object to be stored; `Null` for an empty one.
pub fn value(headers: &HeaderMap, body: &[u8], expected: &Gvk) -> Result<Value, Status> {
    let unreadable =
        |error: decode::Unreadable| Status::bad_request(format!("error decoding the body of the request: {error}"));
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match media_type(headers) {
        JSON => decode::json(body).map(|document| document.value).map_err(unreadable),
        YAML => decode::yaml(body).map(|document| document.value).map_err(unreadable),
        PROTOBUF => protobuf(body, expected),
        _ => Err(Status::unsupported_media_type(ACCEPTED)),
    }
}

fn protobuf(body: &[u8], expected: &Gvk) -> Result<Value, Status> {
    let lookup = |gvk: &Gvk| api::builtin::type_of(if gvk.kind.is_empty() { expected } else { gvk });
    machinery::protobuf::decode(body, api::builtin::types(), &lookup)
        .map_err(|error| Status::bad_request(format!("the protobuf body cannot be read: {error}")))
}

/// Whether the body is one that is applied.
pub fn is_apply(headers: &HeaderMap) -> bool {
    media_type(headers) == APPLY
}

/// The configuration in a body that is applied: YAML, of which JSON is a part. Keys that are
/// stated twice are warned of or refused, as `write` says.
pub fn applied(body: &Bytes, write: &mut Write) -> Result<Tree, Status> {
    let wrong = |why: &dyn std::fmt::Display| Status::bad_request(format!("error decoding YAML: {why}"));
    // Most of what is applied is JSON, which reads much faster; what is wrong with it is told
    // in the words of the reader of YAML.
    let json = decode::json(body).ok().filter(|document| document.findings.is_empty());
    let document = match json {
        Some(document) => document,
        None => decode::yaml(body).map_err(|error| wrong(&error))?,
    };
    let words = document.findings.words(&[], None);
    match write.validation {
        FieldValidation::Strict if !words.is_empty() => {
            return Err(Status::bad_request(format!("error strict decoding YAML: {}", words.join(", "))));
        }
        FieldValidation::Warn => words.iter().for_each(|word| write.warnings.add(word.as_str())),
        _ => {}
    }
    match document.value {
        Value::Object(tree) => Ok(tree),
        Value::Null => Ok(Tree::new()),
        other => {
            let got = json_type(&other);
            let go_type = "map[string]interface {}";
            let why = format!("json: cannot unmarshal {got} into Go value of type {go_type}");
            Err(wrong(&format!("error unmarshaling JSON: while decoding JSON: {why}")))
        }
    }
}

/// The patch in a body. What reading found goes to `write`.
pub fn patch(headers: &HeaderMap, body: &Bytes, write: &mut Write) -> Result<PatchBody, Status> {
    let media = media_type(headers);
    let (label, go_type) = match media {
        "application/json-patch+json" => ("error decoding patch: ", "[]handlers.jsonPatchOp"),
        "application/merge-patch+json" => ("error decoding patch: ", "map[string]interface {}"),
        "application/strategic-merge-patch+json" => ("", "map[string]interface {}"),
        _ => return Err(Status::unsupported_media_type(ACCEPTED_PATCHES)),
    };
    let document = decode::json(body).map_err(|error| Status::bad_request(format!("{label}{error}")))?;
    let wrong = |value: &Value| {
        let got = json_type(value);
        Status::bad_request(format!("{label}json: cannot unmarshal {got} into Go value of type {go_type}"))
    };
    let patch = match (media, document.value) {
        ("application/json-patch+json", Value::Array(operations)) => {
            if let Some(other) = operations.iter().find(|operation| !operation.is_object() && !operation.is_null()) {
                let got = json_type(other);
                let why = format!("{label}json: cannot unmarshal {got} into Go value of type handlers.jsonPatchOp");
                return Err(Status::bad_request(why));
            }
            PatchBody::Json(Value::Array(operations))
        }
        ("application/json-patch+json", Value::Null) => PatchBody::Json(Value::Array(Vec::new())),
        ("application/merge-patch+json", value @ Value::Object(_)) => PatchBody::Merge(value),
        ("application/merge-patch+json", Value::Null) => return Err(Status::bad_request("Invalid JSON Patch")),
        ("application/strategic-merge-patch+json", value @ Value::Object(_)) => PatchBody::Strategic(value),
        ("application/strategic-merge-patch+json", Value::Null) => PatchBody::Strategic(Value::Object(Tree::new())),
        (_, other) => return Err(wrong(&other)),
    };
    write.reading = reading(document.findings, body, media);
    Ok(patch)
}

#[cfg(test)]
mod tests;
