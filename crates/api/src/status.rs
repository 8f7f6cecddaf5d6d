//! Kubernetes' `Status`: the one error that its API speaks. Every mapping from
//! a cause to a code, a reason and a sentence stands in this file, in the words
//! kube-apiserver uses, because clients match on them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::name::Gvr;

/// The machine-readable reason of a `Status` (`metav1.StatusReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Reason {
    Unknown,
    Unauthorized,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Gone,
    Expired,
    Invalid,
    ServerTimeout,
    Timeout,
    TooManyRequests,
    BadRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    InternalError,
    ServiceUnavailable,
}

/// One cause of a refusal: a field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// `metav1.CauseType`, for example `FieldValueInvalid`.
    #[serde(default)]
    pub reason: String,
    /// What is wrong, without the field's name.
    #[serde(default)]
    pub message: String,
    /// Path of the field, for example `spec.replicas`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
}

/// An error of the Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason.
    pub reason: Reason,
    /// What a person reads.
    pub message: String,
    /// Group of the resource concerned.
    pub group: String,
    /// Resource or kind concerned.
    pub kind: String,
    /// Name of the object concerned.
    pub name: String,
    /// Uid of the object concerned.
    pub uid: String,
    /// What was wrong, field by field.
    pub causes: Vec<Cause>,
    /// When to try again, in seconds; 0 for not stated.
    pub retry_after_secs: u32,
}

/// So many causes of one refusal are told; whoever looks for them may stop there.
pub const MOST_CAUSES: usize = 500;
/// Bytes that one cause may have, and all of them.
const MOST_CAUSE_BYTES: usize = 64 * 1024;
const MOST_CAUSES_BYTES: usize = 128 * 1024;
/// Bytes of a message, and of a name that is none.
const MOST_MESSAGE_BYTES: usize = 256 * 1024;
const MOST_NAME_BYTES: usize = 4096;

/// The text, or as much of it as fits. A request must not make an answer larger than itself.
fn cut(mut text: String, most_bytes: usize) -> String {
    if text.len() > most_bytes {
        text.truncate(text.floor_char_boundary(most_bytes));
        text.push('…');
    }
    text
}

