//! DefaultStorageClass: a claim that names no class gets the default one. A class that
//! is named as empty stays so.

use api::Status;
use serde_json::{Value, json};

use super::{Attributes, newest};
use crate::tree::Tree;

const ANNOTATIONS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const OLDER_NAME: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    if !attributes.is("", "persistentvolumeclaims") || names_class(object) {
        return Ok(());
    }
    let classes = attributes.view.list("storage.k8s.io", "storageclasses")?;
    let default = newest::default_of(&classes, &ANNOTATIONS);
    let spec = object.entry("spec").or_insert_with(|| json!({})).as_object_mut();
    if let (Some(default), Some(spec)) = (default, spec) {
        spec.insert("storageClassName".into(), json!(default));
    }
    Ok(())
}

fn names_class(claim: &Tree) -> bool {
    let annotations = claim.get("metadata").and_then(|meta| meta.get("annotations"));
    let stated = claim.get("spec").and_then(|spec| spec.get("storageClassName"));
    annotations.and_then(|annotations| annotations.get(OLDER_NAME)).is_some()
        || stated.is_some_and(|class| *class != Value::Null)
}
