//! The one pipeline that every request runs through, over HTTP or in process:
//! resolve the kind, admit, validate, commit. It knows kinds only through their
//! descriptors; what few kinds need beyond that stands in `strategy`.

mod access;
mod clusters;
mod create;
mod definitions;
mod delete;
mod patch;
mod read;
mod scale;
mod select;
mod server;
mod update;
mod watch;

pub use access::authorize;
pub use delete::Deleted;
pub use read::{Listing, ReadAt};
pub use select::Selectors;
pub(crate) use server::apply_unsupported;
pub use server::{ApiServer, Parts, Subject, Write};
pub use update::Part;
pub use watch::{Change, WatchFrom, Watching};
