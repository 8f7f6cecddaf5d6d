//! Who writes, as what, and under which schema: what every operation on owners
//! needs beside the objects.

use std::borrow::Cow;

use serde_json::Value;

use super::managers::{Manager, Operation};
use crate::fields::Set;
use crate::structured::Node;

/// The versions of a kind.
pub trait Versions {
    /// The schema of the kind in a version such as `apps/v1`; `None` if it is not known any
    /// more, and what is owned in it is void.
    fn node(&self, api_version: &str) -> Option<Node<'_>>;

    /// An object of one version as another states it; `None` if both have the same shape.
    fn convert(&self, object: &Value, from: &str, to: &str) -> Option<Value>;
}

/// One write.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// Name of the client.
    pub manager: &'a str,
    /// The subresource that is written; empty for the object itself.
    pub subresource: &'a str,
    /// The version in which it is written, such as `apps/v1`.
    pub api_version: &'a str,
    /// The time, RFC 3339.
    pub now: &'a str,
    /// Fields that such a write leaves alone, so that nobody comes to own them by it.
    pub ignored: &'a Set,
    /// The schemas of the kind.
    pub versions: &'a dyn Versions,
}

impl<'a> Writer<'a> {
    /// An entry of this writer that owns `fields`.
    pub(super) fn entry(&self, operation: Operation, fields: Set) -> Manager {
        let name = if self.manager.is_empty() { "unknown" } else { self.manager };
        Manager {
            name: name.to_owned(),
            operation,
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            time: Some(self.now.to_owned()),
            fields,
        }
    }

    /// The schema in the version that is written.
    pub(super) fn node(&self) -> Node<'a> {
        self.versions.node(self.api_version).unwrap_or_else(Node::deduced)
    }

    /// An object that is in the version that is written, as another version states it.
    pub(super) fn convert<'o>(&self, object: &'o Value, to: &str) -> Cow<'o, Value> {
        self.convert_between(object, self.api_version, to)
    }

    /// An object of one version as another states it.
    pub(super) fn convert_between<'o>(&self, object: &'o Value, from: &str, to: &str) -> Cow<'o, Value> {
        if from == to {
            return Cow::Borrowed(object);
        }
        self.versions.convert(object, from, to).map_or(Cow::Borrowed(object), Cow::Owned)
    }
}
