//! Plain responses: a status, a JSON value, bytes. What they say is decided
//! elsewhere.

use api::Status;
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::Value;

/// A `Status` as a response.
pub fn refusal(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_response(code, &status.to_json());
    if status.retry_after_secs > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, status.retry_after_secs.into());
    }
    response
}

/// A JSON value as a response.
pub fn json_response(code: StatusCode, value: &Value) -> Response<Body> {
    respond(code, "application/json", Bytes::from(value.to_string()))
}

/// Bytes as a response that must not be cached.
pub fn respond(code: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache, private"));
    response
}
