//! What a service is given and no other has: an address and ports on the nodes. Each
//! that is given out is a key of the store, taken in the transaction that writes the
//! service and released in the one that deletes it. So two writers never get the same,
//! a crash loses nothing, and nothing needs to be repaired. Addresses are `IPAddress`
//! objects, as in Kubernetes. Nothing here writes.

mod addresses;
mod families;
mod plan;
mod ports;
mod ranges;
#[cfg(test)]
mod tests;

use api::{KindDescriptor, Status};
use base::Ids;

use crate::tree::{Tree, meta_text};
use crate::view::View;

pub(crate) use plan::Plan;
pub use ranges::Ranges;

/// What is needed to give out.
pub(crate) struct Giver<'a> {
    /// The cluster's objects.
    pub view: View<'a>,
    /// What there is to be given.
    pub ranges: &'a Ranges,
    /// Uids of the objects that state what is given.
    pub ids: &'a Ids,
    /// The time, for them.
    pub now: String,
}

impl Giver<'_> {
    /// Plans what an object that is written needs and what it no longer does, and writes
    /// it into the object. Kinds that need nothing get an empty plan.
    pub fn plan(&self, kind: &KindDescriptor, old: Option<&Tree>, new: &mut Tree) -> Result<Plan, Status> {
        if !is_service(kind) {
            return Ok(Plan::default());
        }
        let mut plan = Plan::default();
        let name = meta_text(new, "name").to_owned();
        let invalid = |causes| Status::invalid(&kind.gvk.group, &kind.gvk.kind, &name, causes);
        families::complete(new).map_err(invalid)?;
        addresses::plan(self, old, new, &mut plan).map_err(|refusal| refusal.into_status(invalid))?;
        ports::plan(self, old, new, &mut plan).map_err(|refusal| refusal.into_status(invalid))?;
        Ok(plan)
    }

    /// Plans what is released when an object goes.
    pub fn release(&self, kind: &KindDescriptor, old: &Tree) -> Plan {
        let mut plan = Plan::default();
        if is_service(kind) {
            addresses::release(self, old, &[], &mut plan);
            ports::release(self, old, &[], &mut plan);
        }
        plan
    }
}

/// Whether objects of a kind are given anything at all.
pub(crate) fn is_given_to(kind: &KindDescriptor) -> bool {
    is_service(kind)
}

fn is_service(kind: &KindDescriptor) -> bool {
    kind.gvk.group.is_empty() && &*kind.plural == "services"
}
