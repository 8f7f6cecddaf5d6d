//! The one pipeline that every request runs through, over HTTP or in process:
//! resolve the kind, admit, validate, commit. It knows kinds only through their
//! descriptors; what few kinds need beyond that stands in `strategy`.

mod access;
mod act;
mod admit;
mod apply;
mod bind;
mod clusters;
mod create;
mod decode;
mod definitions;
mod delete;
mod evict;
mod owners;
mod part;
mod patch;
mod read;
mod rewrite;
mod scale;
mod select;
mod server;
mod update;
mod validation;
mod watch;

pub use access::authorize;
pub use act::Act;
pub use apply::Applied;
pub(crate) use decode::sent_scale;
pub use delete::Deleted;
pub use part::Part;
pub use read::{Listing, ReadAt};
pub use select::Selectors;
pub use server::{ApiServer, Parts, Settings, Subject, Write};
pub use validation::{FieldValidation, Reading, Warnings};
pub use watch::{Change, WatchFrom, Watching};
