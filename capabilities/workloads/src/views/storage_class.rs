//! Storage classes as controllers read them.

use std::collections::BTreeMap;

use api::Status;
use client::{Item, Object, View};
use serde::Deserialize;

/// The annotations that make a class the one of claims that name none.
const IS_DEFAULT: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// What controllers read of a storage class.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StorageClass {
    pub(crate) provisioner: Box<str>,
    pub(crate) reclaim_policy: Box<str>,
    pub(crate) volume_binding_mode: Box<str>,
    pub(crate) parameters: BTreeMap<Box<str>, Box<str>>,
    pub(crate) mount_options: Box<[Box<str>]>,
}

impl View for StorageClass {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}

impl StorageClass {
    /// Whether a volume is chosen only once a pod that needs it has a node.
    pub(crate) fn waits_for_consumer(&self) -> bool {
        &*self.volume_binding_mode == "WaitForFirstConsumer"
    }
}

/// Whether a class is the one of claims that name none.
pub(crate) fn is_default(class: &Item<StorageClass>) -> bool {
    let annotations = &class.object.meta.annotations;
    IS_DEFAULT.iter().any(|name| annotations.get(*name).is_some_and(|value| value == "true"))
}
