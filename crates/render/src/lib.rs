//! A source tree and options become objects. Pure: the same tree and the same
//! options give the same objects in the same order, so that callers can keep the
//! result by their ids. It must never touch the network, the disk or the clock.

pub mod select;
pub mod detect;
pub mod directory;
pub mod glob;
pub mod renderer;
pub mod source;

pub use renderer::{Kind, Renderer};
pub use select::{Request, render};
pub use source::{Entry, Source};

/// How every refusal ends that a later build will not make, so that whoever waits for an
/// Application can tell it from what the owner of the source can mend.
pub const NOT_SUPPORTED: &str = "are not supported yet by this build of Coracle";

/// Why a tree could not be rendered. `Display` is one sentence for the owner of the source.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A kind of source that this build cannot render.
    #[error("{kind} sources {NOT_SUPPORTED}")]
    Unsupported {
        /// The kind.
        kind: Kind,
    },
    /// A file that is not what it should be.
    #[error("Failed to unmarshal {file:?}: {why}")]
    File {
        /// Path of the file in the tree.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// One document of a file that is no object.
    #[error("Failed to unmarshal {file:?}: document {document}: {why}")]
    Document {
        /// Path of the file in the tree.
        file: String,
        /// Number of the document in the file, from 1.
        document: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A symbolic link that points out of the tree.
    #[error("repository contains out-of-bounds symlinks. file: {0}")]
    OutOfBounds(String),
    /// A pattern that is none.
    #[error("pattern {pattern:?} is not valid: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The manifests are larger than the bound.
    #[error("the manifests of this source are larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// Options that contradict each other.
    #[error("multiple application sources defined: {0}")]
    Ambiguous(String),
}
