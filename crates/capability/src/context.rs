//! Everything a capability is given. It reaches the rest of the platform through
//! this and nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use base::{Clock, Ids, Tasks};
use client::Objects;
use contracts::Contracts;
use serde_json::Value;

use crate::{Endpoints, Health};

/// What one capability is given. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Objects of every cluster, through the whole pipeline, as this capability's own identity.
    pub objects: Arc<dyn Objects>,
    /// The time.
    pub clock: Clock,
    /// Random ids.
    pub ids: Ids,
    /// Where its tasks run; stopped with the platform.
    pub tasks: Tasks,
    /// What capabilities offer each other.
    pub contracts: Contracts,
    /// A directory of its own for bulk data, mode 0700, already there.
    pub directory: PathBuf,
    /// Addresses of the platform.
    pub endpoints: Arc<Endpoints>,
    /// Its settings from the `Platform` object; `Null` for none.
    pub settings: Arc<Value>,
    /// Its own health.
    pub health: Health,
}
