//! PersistentVolumeClaimResize: a claim may ask for more only once it is bound, and
//! only if its class says that its volumes grow.

use api::Status;
use machinery::quantity::Quantity;
use serde_json::Value;

use super::Attributes;
use crate::tree::Tree;

const OLDER_NAME: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn update(attributes: &Attributes<'_>, old: &Tree, object: &mut Tree) -> Result<(), Status> {
    if !attributes.is("", "persistentvolumeclaims") || size(object) <= size(old) {
        return Ok(());
    }
    if old.get("status").and_then(|status| status.get("phase")?.as_str()) != Some("Bound") {
        return Err(attributes.forbidden(object, "Only bound persistent volume claims can be expanded"));
    }
    let (before, after) = (class(old), class(object));
    let grows = || {
        let class = attributes.view.get("storage.k8s.io", "storageclasses", "", &after)?;
        class.get("allowVolumeExpansion")?.as_bool()
    };
    if before.is_empty() || before != after || grows() != Some(true) {
        let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must \
            support resize";
        return Err(attributes.forbidden(object, why));
    }
    Ok(())
}

fn size(claim: &Tree) -> Option<Quantity> {
    Quantity::from_json(claim.get("spec")?.pointer("/resources/requests/storage")?)
}

/// The class that a claim names, in either way; empty for none.
fn class(claim: &Tree) -> String {
    let older = claim.get("metadata").and_then(|meta| meta.get("annotations")?.get(OLDER_NAME));
    let named = older.or_else(|| claim.get("spec")?.get("storageClassName"));
    named.and_then(Value::as_str).unwrap_or_default().to_owned()
}
