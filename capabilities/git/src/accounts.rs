//! The controller of accounts and tokens: what Secrets in the git server's
//! namespace say is who may use it, from the moment they say so. It writes nothing.

use std::sync::Arc;

use api::ClusterName;
use base::Tasks;
use client::{Cache, ObjectKey, Objects, Target};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;

use crate::kinds::{self, NAMESPACE};
use crate::users::{Users, record};

struct Accounts {
    users: Arc<Users>,
    cache: Cache,
}

/// Starts the controller.
pub fn start(users: &Arc<Users>, objects: &Arc<dyn Objects>, tasks: &Tasks) -> Handle {
    let target = Target::namespaced(&ClusterName::root(), &kinds::secrets(), NAMESPACE);
    let cache = Cache::start(objects.clone(), target, tasks);
    let reconciler = Accounts { users: users.clone(), cache: cache.clone() };
    Controller::new("git accounts", Arc::new(reconciler)).owns(&cache).start(tasks)
}

impl Reconciler for Accounts {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            self.users.observe(&key.name, self.cache.get(key).as_ref().and_then(record::read));
            Ok(Next::Done)
        })
    }
}
