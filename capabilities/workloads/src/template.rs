//! Pods from templates, and the hash by which the revisions of a template are
//! told apart. Pure.

#[cfg(test)]
mod tests;

use api::{Gvk, ObjectMeta};
use base::digest;
use controller::owner;
use serde_json::{Value, json};

/// The label that carries the hash of the template a pod was made from.
pub(crate) const TEMPLATE_HASH: &str = "pod-template-hash";

/// Characters of a name that leave room for a suffix, as kube-controller-manager cuts them.
const LONGEST_PREFIX: usize = 63 - 5;

/// A pod of its owner's template, its name left to the API server.
pub(crate) fn pod(template: &Value, gvk: &Gvk, owner: &ObjectMeta) -> Value {
    let mut metadata = json!({
        "generateName": format!("{}-", owner.name.get(..LONGEST_PREFIX - 1).unwrap_or(&owner.name)),
        "namespace": owner.namespace,
        "ownerReferences": [owner::reference(gvk, owner, true)],
    });
    for field in ["labels", "annotations", "finalizers"] {
        let stated = &template["metadata"][field];
        if !stated.is_null() {
            metadata[field] = stated.clone();
        }
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] })
}

/// A short name for a template that is the same for equal templates. A number of collisions
/// gives another one where two different templates have met.
pub(crate) fn hash(template: &Value, collisions: Option<i64>) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // Keys of JSON trees are sorted, so equal templates have equal text.
    let digest = digest::sha256_hex(format!("{template}{}", collisions.unwrap_or(0)).as_bytes());
    let number = u64::from_str_radix(&digest[..16], 16).unwrap_or_default();
    let size = ALPHABET.len() as u64;
    let digits = std::iter::successors(Some(number), |rest| Some(rest / size)).take(10);
    digits.map(|rest| char::from(ALPHABET[usize::try_from(rest % size).unwrap_or_default()])).collect()
}

/// Tells templates apart as controllers do: without the label that carries their hash, and
/// without what is as good as absent. Equal templates have equal fingerprints.
pub(crate) fn fingerprint(template: &Value) -> String {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(TEMPLATE_HASH);
    }
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.retain(|_, held| held.as_object().is_none_or(|map| !map.is_empty()));
    }
    drop_absent(&mut template);
    digest::sha256_hex(template.to_string().as_bytes())
}

/// Takes out nulls and empty lists. Empty objects mean something: an `emptyDir` is one.
fn drop_absent(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_absent);
            fields.retain(|_, held| !held.is_null() && held.as_array().is_none_or(|list| !list.is_empty()));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_absent),
        _ => {}
    }
}
