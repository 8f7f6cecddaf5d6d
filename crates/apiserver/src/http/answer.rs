//! Answers with objects and lists, in the form the client asked for.

use api::Status;
use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use machinery::table::Printer;
use serde_json::{Value, json};

use super::accept::{self, Form};
use super::reply::{json_response, respond};
use super::table;
use crate::ApiServer;
use crate::pipeline::{Listing, Subject};
use crate::record::{Record, compose_partial};

/// Answers larger than this are compressed for clients that take it, as kube-apiserver does.
const COMPRESS_OVER_BYTES: usize = 128 * 1024;

impl ApiServer {
    /// One object.
    pub(super) fn answer_object(
        &self,
        code: StatusCode,
        subject: &Subject,
        record: &Record,
        form: Form,
        include: table::Include,
    ) -> Result<Response<Body>, Status> {
        let kind = &subject.kind.descriptor;
        let bytes = match form {
            Form::Object => record.json(kind),
            Form::Metadata => compose_partial(&record.meta, record.revision),
            Form::Table => {
                let row = table::row(kind, &Printer::new(kind), record, include, self.clock().now())?;
                let rows = vec![row];
                let whole = table::whole(kind, rows, json!({"resourceVersion": record.revision.to_string()}), true);
                Bytes::from(whole.to_string())
            }
        };
        Ok(respond(code, "application/json", bytes))
    }

    /// A list.
    pub(super) fn answer_list(
        &self,
        subject: &Subject,
        listing: &Listing,
        form: Form,
        include: table::Include,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Status> {
        let kind = &subject.kind.descriptor;
        let bytes = match form {
            Form::Object => {
                let items = listing.items.iter().map(|item| item.record.json(kind));
                list_text(&kind.gvk.api_version(), &kind.list_kind, listing, items)
            }
            Form::Metadata => {
                let items = listing.items.iter().map(|item| compose_partial(&item.record.meta, item.record.revision));
                list_text("meta.k8s.io/v1", "PartialObjectMetadataList", listing, items)
            }
            Form::Table => {
                let (now, printer) = (self.clock().now(), Printer::new(kind));
                let rows: Result<Vec<Value>, Status> =
                    listing.items.iter().map(|item| table::row(kind, &printer, &item.record, include, now)).collect();
                Bytes::from(table::whole(kind, rows?, list_meta(listing), true).to_string())
            }
        };
        Ok(compressed(respond(StatusCode::OK, "application/json", Bytes::new()), bytes, headers))
    }
}

/// What remains of an object that is gone: a `Status` that says so.
pub fn deleted(subject: &Subject, name: &str, record: &Record) -> Response<Body> {
    let kind = &subject.kind.descriptor;
    let uid = record.object_meta().map(|meta| meta.uid).unwrap_or_default();
    let mut details = json!({"name": name, "kind": kind.plural, "uid": uid});
    if !kind.gvk.group.is_empty() {
        details["group"] = json!(kind.gvk.group);
    }
    json_response(
        StatusCode::OK,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
    )
}

/// Puts `bytes` into the response, compressed where that pays.
pub fn compressed(mut response: Response<Body>, bytes: Bytes, headers: &HeaderMap) -> Response<Body> {
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Accept-Encoding"));
    if bytes.len() <= COMPRESS_OVER_BYTES || !accept::gzip(headers) {
        *response.body_mut() = Body::from(bytes);
        return response;
    }
    *response.body_mut() = Body::from(gzip(&bytes));
    response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    response
}

/// Compresses quickly rather than tightly: the client is usually on this machine.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

fn list_meta(listing: &Listing) -> Value {
    let mut meta = json!({"resourceVersion": listing.revision.to_string()});
    if let Some(next) = &listing.next {
        meta["continue"] = json!(next);
    }
    if let Some(remaining) = listing.remaining {
        meta["remainingItemCount"] = json!(remaining);
    }
    meta
}

fn list_text(api_version: &str, kind: &str, listing: &Listing, items: impl Iterator<Item = Bytes>) -> Bytes {
    let stored: usize = listing.items.iter().map(|item| item.record.meta.len() + item.record.body.len() + 128).sum();
    let mut out = BytesMut::with_capacity(stored + 256);
    let head = json!({"kind": kind, "apiVersion": api_version, "metadata": list_meta(listing)}).to_string();
    out.put_slice(&head.as_bytes()[..head.len() - 1]);
    out.put_slice(b",\"items\":[");
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        out.put_slice(&item);
    }
    out.put_slice(b"]}");
    out.freeze()
}
