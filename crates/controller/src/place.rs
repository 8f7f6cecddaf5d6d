//! Where one object is, for writing to it. Controllers watch all clusters and
//! namespaces at once; a write concerns one.

use api::Gvr;
use client::{Object, ObjectKey, Scope, Target};

/// The place of `object` in the resource that `target` names, whatever scope that has.
pub fn of(target: &Target, object: &Object) -> Target {
    at(&target.gvr, &ObjectKey::of(object))
}

/// The place of the object with this key.
pub fn at(gvr: &Gvr, key: &ObjectKey) -> Target {
    let namespace = (!key.namespace.is_empty()).then(|| key.namespace.clone());
    Target { scope: Scope::One(key.cluster.clone()), gvr: gvr.clone(), namespace }
}
