//! Owner references: the thread that the garbage collector follows.

use api::{Gvk, ObjectMeta, OwnerReference};

/// A reference to an owner. The `controller` manages the object, and a foreground deletion of
/// it waits for the object; there can be one per object.
pub fn reference(gvk: &Gvk, meta: &ObjectMeta, controller: bool) -> OwnerReference {
    OwnerReference {
        api_version: gvk.api_version(),
        kind: gvk.kind.to_string(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        controller: controller.then_some(true),
        block_owner_deletion: controller.then_some(true),
    }
}
