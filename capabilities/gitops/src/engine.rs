//! What every part of the Application controller works with, and what it remembers
//! between reconciles. It must never decide anything.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use api::ClusterName;
use base::Clock;
use client::{Cache, Object, ObjectKey, Propagation};
use contracts::git::RepositoryId;
use controller::Recorder;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use crate::apply::Apply;
use crate::observe::Observer;
use crate::settings::Settings;
use crate::sync::Hands;

/// Everything the controller works with.
pub struct Engine {
    /// Reads.
    pub observer: Observer,
    /// Writes objects.
    pub applier: Arc<dyn Apply>,
    /// Applications of every cluster.
    pub apps: Cache,
    /// Records events.
    pub recorder: Recorder,
    /// The time.
    pub clock: Clock,
    /// Settings.
    pub settings: Settings,
    /// Applications to look at again.
    pub wake: UnboundedSender<ObjectKey>,
    /// What is remembered between reconciles.
    pub memory: Mutex<Memory>,
}

/// What is remembered between reconciles; all of it can be found again.
#[derive(Default)]
pub struct Memory {
    /// Applications as they were just written, until the cache has caught up.
    pub written: HashMap<ObjectKey, Object>,
    /// Applications by the embedded repositories of their sources.
    pub repositories: HashMap<RepositoryId, HashSet<ObjectKey>>,
}

impl Engine {
    /// The means by which objects in a cluster are let go and deleted.
    pub fn hands<'a>(&'a self, cluster: &'a ClusterName, propagation: Propagation) -> Hands<'a> {
        Hands {
            cluster,
            rules: self.observer.rules,
            propagation,
            applier: &*self.applier,
            live: &self.observer.live,
            objects: &self.observer.objects,
        }
    }

    /// Calls for an Application.
    pub fn wake(&self, key: &ObjectKey) {
        // The receiver ends with the controller, and then nobody is to be called.
        let _ = self.wake.send(key.clone());
    }
}
