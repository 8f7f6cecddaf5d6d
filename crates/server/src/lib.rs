//! One process: configuration, the platform's directory and its lock, the local
//! certificate authority, every listener with TLS, routing by host or path, and
//! the life of the capabilities it is handed. It names none of them.

pub mod boot;
pub mod config;
pub mod kubeconfig;
pub mod layout;
pub mod listen;
pub mod pki;
pub mod platform;
pub mod routes;
pub mod seal;
pub mod tokens;

pub use boot::{Running, Server, choose_crypto};
pub use config::Config;
pub use layout::Layout;
