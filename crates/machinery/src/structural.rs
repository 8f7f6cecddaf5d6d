//! Structural schemas: the `openAPIV3Schema` of a version of a
//! CustomResourceDefinition, compiled once into a small table and shared. With
//! it objects are pruned, defaulted and validated, and merges learn what each
//! place holds. A schema's JSON, its descriptions and compiled patterns are
//! never kept; rules in CEL are kept as text and never evaluated here.

mod bounds;
mod build;
mod cause;
mod check;
mod defaulting;
mod embedded;
mod format;
mod lists;
mod node;
mod path;
mod pattern;
mod place;
mod prune;
mod read;
mod selectable;
#[cfg(test)]
mod tests;
mod validate;

use api::Cause;
use serde_json::{Map, Value};

pub use place::{Kind, Place, Rule};
pub use selectable::selectable_field;

use node::{NodeId, Tables};

/// A compiled schema. Immutable; share it as `Arc<Schema>`.
#[derive(Debug)]
pub struct Schema {
    tables: Tables,
    root: NodeId,
}

impl Schema {
    /// Checks a schema as Kubernetes checks it and compiles it. `at` is where it stands, for
    /// causes: `spec.versions[0].schema.openAPIV3Schema`.
    pub fn compile(schema: &Value, at: &str) -> Result<Schema, Vec<Cause>> {
        bounds::check(schema, at)?;
        let Some(json) = schema.as_object() else { return Err(Vec::new()) };
        let mut causes = check::form(json, at);
        let is_sound = check::is_convertible(json);
        let mut compiled = None;
        if is_sound && causes.is_empty() {
            let schema = Self::build(json);
            causes.extend(check::defaults(&schema.tables, schema.root, at));
            compiled = Some(schema);
        }
        causes.extend(check::openapi(json, at));
        match compiled {
            Some(schema) if causes.is_empty() => Ok(schema),
            _ if causes.is_empty() => Err(check::inconvertible(at)),
            _ => Err(causes),
        }
    }

    /// Compiles a schema that was checked when it was stored. What is not as it should be is
    /// read as if it were not there, so that no stored definition can keep a server from
    /// starting; a schema beyond all bounds becomes one that allows nothing but the type.
    pub fn compile_stored(schema: &Value) -> Schema {
        match schema.as_object() {
            Some(json) if bounds::check(schema, "").is_ok() => Self::build(json),
            _ => Self::build(&Map::new()),
        }
    }

    fn build(json: &Map<String, Value>) -> Schema {
        let mut builder = build::Builder::default();
        let root = builder.node(json);
        Schema { tables: builder.finish(), root }
    }

    /// The whole object's place.
    pub fn root(&self) -> Place<'_> {
        Place::new(&self.tables, self.root)
    }

    /// Removes fields that the schema does not know, and from the metadata of embedded
    /// objects those that metadata has not. Returns their paths, in order, as strict
    /// decoding names them. The type and metadata of the object itself stay as they are.
    pub fn prune(&self, object: &mut Map<String, Value>) -> Vec<String> {
        let mut unknown = prune::prune(&self.tables, self.root, object);
        let mut of_metadata = Vec::new();
        embedded::coerce(&self.tables, self.root, object, &mut of_metadata);
        of_metadata.sort_unstable();
        unknown.append(&mut of_metadata);
        unknown
    }

    /// An embedded object whose type or metadata cannot be read at all, which Kubernetes
    /// answers as a bad request, before it prunes.
    pub fn malformed(&self, object: &Map<String, Value>) -> Option<Cause> {
        embedded::malformed(&self.tables, self.root, object)
    }

    /// Fills defaults, also in place of nulls that are not allowed; such nulls without a
    /// default go. If defaults would make the object much larger than any may be, some are
    /// left out: the object is refused for its size anyway.
    pub fn default(&self, object: &mut Map<String, Value>) {
        defaulting::default(&self.tables, self.root, object);
    }

    /// What is wrong with an object. With the object that it replaces, what is wrong but
    /// unchanged is not said.
    pub fn validate(&self, object: &Map<String, Value>, old: Option<&Map<String, Value>>) -> Vec<Cause> {
        let mut causes = validate::object(&self.tables, self.root, object, old);
        causes.extend(embedded::check(&self.tables, self.root, object));
        causes.extend(self.new_duplicates(object, old));
        causes
    }

    /// What is wrong with the status of an object whose status alone is replaced.
    pub fn validate_status(&self, object: &Map<String, Value>, old: &Map<String, Value>) -> Vec<Cause> {
        let place = self.tables.property(self.tables.node(self.root), "status");
        let mut causes = match (place, object.get("status")) {
            (Some(id), Some(status)) => validate::value(&self.tables, id, status, old.get("status"), "status"),
            _ => Vec::new(),
        };
        causes.extend(self.new_duplicates(object, Some(old)));
        causes
    }

    /// Duplicates in sets and maps, unless there were some before.
    fn new_duplicates(&self, object: &Map<String, Value>, old: Option<&Map<String, Value>>) -> Vec<Cause> {
        let found = lists::duplicates(&self.tables, self.root, object);
        let had_some = |old| !lists::duplicates(&self.tables, self.root, old).is_empty();
        if !found.is_empty() && old.is_some_and(had_some) { Vec::new() } else { found }
    }

    /// Bytes that the schema takes, with everything it points to.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.tables.size_bytes()
    }
}
