//! Brings claims and persistent volumes together: finds the volume that suits a
//! claim, has both name each other, and says what became of either. Making and
//! deleting volumes is a provisioner's work, never done here.

mod claims;
mod decide;
mod matching;
mod persistent;
mod phase;
mod shape;
#[cfg(test)]
mod tests;

use crate::world::World;

pub(crate) use shape::{PROVISIONED_BY, PROVISIONER, claim_ref};

pub(crate) fn start(world: &World) {
    claims::start(world);
    persistent::start(world);
}
