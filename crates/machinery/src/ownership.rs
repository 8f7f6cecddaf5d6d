//! Which client owns which fields of an object (`metadata.managedFields`), and
//! what follows from it: server-side apply with its conflicts, and the record
//! that every other write leaves. Pure: time, names and schemas come from the
//! caller, and nothing here decides whether a write is allowed.

mod agree;
mod apply;
mod cap;
mod conflict;
mod last_applied;
mod managers;
mod sets;
mod strip;
mod update;
mod writer;

#[cfg(test)]
mod tests;

pub use agree::agrees;
pub use apply::{Applied, ApplyError, apply};
pub use conflict::{Conflict, Conflicts};
pub use last_applied::LAST_APPLIED;
pub use managers::{InvalidManagedFields, Manager, Managers, Operation};
pub use update::update;
pub use writer::{Versions, Writer};