fn bounded(causes: Vec<Cause>) -> Vec<Cause> {
    let mut left = MOST_CAUSES_BYTES;
    let cut = |cause: Cause| Cause {
        reason: cause.reason,
        message: cut(cause.message, MOST_CAUSE_BYTES),
        field: cut(cause.field, MOST_CAUSE_BYTES / 4),
    };
    let fits = |cause: &Cause| {
        let bytes = cause.message.len() + cause.field.len();
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    causes.into_iter().take(MOST_CAUSES).map(cut).take_while(fits).collect()
}

impl Status {
    /// A status without details.
    pub fn new(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Status {
            code,
            reason,
            message: cut(message.into(), MOST_MESSAGE_BYTES),
            group: String::new(),
            kind: String::new(),
            name: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_secs: 0,
        }
    }

    fn about(mut self, gvr: &Gvr, name: &str) -> Self {
        self.group = gvr.group.to_string();
        self.kind = gvr.resource.to_string();
        self.name = cut(name.to_owned(), MOST_NAME_BYTES);
        self
    }

    /// 404 for an object.
    pub fn not_found(gvr: &Gvr, name: &str) -> Self {
        Self::new(404, Reason::NotFound, format!("{} \"{name}\" not found", gvr.qualified())).about(gvr, name)
    }

    /// 404 for a path that no resource serves.
    pub fn no_such_resource() -> Self {
        Self::new(404, Reason::NotFound, "the server could not find the requested resource")
    }

    /// 409 for a create of a name that is taken.
    pub fn already_exists(gvr: &Gvr, name: &str) -> Self {
        Self::new(409, Reason::AlreadyExists, format!("{} \"{name}\" already exists", gvr.qualified())).about(gvr, name)
    }

    /// 409 for a write that raced another.
    pub fn conflict(gvr: &Gvr, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", gvr.qualified());
        Self::new(409, Reason::Conflict, message).about(gvr, name)
    }

    /// 409 for a stale `resourceVersion`.
    pub fn stale(gvr: &Gvr, name: &str) -> Self {
        Self::conflict(
            gvr,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 403 with Kubernetes' wording.
    pub fn forbidden(gvr: &Gvr, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() { gvr.qualified() } else { format!("{} \"{name}\"", gvr.qualified()) };
        Self::new(403, Reason::Forbidden, format!("{subject} is forbidden: {why}")).about(gvr, name)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(401, Reason::Unauthorized, "Unauthorized")
    }

    /// 400.
    pub fn bad_request(why: impl Into<String>) -> Self {
        Self::new(400, Reason::BadRequest, why)
    }

    /// 422 with one cause per field, of which the first are told.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let (causes, name) = (bounded(causes), &cut(name.to_owned(), MOST_NAME_BYTES));
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let listed: Vec<String> = causes
            .iter()
            .map(|cause| {
                if cause.field.is_empty() {
                    cause.message.clone()
                } else {
                    format!("{}: {}", cause.field, cause.message)
                }
            })
            .collect();
        let why = match listed.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut status = Self::new(422, Reason::Invalid, format!("{qualified} \"{name}\" is invalid: {why}"));
        status.group = group.to_owned();
        status.kind = kind.to_owned();
        status.name = name.to_owned();
        status.causes = causes;
        status
    }

    /// 410: the revision asked for is no longer held.
    pub fn expired(why: impl Into<String>) -> Self {
        Self::new(410, Reason::Expired, why)
    }

    /// 504 for a revision that does not exist yet.
    pub fn revision_too_large(asked: u64, current: u64) -> Self {
        let mut status = Self::new(
            504,
            Reason::Timeout,
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        );
        status.causes = vec![Cause {
            reason: "ResourceVersionTooLarge".into(),
            message: "Too large resource version".into(),
            field: String::new(),
        }];
        status.retry_after_secs = 1;
        status
    }

    /// 405.
    pub fn method_not_allowed(what: &str) -> Self {
        Self::new(405, Reason::MethodNotAllowed, format!("{what} is not supported on resources of this kind"))
    }

    /// 406.
    pub fn not_acceptable(offered: &str) -> Self {
        Self::new(406, Reason::NotAcceptable, format!("only the following media types are accepted: {offered}"))
    }

    /// 413.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, Reason::RequestEntityTooLarge, format!("Request entity too large: limit is {limit_bytes}"))
    }

    /// 415.
    pub fn unsupported_media_type(offered: &str) -> Self {
        let why = "the body of the request was in an unknown format - accepted media types include:";
        Self::new(415, Reason::UnsupportedMediaType, format!("{why} {offered}"))
    }

    /// 429.
    pub fn too_many_requests(why: impl Into<String>, retry_after_secs: u32) -> Self {
        let mut status = Self::new(429, Reason::TooManyRequests, why);
        status.retry_after_secs = retry_after_secs;
        status
    }

    /// 500.
    pub fn internal(why: impl fmt::Display) -> Self {
        Self::new(500, Reason::InternalError, format!("Internal error occurred: {why}"))
    }

    /// 503.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::new(503, Reason::ServiceUnavailable, why)
    }

    /// Whether this says that an object or resource does not exist.
    pub fn is_not_found(&self) -> bool {
        self.reason == Reason::NotFound
    }

    /// Whether this says that a name is taken.
    pub fn is_already_exists(&self) -> bool {
        self.reason == Reason::AlreadyExists
    }

    /// Whether this says that a write raced another.
    pub fn is_conflict(&self) -> bool {
        self.reason == Reason::Conflict
    }

    /// Whether this says that an object would break a rule of its kind.
    pub fn is_invalid(&self) -> bool {
        self.reason == Reason::Invalid
    }

    /// Whether nothing can be made in a namespace because it is being deleted.
    pub fn is_namespace_terminating(&self) -> bool {
        self.causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
    }

    /// Whether a revision asked for is no longer held.
    pub fn is_expired(&self) -> bool {
        matches!(self.reason, Reason::Expired | Reason::Gone)
    }

    /// The JSON that goes over the wire.
    pub fn to_json(&self) -> Value {
        let mut details = json!({});
        for (key, text) in [("group", &self.group), ("kind", &self.kind), ("name", &self.name), ("uid", &self.uid)] {
            if !text.is_empty() {
                details[key] = json!(text);
            }
        }
        if !self.causes.is_empty() {
            details["causes"] = json!(self.causes);
        }
        if self.retry_after_secs > 0 {
            details["retryAfterSeconds"] = json!(self.retry_after_secs);
        }
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if self.reason != Reason::Unknown {
            status["reason"] = json!(self.reason);
        }
        if details.as_object().is_some_and(|details| !details.is_empty()) {
            status["details"] = details;
        }
        status
    }

    /// Reads a `Status` that came over the wire; missing parts take their defaults.
    pub fn from_json(value: &Value) -> Self {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let reason = value.get("reason").and_then(|reason| serde_json::from_value(reason.clone()).ok());
        Status {
            code: value.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()).unwrap_or(500),
            reason: reason.unwrap_or(Reason::Unknown),
            message: text("/message"),
            group: text("/details/group"),
            kind: text("/details/kind"),
            name: text("/details/name"),
            uid: text("/details/uid"),
            causes: value
                .pointer("/details/causes")
                .and_then(|causes| serde_json::from_value(causes.clone()).ok())
                .unwrap_or_default(),
            retry_after_secs: value
                .pointer("/details/retryAfterSeconds")
                .and_then(Value::as_u64)
                .and_then(|secs| u32::try_from(secs).ok())
                .unwrap_or(0),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Status {}
