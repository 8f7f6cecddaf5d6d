//! The Kubernetes-compatible API: authenticate, authorise, admit, validate,
//! commit, watch. One pipeline serves every kind, built in or custom, over HTTP
//! and in process; there is no file per kind, and there must never be one.

pub mod record;
pub mod registry;
pub mod crd;
pub mod request;
mod documents;
pub mod strategy;
pub mod pipeline;
pub mod local;
pub mod authn;
pub mod http;

pub use pipeline::{ApiServer, Parts};
pub use registry::Registry;
