//! Joins the three controllers to the reconcile runtime: which objects each is
//! for, and whose changes concern it. It decides nothing.

use std::sync::Arc;

use api::Gvr;
use base::Tasks;
use client::{Cache, Change, Object, ObjectKey, Target};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;

use crate::platform::{Failure, Platform};
use crate::{custom_package, git_repository, kinds, localbuild};

/// Packages are few, but one may wait for a slow server: others go on meanwhile.
const WORKERS: usize = 4;

/// Starts the three controllers.
pub fn start(platform: &Platform, tasks: &Tasks) -> Vec<Handle> {
    let follow = |gvr: &Gvr| Cache::start(platform.objects.clone(), Target::everywhere(gvr), tasks);
    let localbuilds = follow(&kinds::localbuilds());
    let packages = follow(&kinds::custom_packages());
    let repositories = follow(&kinds::git_repositories());
    let run = |kind, cache: &Cache| {
        let worker = Worker { kind, platform: platform.clone(), cache: cache.clone() };
        let name = match kind {
            Kind::Localbuild => "localbuild",
            Kind::CustomPackage => "custompackage",
            Kind::GitRepository => "gitrepository",
        };
        Controller::new(name, Arc::new(worker)).owns(cache).workers(WORKERS)
    };
    vec![
        run(Kind::Localbuild, &localbuilds).start(tasks),
        run(Kind::CustomPackage, &packages).watches(&repositories, package_of).start(tasks),
        run(Kind::GitRepository, &repositories).start(tasks),
    ]
}

/// The CustomPackage that a GitRepository belongs to.
fn package_of(change: &Change) -> Vec<ObjectKey> {
    let repository = change.object();
    let owner = repository.meta.controller().filter(|owner| owner.kind == "CustomPackage");
    owner
        .map(|owner| ObjectKey::new(&repository.cluster, &repository.meta.namespace, &owner.name))
        .into_iter()
        .collect()
}

#[derive(Clone, Copy)]
enum Kind {
    Localbuild,
    CustomPackage,
    GitRepository,
}

struct Worker {
    kind: Kind,
    platform: Platform,
    cache: Cache,
}

impl Worker {
    async fn dispatch(&self, object: &Object) -> Result<(), Failure> {
        match self.kind {
            Kind::Localbuild => localbuild::reconcile(&self.platform, object).await,
            Kind::CustomPackage => custom_package::reconcile(&self.platform, object).await,
            Kind::GitRepository => git_repository::reconcile(&self.platform, object).await,
        }
    }
}

impl Reconciler for Worker {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if let Some(object) = self.cache.get(key) {
                self.dispatch(&object).await?;
            }
            Ok(Next::Done)
        })
    }
}
