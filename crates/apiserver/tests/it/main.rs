//! The API through real clients: kubectl, kube-rs and the Python client, each
//! against a whole server with its store, over TLS.

mod clusters;
mod definitions;
mod kube_rs;
mod kubectl;
mod python;
mod refusals;
mod semantics;
mod transports;
mod watches;
mod wire;
