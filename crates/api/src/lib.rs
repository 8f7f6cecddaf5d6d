//! The Kubernetes vocabulary: names of kinds, object metadata, `Status`, kind
//! descriptors and the built-in kinds with their schemas as data. It does no
//! I/O and holds no capability's kinds.

pub mod builtin;
pub mod kind;
pub mod meta;
pub mod name;
pub mod platform;
pub mod schema;
pub mod status;

pub use kind::KindDescriptor;
pub use meta::{ObjectMeta, OwnerReference};
pub use name::{ClusterName, Gvk, Gvr};
pub use status::{Cause, Reason, Status};
