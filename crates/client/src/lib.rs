//! Objects as every controller reads and writes them: the `Objects` trait over
//! raw bytes with parsed metadata, with two transports (in process, and
//! `kube::Client` for real clusters), and caches on top. It must never know the
//! server.

pub mod cache;
pub mod fake;
pub mod json;
pub mod kube_transport;
pub mod object;
pub mod objects;
pub mod options;

pub use cache::{Cache, CacheOptions, Change, Changes, Informer, Item, ObjectKey, View};
pub use json::Json;
pub use kube_transport::KubeObjects;
pub use object::{Event, List, Object};
pub use objects::Objects;
pub use options::{
    DeleteOptions, ListOptions, Patch, Preconditions, Propagation, Scope, Target, WatchOptions, WriteOptions,
};

/// What every call answers: the value, or the API's `Status`.
pub type Result<T> = std::result::Result<T, api::Status>;
