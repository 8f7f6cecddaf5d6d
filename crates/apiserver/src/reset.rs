//! Fields that a write leaves as they are, whatever it says of them: the status
//! in a write of the object, the rest in a write of its status. Nobody comes to
//! own them by such a write.

use api::KindDescriptor;
use machinery::fields::Set;

use crate::pipeline::Part;
use crate::strategy::{self, Kept};

/// The fields that a write to a part of a kind's objects does not change.
pub fn fields(kind: &KindDescriptor, part: Part) -> Set {
    match part {
        Part::Main if is(kind, "certificates.k8s.io", "certificatesigningrequests") => {
            Set::of_fields(&[&["spec"], &["status"]])
        }
        Part::Main if kind.subresources.status => Set::of_fields(&[&["status"]]),
        Part::Main | Part::Scale => Set::new(),
        Part::Finalize | Part::EphemeralContainers | Part::Resize => Set::of_fields(&[&["status"]]),
        Part::Status if is(kind, "", "pods") => {
            Set::of_fields(&[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]])
        }
        Part::Status => match strategy::kept_on_status(kind) {
            Kept::Fields(&["labels"]) => Set::of_fields(&[&["spec"], &["metadata", "labels"]]),
            Kept::Fields(&[]) => Set::of_fields(&[&["spec"]]),
            Kept::All | Kept::Fields(_) => Set::of_fields(&[&["spec"], &["metadata"]]),
        },
    }
}

fn is(kind: &KindDescriptor, group: &str, plural: &str) -> bool {
    &*kind.gvk.group == group && &*kind.plural == plural
}
