//! How an object lies in the store and how it is put together again. The
//! metadata stands in a segment of its own, without `resourceVersion` (that is
//! the record's revision), and `apiVersion` and `kind` are not stored at all, so
//! that every served version is composed from the same record.

use std::sync::Arc;

use api::{ClusterName, KindDescriptor, ObjectMeta, Status};
use base::limits;
use bytes::{BufMut, Bytes, BytesMut};
use client::Json;
use serde_json::{Map, Value};

use crate::convert;

/// The two segments of an object without its type and revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// JSON object: `metadata` without `resourceVersion`.
    pub meta: Bytes,
    /// JSON object: everything but `apiVersion`, `kind` and `metadata`.
    pub body: Bytes,
}

/// Takes an object of a kind apart.
pub fn split(kind: &KindDescriptor, mut object: Map<String, Value>) -> Result<Segments, Status> {
    object.remove("apiVersion");
    object.remove("kind");
    if let Some(id) = api::builtin::types().id(&kind.type_name) {
        machinery::decode::complete(api::builtin::types(), id, &mut object);
    }
    let mut meta = object.remove("metadata").unwrap_or_else(|| Value::Object(Map::new()));
    if let Some(meta) = meta.as_object_mut() {
        meta.remove("resourceVersion");
    }
    if convert::is_needed(kind) {
        convert::to_stored(kind, &mut object);
    }
    // One allocation of the right size for both: records live long, and buffers that
    // grew while they were written would keep up to twice their content.
    let mut text = Vec::new();
    serde_json::to_writer(&mut text, &meta).map_err(Status::internal)?;
    let boundary = text.len();
    serde_json::to_writer(&mut text, &object).map_err(Status::internal)?;
    let mut meta = Bytes::copy_from_slice(&text);
    let body = meta.split_off(boundary);
    Ok(Segments { meta, body })
}

impl Segments {
    /// As a value of the store, unless the object is larger than one may be. Only what
    /// clients write is bounded: what is too large must still be deletable.
    pub fn bounded(self) -> Result<store::Value, Status> {
        if self.meta.len() + self.body.len() > limits::OBJECT_BYTES {
            return Err(Status::too_large(limits::OBJECT_BYTES));
        }
        Ok(store::Value::new(self.meta, self.body))
    }
}

/// Puts an object together as JSON text.
pub fn compose(kind: &KindDescriptor, meta: &[u8], body: &[u8], revision: u64) -> Bytes {
    let mut out = BytesMut::with_capacity(meta.len() + body.len() + 160);
    compose_head(&mut out, &kind.gvk.api_version(), &kind.gvk.kind, meta, revision);
    let rest = inner(body);
    if !rest.is_empty() {
        out.put_u8(b',');
        out.put_slice(rest);
    }
    out.put_u8(b'}');
    out.freeze()
}

/// Puts only the metadata together, as `PartialObjectMetadata`.
pub fn compose_partial(meta: &[u8], revision: u64) -> Bytes {
    let mut out = BytesMut::with_capacity(meta.len() + 160);
    compose_head(&mut out, "meta.k8s.io/v1", "PartialObjectMetadata", meta, revision);
    out.put_u8(b'}');
    out.freeze()
}

fn compose_head(out: &mut BytesMut, api_version: &str, kind: &str, meta: &[u8], revision: u64) {
    out.put_slice(b"{\"kind\":\"");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\",\"apiVersion\":\"");
    out.put_slice(api_version.as_bytes());
    out.put_slice(b"\",\"metadata\":{");
    let fields = inner(meta);
    // An object that a dry run made was never stored and has no revision.
    if revision > 0 {
        out.put_slice(b"\"resourceVersion\":\"");
        out.put_slice(revision.to_string().as_bytes());
        out.put_slice(if fields.is_empty() { b"\"" } else { b"\"," });
    }
    out.put_slice(fields);
    out.put_u8(b'}');
}

/// The text between the braces of a compact JSON object.
fn inner(object: &[u8]) -> &[u8] {
    match object {
        [b'{', fields @ .., b'}'] => fields,
        _ => &[],
    }
}

/// The same of bytes that are shared.
fn inner_of(object: &Bytes) -> Bytes {
    object.slice_ref(inner(object))
}

