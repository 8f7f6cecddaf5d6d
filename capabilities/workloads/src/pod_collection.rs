//! Deletes pods that nobody else will: of nodes that are gone or out of
//! service, that never came to a node, and that ended long ago where very many
//! have. Before, it says that they failed, so that their owners know.

mod end;
mod ended;
mod nodes;
mod unbound;

use crate::world::World;

/// Begins to collect; `most_ended` pods that have ended are kept, all if it is none.
pub(crate) fn start(world: &World, most_ended: u32) {
    unbound::start(world);
    nodes::start(world);
    ended::start(world, most_ended);
}
