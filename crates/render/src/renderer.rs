//! The seam between the kinds of sources: what each of them is
//! to the others. Helm, Kustomize, Jsonnet and plugins implement it. It must never
//! know any of them.

use std::fmt;

use serde_json::Value;

use crate::{Error, Source};

/// Kinds of sources, named as `status.sourceType` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Plain manifests.
    Directory,
    /// A Helm chart.
    Helm,
    /// A Kustomize directory.
    Kustomize,
    /// Jsonnet files in a directory.
    Jsonnet,
    /// A config management plugin.
    Plugin,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Directory => "Directory",
            Kind::Helm => "Helm",
            Kind::Kustomize => "Kustomize",
            Kind::Jsonnet => "Jsonnet",
            Kind::Plugin => "Plugin",
        })
    }
}

/// Turns trees of one kind into objects.
pub trait Renderer {
    /// The kind it renders.
    fn kind(&self) -> Kind;

    /// The objects, in a stable order.
    fn render(&self, source: &Source) -> Result<Vec<Value>, Error>;
}
