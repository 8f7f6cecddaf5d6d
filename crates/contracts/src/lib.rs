//! The few traits that capabilities offer to each other and to the server, for
//! what an object cannot carry: bytes, streams and synchronous answers. It holds
//! no implementation, only traits, plain data, fakes and contract suites.

pub mod auth;
pub mod git;
pub mod groups;
pub mod registry;

pub use registry::Contracts;
