//! Bounds that more than one crate relies on. Sizes are in bytes.

/// Largest request body of one object, as kube-apiserver's default.
pub const REQUEST_BODY_BYTES: usize = 3 * 1024 * 1024;
/// Largest stored object: etcd's default request limit.
pub const OBJECT_BYTES: usize = 3 * 1024 * 1024 / 2;
/// Operations in one JSON patch, as kube-apiserver's limit.
pub const JSON_PATCH_OPERATIONS: usize = 10_000;
/// Nesting of JSON and YAML that is accepted before it is refused.
pub const NESTING: usize = 128;
/// Nesting of an object that is stored: the record of who owns its fields nests deeper than the
/// object itself, and must still be readable.
pub const OBJECT_NESTING: usize = NESTING - 16;
/// Bytes of all annotations of one object, as Kubernetes validates.
pub const ANNOTATION_BYTES: usize = 256 * 1024;
/// Bytes of rendered manifests of one Application, as Argo CD's default.
pub const MANIFEST_BYTES: usize = 10 * 1024 * 1024;
