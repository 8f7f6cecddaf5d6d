//! OpenAPI v3: an index with a hash for each group version, and its document. What a hash
//! is of is looked at once in each generation of the registry. Documents are made when first
//! asked for, off the threads that answer requests, and kept compressed; a client that names
//! the hash may keep its copy for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, Status};
use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use machinery::openapi::{self, KindSchema, Resource, Types};
use serde_json::{Value, json};

use super::query::Query;
use super::reply::{json_response, respond};
use super::{accept, answer};
use crate::ApiServer;
use crate::documents::{IDLE, Index};
use crate::registry::Kind;

const TITLE: &str = "Kubernetes";
/// The protobuf form of a v2 document, in the two spellings that clients and servers use.
const OLD_AS_ASKED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const OLD_AS_SENT: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// How long a document that its hash names may be kept.
const A_YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

impl ApiServer {
    pub(super) async fn openapi(
        &self,
        cluster: &ClusterName,
        document: &str,
        parts: &Parts,
    ) -> Result<Response<Body>, Status> {
        self.known(cluster)?;
        let index = self.index_of(cluster);
        if document.is_empty() {
            return Ok(respond(StatusCode::OK, "text/plain; charset=utf-8", index.text.clone()));
        }
        let hash = index.hashes.get(document).ok_or_else(Status::no_such_resource)?;
        if !accept::takes_json(&parts.headers) {
            return Err(Status::not_acceptable("application/json"));
        }
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let stated = query.text("hash");
        if !stated.is_empty() && stated != hash {
            return Ok(elsewhere(&format!("{}?hash={hash}", parts.uri.path()), hash));
        }
        let expires = (!stated.is_empty()).then(|| self.clock().now() + A_YEAR);
        if is_held(&parts.headers, hash) {
            return Ok(marked(respond(StatusCode::NOT_MODIFIED, "application/json", Bytes::new()), hash, expires));
        }
        let compressed = self.document(cluster, document, hash).await?;
        let gzip = accept::gzip(&parts.headers);
        let body = if gzip { compressed } else { off_thread(move || inflate(&compressed)).await?? };
        let mut response = respond(StatusCode::OK, "application/json", body);
        if gzip {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(marked(response, hash, expires))
    }

    fn index_of(&self, cluster: &ClusterName) -> Arc<Index> {
        // Read before the kinds: if they change meanwhile, the index is of an older generation
        // than its kinds, and made anew at the next request.
        let generation = self.registry().generation();
        if let Some(held) = self.documents().lock().index(cluster, generation) {
            return held;
        }
        let groups = by_document(&self.registry().all(cluster));
        let hashes: BTreeMap<String, String> = groups.iter().map(|(key, kinds)| (key.clone(), hash(kinds))).collect();
        let prefix = if cluster.is_root() { String::new() } else { format!("/clusters/{cluster}") };
        let listed = hashes.iter().map(|(key, hash)| (key.as_str(), hash.as_str()));
        let text = Bytes::from(openapi::index(&prefix, listed).to_string());
        let index = Arc::new(Index { hashes, text });
        self.documents().lock().keep_index(cluster, generation, index.clone());
        self.watch_for_idleness();
        index
    }

    async fn document(&self, cluster: &ClusterName, key: &str, hash: &str) -> Result<Bytes, Status> {
        if let Some(held) = self.documents().lock().get(hash) {
            return Ok(held);
        }
        // One at a time: a document takes many times its size while it is made, and who comes
        // second finds it made.
        let _turn = self.documents_turn().lock().await;
        if let Some(held) = self.documents().lock().get(hash) {
            return Ok(held);
        }
        let kinds = by_document(&self.registry().all(cluster)).remove(key).ok_or_else(Status::no_such_resource)?;
        // The kinds may have changed since the index was made; then it is another document.
        let is_meant = self::hash(&kinds) == hash;
        let compressed = off_thread(move || Bytes::from(answer::gzip(&build(&kinds)))).await?;
        if is_meant {
            self.documents().lock().keep(hash, compressed.clone());
        }
        Ok(compressed)
    }

    /// Lets go of everything once nobody asks any more. A timer, since nothing happens then.
    fn watch_for_idleness(&self) {
        if !self.documents().lock().begin_watch() {
            return;
        }
        let server = self.clone();
        self.tasks().spawn("openapi documents that nobody asks for go", async move {
            let stop = server.tasks().shutdown();
            let mut asked = u64::MAX;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(IDLE) => {}
                    () = stop.cancelled() => return,
                }
                match server.documents().lock().drop_if_idle(asked) {
                    Some(now) => asked = now,
                    None => return,
                }
            }
        });
    }
}

/// Runs what takes long where it holds up no other request.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(Status::internal)
}

/// Whether the client holds the document already.
fn is_held(headers: &HeaderMap, hash: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"') == hash
    })
}

/// Sends the client to the document as it is now.
fn elsewhere(path: &str, hash: &str) -> Response<Body> {
    let mut response = respond(StatusCode::MOVED_PERMANENTLY, "application/json", Bytes::new());
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    marked(response, hash, None)
}

/// Says of a document what it is and how long it may be kept.
fn marked(mut response: Response<Body>, hash: &str, expires: Option<Timestamp>) -> Response<Body> {
    let out = response.headers_mut();
    out.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{hash}\"")) {
        out.insert(header::ETAG, tag);
    }
    if let Some(expires) = expires {
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
        let date = expires.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            out.insert(header::EXPIRES, date);
        }
    }
    response
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

/// Kinds by the document they stand in.
fn by_document(kinds: &[Kind]) -> BTreeMap<String, Vec<Kind>> {
    let mut groups: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        let gvk = &kind.descriptor.gvk;
        groups.entry(openapi::key(&gvk.group, &gvk.version)).or_default().push(kind.clone());
    }
    groups
}

/// Raised when documents of the same kinds are written in another way: clients keep what a
/// hash names for good.
const FORM: u32 = 3;

/// Says what a document would be without making it: names, and schemas where the
/// program does not bring them.
fn hash(kinds: &[Kind]) -> String {
    let mut text = format!("{}/{FORM}", api::builtin::VERSION.git_version);
    for kind in kinds {
        text.push_str(&format!("{:?}", kind.descriptor));
        if let Some(definition) = &kind.definition {
            text.push_str(&definition.schema_fingerprint(&kind.descriptor.gvk.version).to_string());
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
