//! Nodes as controllers read them.

use api::Status;
use client::{Object, View};
use serde::Deserialize;

/// What controllers read of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Node {}

impl View for Node {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}
