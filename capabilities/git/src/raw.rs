//! Raw files over HTTP: shown as text or offered as bytes, never run. It does
//! not know which file.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

/// What a file may do when a browser shows it: nothing.
const RAW_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
/// A file's bytes, which a browser may show as text and never as anything else.
pub fn respond(content: Bytes) -> Response {
    let is_text = !content.iter().take(8000).any(|byte| *byte == 0);
    let content_type = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let headers = [
        (CONTENT_TYPE, content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, RAW_POLICY),
        (CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, content).into_response()
}
