//! Which changes of an object its generation counts. Whether a kind has one is said by
//! its descriptor.

use api::KindDescriptor;

use crate::tree::Tree;

/// Whether the change from `old` to `new` is one of what is wanted, and so of the
/// generation.
pub fn counts_as_change(kind: &KindDescriptor, old: &Tree, new: &Tree) -> bool {
    match (&*kind.gvk.group, &*kind.plural) {
        ("scheduling.k8s.io", "priorityclasses") => false,
        ("apps", "deployments") => desired_changed(old, new) || meta_changed(old, new, "annotations"),
        ("discovery.k8s.io", "endpointslices") => desired_changed(old, new) || meta_changed(old, new, "labels"),
        _ => desired_changed(old, new),
    }
}

/// Whether anything but metadata and status differs.
fn desired_changed(old: &Tree, new: &Tree) -> bool {
    let counts = |field: &str| !matches!(field, "metadata" | "status" | "apiVersion" | "kind");
    let fields = |tree: &Tree| tree.keys().filter(|field| counts(field)).count();
    fields(old) != fields(new) || old.iter().any(|(field, value)| counts(field) && new.get(field) != Some(value))
}

fn meta_changed(old: &Tree, new: &Tree, field: &str) -> bool {
    let held = |tree: &Tree| tree.get("metadata").and_then(|meta| meta.get(field)).cloned();
    held(old) != held(new)
}
