//! The seam between the kinds of sources: Helm, Kustomize, Jsonnet and plugins
//! plug in here. It must never know how any of them renders.

use std::fmt;

use serde_json::Value;

use crate::directory::{self, Directory};
use crate::{Error, Source, detect};

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

/// What is asked of a source: the kind it states, if it states one, and its options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Kind that the options name; `None` to look at the files.
    pub kind: Option<Kind>,
    /// Options of a directory of manifests.
    pub directory: directory::Options,
}

/// Turns trees of one kind into objects.
pub trait Renderer {
    /// The kind it renders.
    fn kind(&self) -> Kind;

    /// The objects, in a stable order.
    fn render(&self, source: &Source) -> Result<Vec<Value>, Error>;
}

/// A kind that this build has no renderer for.
struct Unsupported(Kind);

impl Renderer for Unsupported {
    fn kind(&self) -> Kind {
        self.0
    }

    fn render(&self, _source: &Source) -> Result<Vec<Value>, Error> {
        Err(Error::Unsupported { kind: self.0 })
    }
}

/// The renderer for a source: the kind it states, or the kind its files show.
pub fn select(request: &Request, source: &Source) -> Box<dyn Renderer> {
    match request.kind.unwrap_or_else(|| detect::kind(source)) {
        Kind::Directory => Box::new(Directory { options: request.directory.clone() }),
        other => Box::new(Unsupported(other)),
    }
}

/// Renders a source; says which kind it was.
pub fn render(request: &Request, source: &Source) -> Result<(Kind, Vec<Value>), Error> {
    source.check_links()?;
    let renderer = select(request, source);
    Ok((renderer.kind(), renderer.render(source)?))
}
