//! Between what a client sent and what is committed: admission, what the server
//! fills, the rules of built-in kinds, and what is given out beside the object.

use api::{Cause, Status};

use super::server::{ApiServer, Subject};
use crate::admission::{self, Attributes};
use crate::allocation::{self, Giver, Plan};
use crate::tree::{Tree, meta_text};
use crate::view::View;

impl ApiServer {
    /// Admits an object that is to be created, whose defaults are filled.
    pub(super) fn admit_new(&self, subject: &Subject, object: &mut Tree) -> Result<(), Status> {
        admission::create(&self.attributes(subject), object, &self.settings().disabled_admission)
    }

    /// Admits an object that replaces `old`, whose defaults are filled.
    pub(super) fn admit_change(&self, subject: &Subject, old: &Tree, object: &mut Tree) -> Result<(), Status> {
        admission::update(&self.attributes(subject), old, object, &self.settings().disabled_admission)
    }

    /// The object for one attempt to write it. One that may be given something else at the next
    /// attempt is copied; of all others there is only one attempt.
    pub(super) fn attempt(&self, subject: &Subject, object: &mut Tree) -> Tree {
        if allocation::is_given_to(&subject.kind.descriptor) { object.clone() } else { std::mem::take(object) }
    }

    /// Plans what an object that is written is given beside it, and what it gives back.
    pub(super) fn plan(&self, subject: &Subject, old: Option<&Tree>, new: &mut Tree) -> Result<Plan, Status> {
        self.giver(subject).plan(&subject.kind.descriptor, old, new)
    }

    /// Plans what an object that goes gives back.
    pub(super) fn plan_release(&self, subject: &Subject, old: &Tree) -> Plan {
        self.giver(subject).release(&subject.kind.descriptor, old)
    }

    fn attributes<'a>(&'a self, subject: &'a Subject) -> Attributes<'a> {
        Attributes {
            kind: &subject.kind.descriptor,
            namespace: &subject.namespace,
            view: View::new(self.store(), subject.cluster.as_str()),
            ids: self.ids(),
        }
    }

    fn giver<'a>(&'a self, subject: &'a Subject) -> Giver<'a> {
        Giver {
            view: View::new(self.store(), subject.cluster.as_str()),
            ranges: &self.settings().ranges,
            ids: self.ids(),
            now: self.clock().now_rfc3339(),
        }
    }
}

/// The refusal of an object for these causes, if there are any.
pub(super) fn refuse(subject: &Subject, object: &Tree, causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    let gvk = &subject.kind.descriptor.gvk;
    Err(Status::invalid(&gvk.group, &gvk.kind, meta_text(object, "name"), causes))
}
