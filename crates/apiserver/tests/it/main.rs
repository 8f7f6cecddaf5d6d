//! The API through real clients: kubectl, kube-rs and the Python client, each
//! against a whole server with its store, over TLS.

mod clusters;
mod definitions;
mod kubectl;
mod kube_rs;
mod python;
mod refusals;
mod watches;
