//! What form of answer a client asks for: the object itself, a table of it, or
//! its metadata alone. Bodies are always JSON; a client that takes nothing else
//! is told so.

use api::Status;
use http::{HeaderMap, header};

const OFFERED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Object,
    /// `meta.k8s.io/v1 Table`.
    Table,
    /// `meta.k8s.io/v1 PartialObjectMetadata`, or a list of them.
    Metadata,
}

/// One media range of an `Accept` header.
struct Range<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Range<'a> {
    fn all(header: &'a str) -> impl Iterator<Item = Range<'a>> {
        header.split(',').map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            Range { media, parameters: parts.filter_map(|part| part.split_once('=')).collect() }
        })
    }

    fn is_json(&self) -> bool {
        matches!(self.media, "application/json" | "*/*" | "application/*" | "")
    }

    fn parameter(&self, name: &str) -> &'a str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

fn header_text(headers: &HeaderMap) -> &str {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*")
}

/// The first form in the client's order that we can give.
pub fn form(headers: &HeaderMap) -> Result<Form, Status> {
    for range in Range::all(header_text(headers)).filter(Range::is_json) {
        match (range.parameter("as"), range.parameter("g"), range.parameter("v")) {
            ("", _, _) => return Ok(Form::Object),
            ("Table", "meta.k8s.io", "v1") => return Ok(Form::Table),
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => return Ok(Form::Metadata),
            _ => {}
        }
    }
    Err(Status::not_acceptable(OFFERED))
}

/// Whether the client asks for aggregated discovery (v2) before plain JSON.
pub fn aggregated_discovery(headers: &HeaderMap) -> bool {
    Range::all(header_text(headers)).any(|range| {
        range.media == "application/json"
            && range.parameter("as") == "APIGroupDiscoveryList"
            && range.parameter("g") == "apidiscovery.k8s.io"
            && range.parameter("v") == "v2"
    })
}

/// Whether the client takes JSON at all.
pub fn takes_json(headers: &HeaderMap) -> bool {
    Range::all(header_text(headers)).any(|range| range.is_json())
}

/// Whether the client names this media type.
pub fn accepts(headers: &HeaderMap, media: &str) -> bool {
    Range::all(header_text(headers)).any(|range| range.media == media)
}

/// Whether the client takes gzip.
pub fn gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|encodings| encodings.split(',').any(|encoding| encoding.trim().starts_with("gzip")))
}
