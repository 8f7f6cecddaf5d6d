//! The directory renderer: every manifest file of a tree, in the order of their
//! paths, each document an object. It must never guess: a document that is no
//! object is an error that names its file, not something left out.

use serde_json::Value;

use crate::glob::Glob;
use crate::{Error, Kind, Renderer, Source};

/// A file that holds this text is left out.
const SKIP_MARKER: &str = "+argocd:skip-file-rendering";

/// Options of a directory source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// Directories below are read too.
    pub recurse: bool,
    /// Only paths that match; empty for all.
    pub include: String,
    /// No path that matches; empty for none.
    pub exclude: String,
}

/// Renders a directory of manifests.
pub struct Directory {
    /// Options.
    pub options: Options,
}

impl Renderer for Directory {
    fn kind(&self) -> Kind {
        Kind::Directory
    }

    fn render(&self, source: &Source) -> Result<Vec<Value>, Error> {
        let filter = Filter::new(&self.options)?;
        let mut total_bytes = 0;
        let mut objects = Vec::new();
        for path in source.files.keys().filter(|path| filter.accepts(path)) {
            // A link to a directory is not followed, as Argo CD does not follow it.
            let Some(content) = source.read(path) else { continue };
            total_bytes += content.len();
            if total_bytes > base::limits::MANIFEST_BYTES {
                return Err(Error::TooLarge { limit_bytes: base::limits::MANIFEST_BYTES });
            }
            if path.ends_with(".jsonnet") {
                return Err(Error::Unsupported { kind: Kind::Jsonnet });
            }
            objects.extend(read_file(path, content)?);
        }
        Ok(objects)
    }
}

/// Which paths are manifest files.
struct Filter {
    recurse: bool,
    include: Option<Glob>,
    exclude: Option<Glob>,
}

impl Filter {
    fn new(options: &Options) -> Result<Self, Error> {
        let glob = |pattern: &str| if pattern.is_empty() { Ok(None) } else { Glob::new(pattern).map(Some) };
        Ok(Filter { recurse: options.recurse, include: glob(&options.include)?, exclude: glob(&options.exclude)? })
    }

    fn accepts(&self, path: &str) -> bool {
        let is_manifest = [".yaml", ".yml", ".json", ".jsonnet"].iter().any(|ending| path.ends_with(ending));
        is_manifest
            && (self.recurse || !path.contains('/'))
            && !self.exclude.as_ref().is_some_and(|glob| glob.matches(path))
            && self.include.as_ref().is_none_or(|glob| glob.matches(path))
    }
}

fn read_file(path: &str, content: &[u8]) -> Result<Vec<Value>, Error> {
    let text = std::str::from_utf8(content)
        .map_err(|_| Error::File { file: path.to_owned(), why: "it is not UTF-8 text".into() })?;
    if text.contains(SKIP_MARKER) {
        return Ok(Vec::new());
    }
    let read = parse(path, text).and_then(|documents| objects_of(path, documents));
    match read {
        // As Argo CD: a YAML file that does not even look like a manifest (a chart's values, a
        // tool's configuration) is somebody else's and no error.
        Err(_) if !path.ends_with(".json") && !looks_like_manifest(text) => Ok(Vec::new()),
        read => read,
    }
}

fn looks_like_manifest(text: &str) -> bool {
    ["apiVersion:", "kind:", "metadata:"].iter().all(|marker| text.contains(marker))
}

fn parse(path: &str, text: &str) -> Result<Vec<Value>, Error> {
    let refuse = |why: String| Error::File { file: path.to_owned(), why };
    if path.ends_with(".json") {
        let mut documents = Vec::new();
        for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            documents.push(document.map_err(|error| refuse(error.to_string()))?);
        }
        return Ok(documents);
    }
    machinery::yaml::values(text).map_err(|error| refuse(error.to_string()))
}

fn objects_of(path: &str, documents: Vec<Value>) -> Result<Vec<Value>, Error> {
    let mut objects = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        if is_empty(&document) {
            continue;
        }
        expand(path, index + 1, document, &mut objects)?;
    }
    Ok(objects)
}

fn is_empty(document: &Value) -> bool {
    document.is_null() || document.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Takes a list apart into its items; anything else is an object or an error.
fn expand(path: &str, document: usize, value: Value, objects: &mut Vec<Value>) -> Result<(), Error> {
    let refuse = |why: &str| Error::Document { file: path.to_owned(), document, why: why.to_owned() };
    if !value.is_object() {
        return Err(refuse("it is not an object"));
    }
    for object in machinery::yaml::expand(value) {
        let states = |name: &str| object.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if !states("kind") {
            return Err(refuse("Object 'Kind' is missing"));
        }
        if !states("apiVersion") {
            return Err(refuse("Object 'apiVersion' is missing"));
        }
        objects.push(object);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
