//! A whole platform on a temporary directory, and drivers for the real clients
//! that tests use against it. Only a development dependency.

pub mod kubectl;
pub mod platform;
pub mod tools;

pub use kubectl::Kubectl;
pub use platform::Platform;
