//! What a document is made of: resources, and where their schemas come from.
//! Plain values; how they are written stands elsewhere.

use api::KindDescriptor;
use api::builtin::{Docs, Subresource};
use api::schema::TypeTable;
use serde_json::Value;

/// One served resource.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The kind.
    pub kind: &'a KindDescriptor,
    /// What its objects look like.
    pub schema: KindSchema<'a>,
    /// Subresources to list beside `status` and `scale`, which the kind states itself.
    pub subresources: &'a [Subresource],
}

/// Where the schema of a kind comes from.
#[derive(Clone, Copy, Debug)]
pub enum KindSchema<'a> {
    /// The type of that name in the table.
    Builtin,
    /// The `openAPIV3Schema` of a CustomResourceDefinition's version.
    Custom(&'a Value),
}

/// Types and their documentation: `builtin::types()` and `builtin::docs()`.
#[derive(Clone, Copy, Debug)]
pub struct Types<'a> {
    /// Every type a built-in kind may consist of.
    pub table: &'a TypeTable,
    /// What they mean.
    pub docs: &'a Docs,
}
