//! Reports the phase of a volume, which both sides of the binder do.

use client::Object;
use controller::Error;

use super::shape;
use crate::world::World;

/// Writes the phase unless it is the volume's already; says whether it wrote.
pub(super) async fn report(world: &World, volume: &Object, phase: &str, message: &str) -> Result<bool, Error> {
    let status = shape::volume_status(&volume.value()?, phase, message, &world.clock().now_rfc3339());
    Ok(world.volumes.update_status(volume, status).await?)
}
