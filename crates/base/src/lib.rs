//! The ground everything stands on: time, ids, supervised tasks, limits and
//! user-facing errors. It must never know Kubernetes or any capability.

pub mod clock;
pub mod diagnostic;
pub mod digest;
pub mod ids;
pub mod limits;
pub mod memory;
pub mod tasks;

pub use clock::Clock;
pub use diagnostic::Diagnostic;
pub use ids::Ids;
pub use tasks::Tasks;

#[cfg(test)]
mod tests;
