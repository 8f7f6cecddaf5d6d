//! Claims of volumes as controllers read them.

use api::Status;
use client::{Object, View};
use serde::Deserialize;

/// What controllers read of a claim; so far its metadata is enough.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VolumeClaim {}

impl View for VolumeClaim {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}
