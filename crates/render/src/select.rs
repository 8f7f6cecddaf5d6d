//! Which renderer a source gets: the list of those that this build has. A new
//! renderer is a line here. It must never render anything itself.

use serde_json::Value;

use crate::directory::{self, Directory};
use crate::{Error, Kind, Renderer, Source, detect};

/// What is asked of a source: the kind it states, if it states one, and its options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Kind that the options name; `None` to look at the files.
    pub kind: Option<Kind>,
    /// Options of a directory of manifests.
    pub directory: directory::Options,
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
