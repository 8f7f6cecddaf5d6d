//! The Kubernetes-compatible API: authenticate, authorise, admit, validate,
//! commit, watch. One pipeline serves every kind, built in or custom, over HTTP
//! and in process; there is no file per kind, and there must never be one.

pub mod authn;
mod convert;
pub mod crd;
mod documents;
pub mod http;
pub mod local;
pub mod pipeline;
pub mod record;
pub mod registry;
mod versions;
pub mod request;
pub mod strategy;
mod tree;

pub use pipeline::{ApiServer, Parts};
pub use registry::Registry;
