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
        let (name, gvr) = match kind {
            Kind::Localbuild => ("localbuild", kinds::localbuilds()),
            Kind::CustomPackage => ("custompackage", kinds::custom_packages()),
            Kind::GitRepository => ("gitrepository", kinds::git_repositories()),
        };
        let worker = Worker { kind, platform: platform.clone(), gvr };
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
    gvr: Gvr,
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
            // The cache may lag behind our own last write; a status compared with an older one
            // would then not be written. So what is worked on is read anew.
            let target = kinds::target(&key.cluster, &self.gvr, &key.namespace);
            match self.platform.objects.get(&target, &key.name).await {
                Ok(object) => self.dispatch(&object).await?,
                Err(status) if status.is_not_found() => {}
                Err(status) => return Err(status.into()),
            }
            Ok(Next::Done)
        })
    }
}
