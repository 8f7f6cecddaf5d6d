//! What nobody can own: the names of an object and what the server writes.

use std::sync::LazyLock;

use crate::fields::Set;

static NEVER_OWNED: LazyLock<Set> = LazyLock::new(|| {
    Set::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
});

/// The fields without those that nobody can own.
pub(super) fn strip(fields: &Set) -> Set {
    fields.difference(&NEVER_OWNED)
}
