//! Who made a request for a certificate, which is the server's to say: what a client
//! states of it counts for nothing.

use api::KindDescriptor;
use contracts::auth::Identity;
use serde_json::json;

use super::child;
use crate::tree::Tree;

/// Writes who makes a certificate request into it; does nothing to other kinds.
pub fn sign(kind: &KindDescriptor, by: Option<&Identity>, object: &mut Tree) {
    if (&*kind.gvk.group, &*kind.plural) != ("certificates.k8s.io", "certificatesigningrequests") {
        return;
    }
    let spec = child(object, "spec");
    for field in ["username", "uid", "groups", "extra"] {
        spec.remove(field);
    }
    let Some(by) = by else { return };
    spec.insert("username".into(), json!(by.user));
    if !by.groups.is_empty() {
        spec.insert("groups".into(), json!(by.groups));
    }
}