/// A record as it was read, with what is needed to serve it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Metadata segment.
    pub meta: Bytes,
    /// The rest.
    pub body: Bytes,
    /// Revision of the last write.
    pub revision: u64,
}

impl Record {
    /// From the store's entry.
    pub fn of(entry: &store::Entry) -> Self {
        Record { meta: entry.value.meta.clone(), body: entry.value.body.clone(), revision: entry.revision }
    }

    /// The object's JSON text in the version of `kind`.
    pub fn json(&self, kind: &KindDescriptor) -> Bytes {
        if convert::is_needed(kind)
            && let Ok(body) = self.served_body(kind).and_then(|body| serde_json::to_vec(&body))
        {
            return compose(kind, &self.meta, &body, self.revision);
        }
        compose(kind, &self.meta, &self.body, self.revision)
    }

    /// The object's JSON text in pieces that share the stored bytes, so that many readers
    /// of one large object cost no copy each. `None` if it is served in another form than
    /// it is stored in.
    pub fn shared_json(&self, kind: &KindDescriptor) -> Option<[Bytes; 4]> {
        if convert::is_needed(kind) {
            return None;
        }
        let mut head = BytesMut::new();
        compose_head(&mut head, &kind.gvk.api_version(), &kind.gvk.kind, b"{}", self.revision);
        // The head ends with the brace of the metadata, which is still to come.
        head.truncate(head.len() - 1);
        let (meta, body) = (inner_of(&self.meta), inner_of(&self.body));
        if self.revision > 0 && !meta.is_empty() {
            head.put_u8(b',');
        }
        let seam: &'static [u8] = if body.is_empty() { b"}" } else { b"}," };
        Some([head.freeze(), meta, Bytes::from_static(seam), body])
    }

    fn served_body(&self, kind: &KindDescriptor) -> serde_json::Result<Map<String, Value>> {
        let mut body = serde_json::from_slice(&self.body)?;
        if convert::is_needed(kind) {
            convert::to_served(kind, &mut body);
        }
        Ok(body)
    }

    /// The object as a tree, with type and revision.
    pub fn value(&self, kind: &KindDescriptor) -> Result<Map<String, Value>, Status> {
        let unreadable = |error| Status::internal(format_args!("a stored object cannot be read: {error}"));
        let mut object = self.served_body(kind).map_err(unreadable)?;
        let mut meta: Map<String, Value> = serde_json::from_slice(&self.meta).map_err(unreadable)?;
        meta.insert("resourceVersion".into(), Value::String(self.revision.to_string()));
        object.insert("apiVersion".into(), Value::String(kind.gvk.api_version()));
        object.insert("kind".into(), Value::String(kind.gvk.kind.to_string()));
        object.insert("metadata".into(), Value::Object(meta));
        Ok(object)
    }

    /// The parsed metadata, revision included.
    pub fn object_meta(&self) -> Result<ObjectMeta, Status> {
        let mut meta: ObjectMeta = serde_json::from_slice(&self.meta)
            .map_err(|error| Status::internal(format_args!("stored metadata cannot be read: {error}")))?;
        meta.resource_version = self.revision.to_string();
        Ok(meta)
    }

    /// Whether deletion was asked for. Reads the metadata only if the word is there at all,
    /// since every create asks this of its namespace.
    pub fn is_deleting(&self) -> Result<bool, Status> {
        const FIELD: &[u8] = b"\"deletionTimestamp\":";
        let is_named = self.meta.windows(FIELD.len()).any(|window| window == FIELD);
        Ok(is_named && self.object_meta()?.is_deleting())
    }

    /// The object as controllers see it.
    pub fn object(&self, cluster: &ClusterName, kind: &KindDescriptor) -> Result<client::Object, Status> {
        let meta = Arc::new(self.object_meta()?);
        let json = match self.shared_json(kind) {
            Some([head, meta, seam, body]) => Json::of_pieces([head, meta, seam, body, Bytes::from_static(b"}")]),
            None => self.json(kind).into(),
        };
        Ok(client::Object { cluster: cluster.clone(), meta, json })
    }
}

/// Standard base64, as Kubernetes writes bytes in JSON.
pub fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
