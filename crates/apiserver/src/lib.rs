//! The Kubernetes-compatible API: authenticate, authorise, admit, validate,
//! commit, watch. One pipeline serves every kind, built in or custom, over HTTP
//! and in process; there is no file per kind, and there must never be one.

pub mod admission;
mod allocation;
pub mod authn;
mod convert;
pub mod crd;
pub mod custom;
mod delete_options;
mod documents;
pub mod http;
pub mod local;
pub mod pipeline;
pub mod record;
pub mod registry;
mod version_order;
mod versions;
pub mod request;
mod reset;
pub mod schemas;
pub mod strategy;
mod tree;
mod view;

pub use allocation::Ranges;
pub use pipeline::{ApiServer, Parts, Settings};
pub use registry::Registry;
