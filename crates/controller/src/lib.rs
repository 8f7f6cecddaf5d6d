//! The reconcile runtime: a keyed queue with back-off, coalescing and fairness
//! over caches, and what every controller writes in the same way (finalizers,
//! conditions, events, status, owners). It relies only on what a real
//! kube-apiserver gives, and must never know a kind.

pub mod condition;
pub mod error;
pub mod event;
pub mod finalizer;
pub mod owner;
pub mod place;
mod queue;
pub mod report;
pub mod runtime;

pub use condition::{Condition, ConditionStatus};
pub use error::Error;
pub use event::{EventKind, Recorder};
pub use runtime::{Controller, Handle, Next, Reconciler, Stats};
