//! What comes back over the wire: lists, watch lines, errors. Pure functions
//! from bytes.

use std::collections::BTreeMap;

use api::{ClusterName, Reason, Status};
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{Event, List, Object, Result};

/// Longest line of a watch: several of the largest objects.
const LINE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireList<'a> {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: ListMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    continue_token: Option<String>,
    remaining_item_count: Option<u64>,
    annotations: Option<BTreeMap<String, String>>,
}

fn unreadable(error: impl std::fmt::Display) -> Status {
    Status::internal(format_args!("the server's answer is unreadable: {error}"))
}

pub(super) fn list(cluster: &ClusterName, body: &[u8]) -> Result<List> {
    let wire: WireList = serde_json::from_slice(body).map_err(unreadable)?;
    let kind = wire.kind.strip_suffix("List").unwrap_or(&wire.kind);
    let items = wire.items.unwrap_or_default().into_iter();
    let items = items.map(|item| Object::from_json(cluster.clone(), with_kind(item, &wire.api_version, kind)));
    Ok(List {
        items: items.collect::<Result<_>>()?,
        resource_version: wire.metadata.resource_version,
        continue_token: wire.metadata.continue_token.unwrap_or_default(),
        remaining: wire.metadata.remaining_item_count,
    })
}

/// Items of built-in kinds come without `apiVersion` and `kind` in a list.
fn with_kind(item: &RawValue, api_version: &str, kind: &str) -> Bytes {
    #[derive(Deserialize)]
    struct Head {
        kind: Option<serde::de::IgnoredAny>,
    }
    let text = item.get();
    let has_kind = serde_json::from_str::<Head>(text).is_ok_and(|head| head.kind.is_some());
    match text.strip_prefix('{') {
        Some(rest) if !has_kind => {
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            let (api_version, kind) = (Value::from(api_version), Value::from(kind));
            format!("{{\"apiVersion\":{api_version},\"kind\":{kind}{comma}{rest}").into()
        }
        // A copy, so that one object does not hold the memory of the whole list.
        _ => Bytes::copy_from_slice(text.as_bytes()),
    }
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// One line of a watch. An `ERROR` event is the `Status` that it holds.
pub(super) fn event(cluster: &ClusterName, line: &[u8]) -> Result<Event> {
    let wire: WireEvent = serde_json::from_slice(line).map_err(unreadable)?;
    let object = || Object::from_json(cluster.clone(), Bytes::copy_from_slice(wire.object.get().as_bytes()));
    match wire.kind.as_str() {
        "ADDED" => object().map(Event::Added),
        "MODIFIED" => object().map(Event::Modified),
        "DELETED" => object().map(Event::Deleted),
        "BOOKMARK" => {
            #[derive(Deserialize)]
            struct Head {
                metadata: ListMeta,
            }
            let Head { metadata } = serde_json::from_str(wire.object.get()).map_err(unreadable)?;
            let annotations = metadata.annotations.unwrap_or_default();
            let initial_events_end = annotations.get("k8s.io/initial-events-end").is_some_and(|held| held == "true");
            Ok(Event::Bookmark { resource_version: metadata.resource_version, initial_events_end })
        }
        "ERROR" => Err(status(500, wire.object.get().as_bytes())),
        other => Err(unreadable(format_args!("a watch event of type {other:?}"))),
    }
}

/// The answer to a delete: the object if it still exists, else a `Status` or its last state.
pub(super) fn deleted(cluster: &ClusterName, body: Bytes) -> Result<Option<Object>> {
    let value: Value = serde_json::from_slice(&body).map_err(unreadable)?;
    let nonempty =
        |pointer: &str| value.pointer(pointer).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let held = nonempty("/metadata/finalizers") || (value["kind"] == "Namespace" && nonempty("/spec/finalizers"));
    let graceful = value["metadata"]["deletionGracePeriodSeconds"].as_i64().is_some_and(|secs| secs > 0);
    let deleting = value["metadata"]["deletionTimestamp"].is_string();
    if deleting && (held || graceful) { Object::from_json(cluster.clone(), body).map(Some) } else { Ok(None) }
}

/// The `Status` of a refusal; a proxy's page becomes one.
pub(super) fn status(code: u16, body: &[u8]) -> Status {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value["kind"] == "Status" => {
            let mut status = Status::from_json(&value);
            if value["code"].is_null() {
                status.code = code;
            }
            status
        }
        _ => {
            let text = String::from_utf8_lossy(body);
            let text: String = text.trim().chars().take(1024).collect();
            let text = if text.is_empty() { format!("the server answered with code {code}") } else { text };
            Status::new(code, reason(code), text)
        }
    }
}

fn reason(code: u16) -> Reason {
    match code {
        400 => Reason::BadRequest,
        401 => Reason::Unauthorized,
        403 => Reason::Forbidden,
        404 => Reason::NotFound,
        405 => Reason::MethodNotAllowed,
        406 => Reason::NotAcceptable,
        409 => Reason::Conflict,
        410 => Reason::Gone,
        413 => Reason::RequestEntityTooLarge,
        415 => Reason::UnsupportedMediaType,
        422 => Reason::Invalid,
        429 => Reason::TooManyRequests,
        500 => Reason::InternalError,
        503 => Reason::ServiceUnavailable,
        504 => Reason::Timeout,
        _ => Reason::Unknown,
    }
}

/// Splits a body into lines as it arrives.
#[derive(Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of line.
    searched: usize,
}

impl Lines {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(offset) = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n') else {
                self.searched = self.buffer.len();
                return if self.searched > LINE_BYTES { Err(Status::too_large(LINE_BYTES)) } else { Ok(None) };
            };
            let line = self.buffer.split_to(self.searched + offset + 1).freeze();
            self.searched = 0;
            let line = line.slice(..line.len() - 1);
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }
}
