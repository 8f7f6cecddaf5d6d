//! The Kubernetes vocabulary: names of kinds, object metadata, `Status`, kind
//! descriptors and the built-in kinds with their schemas as data. It does no
//! I/O and holds no capability's kinds.

pub mod name;
pub mod meta;
pub mod status;
pub mod kind;
pub mod schema;
pub mod platform;
pub mod builtin;

pub use kind::KindDescriptor;
pub use meta::{ObjectMeta, OwnerReference};
pub use name::{ClusterName, Gvk, Gvr};
pub use status::{Cause, Reason, Status};
