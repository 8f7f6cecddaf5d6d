//! Structured merge: merging, comparing and taking apart objects alongside their
//! schema, which says of every list and map whether it is replaced whole or
//! merged item by item. The behaviour is that of Kubernetes' structured merge
//! diff. Who owns what is decided in `ownership`; nothing here knows a manager.

mod compare;
mod contents;
mod error;
mod item;
mod merge;
mod node;
mod reconcile;
mod remove;
mod validate;

#[cfg(test)]
mod tests;

pub use compare::{Comparison, compare};
pub use contents::{contents, ensure_named_fields};
pub use error::Error;
pub use merge::merge;
pub use node::Node;
pub use reconcile::reconcile;
pub use remove::{extract, remove};
pub use validate::{Duplicates, validate};
