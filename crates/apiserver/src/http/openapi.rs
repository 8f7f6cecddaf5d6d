//! OpenAPI v3: an index with a hash for each group version, and its document.
//! Documents are made when first asked for and kept compressed, a few at a time;
//! a client that names the hash may keep its copy for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, Status};
use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use machinery::openapi::{self, KindSchema, Resource, Types};
use serde_json::{Value, json};

use super::query::Query;
use super::reply::{json_response, respond};
use super::{accept, answer};
use crate::ApiServer;
use crate::registry::Kind;

const TITLE: &str = "Kubernetes";
/// The protobuf form of a v2 document, in the two spellings that clients and servers use.
const OLD_AS_ASKED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const OLD_AS_SENT: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

impl ApiServer {
    pub(super) fn openapi(
        &self,
        cluster: &ClusterName,
        document: &str,
        parts: &Parts,
    ) -> Result<Response<Body>, Status> {
        self.known(cluster)?;
        let groups = by_document(&self.registry().all(cluster));
        if document.is_empty() {
            let hashes: Vec<(String, String)> = groups.iter().map(|(key, kinds)| (key.clone(), hash(kinds))).collect();
            let prefix = if cluster.is_root() { String::new() } else { format!("/clusters/{cluster}") };
            let listed = hashes.iter().map(|(key, hash)| (key.as_str(), hash.as_str()));
            return Ok(json_response(StatusCode::OK, &openapi::index(&prefix, listed)));
        }
        let kinds = groups.get(document).ok_or_else(Status::no_such_resource)?;
        let hash = hash(kinds);
        let stated = Query::parse(parts.uri.query().unwrap_or_default()).text("hash") == hash;
        let compressed = self.document(&hash, kinds)?;
        respond_document(&hash, stated, compressed, &parts.headers)
    }

    fn document(&self, hash: &str, kinds: &[Kind]) -> Result<Bytes, Status> {
        if let Some(held) = self.documents().lock().get(hash) {
            return Ok(held);
        }
        let compressed = Bytes::from(answer::gzip(&build(kinds)));
        self.documents().lock().keep(hash, compressed.clone());
        Ok(compressed)
    }
}

/// The document in OpenAPI v2, which states no types: kubectl asks for it before it sends
/// a `List`, and takes the objects of types that it does not find as they are.
pub fn old(headers: &HeaderMap) -> Response<Body> {
    let version = api::builtin::VERSION.git_version;
    if accept::accepts(headers, OLD_AS_ASKED) {
        let info = [field(1, TITLE.as_bytes()), field(2, version.as_bytes())].concat();
        let document = [field(1, b"2.0"), field(2, &info)].concat();
        return respond(StatusCode::OK, OLD_AS_SENT, Bytes::from(document));
    }
    let info = json!({"title": TITLE, "version": version});
    json_response(StatusCode::OK, &json!({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}}))
}

/// A short text or message as a field of protobuf.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).ok().filter(|length| length.is_ascii());
    let head = [number << 3 | 2, length.expect("the document's fields are short")];
    [&head[..], value].concat()
}

fn respond_document(
    hash: &str,
    stated: bool,
    compressed: Bytes,
    headers: &HeaderMap,
) -> Result<Response<Body>, Status> {
    let tag = format!("\"{hash}\"");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes()) {
        return Ok(respond(StatusCode::NOT_MODIFIED, "application/json", Bytes::new()));
    }
    let gzip = accept::gzip(headers);
    let body = if gzip { compressed } else { inflate(&compressed)? };
    let mut response = respond(StatusCode::OK, "application/json", body);
    let out = response.headers_mut();
    out.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if stated {
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, immutable, max-age=31536000"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Kinds by the document they stand in.
fn by_document(kinds: &[Kind]) -> BTreeMap<String, Vec<Kind>> {
    let mut groups: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        let gvk = &kind.descriptor.gvk;
        groups.entry(openapi::key(&gvk.group, &gvk.version)).or_default().push(kind.clone());
    }
    groups
}

/// Says what a document would be without making it: names, and schemas where the
/// program does not bring them.
fn hash(kinds: &[Kind]) -> String {
    let mut text = api::builtin::VERSION.git_version.to_owned();
    for kind in kinds {
        text.push_str(&format!("{:?}", kind.descriptor));
        if let Some(schema) = schema_of(kind) {
            text.push_str(&schema.to_string());
        }
    }
    // Two independent 64-bit FNV-1a runs: collisions would only matter among one server's own documents.
    let run = |seed: u64| text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:016X}{:016X}", run(0xcbf2_9ce4_8422_2325), run(0x9e37_79b9_7f4a_7c15))
}

fn schema_of(kind: &Kind) -> Option<Arc<Value>> {
    kind.definition.as_ref()?.schema(&kind.descriptor.gvk.version)
}

fn build(kinds: &[Kind]) -> Vec<u8> {
    let table = api::builtin::types();
    let docs = api::builtin::docs();
    let open = Value::Object(serde_json::Map::new());
    let schemas: Vec<Option<Arc<Value>>> = kinds.iter().map(schema_of).collect();
    let resources: Vec<Resource<'_>> = kinds
        .iter()
        .zip(&schemas)
        .map(|(kind, schema)| Resource {
            kind: &kind.descriptor,
            schema: match table.id(&kind.descriptor.type_name) {
                Some(_) if !kind.is_custom() => KindSchema::Builtin,
                _ => KindSchema::Custom(schema.as_deref().unwrap_or(&open)),
            },
            subresources: &[],
        })
        .collect();
    let gvk = &kinds[0].descriptor.gvk;
    let types = Types { table, docs: &docs };
    openapi::document(&gvk.group, &gvk.version, &resources, types, api::builtin::VERSION.git_version)
}

fn inflate(compressed: &[u8]) -> Result<Bytes, Status> {
    use std::io::Read;
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(compressed).read_to_end(&mut out).map_err(Status::internal)?;
    Ok(Bytes::from(out))
}
