//! The API through real clients: kubectl, kube-rs and the Python client, each
//! against a whole server with its store, over TLS.

mod applies;
mod bindings;
mod both;
mod builtins;
mod clusters;
mod constructs;
mod deletions;
mod definitions;
mod evictions;
mod groups;
mod hostile;
mod kube_rs;
mod kubectl;
mod pod_parts;
mod python;
mod real_definitions;
mod refusals;
mod semantics;
mod transports;
mod validation;
mod watches;
mod wire;
