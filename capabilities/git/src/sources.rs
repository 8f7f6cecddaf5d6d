//! The contracts `Sources` and `Repositories`, answered by the embedded server for
//! its own URLs and by the cache of external repositories for all others.

use std::sync::Arc;

use contracts::git::{Error, NewCommit, NewRepository, RefChange, RepositoryId, Tree};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::sync::broadcast::error::RecvError;

use crate::embedded::read;
use crate::embedded::store::{Push, Store};
use crate::external::External;
use crate::forge::Forge;

/// Implements both contracts.
pub struct Sources {
    forge: Arc<Forge>,
    external: External,
}

impl Sources {
    /// Answers from both.
    pub fn new(forge: Arc<Forge>, external: External) -> Self {
        Sources { forge, external }
    }
}

impl contracts::git::Sources for Sources {
    fn resolve<'a>(&'a self, url: &'a str, revision: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            match self.embedded(url) {
                Some(id) => self.forge.embedded.resolve(&id, url, revision).await,
                None => self.external.resolve(url, revision).await,
            }
        })
    }

    fn read_tree<'a>(&'a self, url: &'a str, commit: &'a str, path: &'a str) -> BoxFuture<'a, Result<Tree, Error>> {
        Box::pin(async move {
            match self.embedded(url) {
                Some(id) => self.forge.embedded.read_tree(&id, url, commit, path).await,
                None => self.external.read_tree(url, commit, path).await,
            }
        })
    }

    fn embedded(&self, url: &str) -> Option<RepositoryId> {
        self.forge.address.recognise(url)
    }
}

impl contracts::git::Repositories for Sources {
    fn ensure<'a>(&'a self, new: &'a NewRepository) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move { Ok(self.forge.create(new).await?.1) })
    }

    fn remove<'a>(&'a self, id: &'a RepositoryId) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.forge.remove(id))
    }

    fn tip<'a>(&'a self, id: &'a RepositoryId, branch: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>> {
        let branch = branch.to_owned();
        Box::pin(
            self.forge
                .embedded
                .with(id, move |bare| Ok(read::branch(&bare.git(), &branch)?.map(|commit| commit.to_string()))),
        )
    }

    fn commit<'a>(&'a self, id: &'a RepositoryId, commit: NewCommit) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let actor = commit.author_name.clone();
            self.forge.embedded.commit_all(id, commit, &actor).await
        })
    }

    fn clone_url(&self, id: &RepositoryId) -> String {
        self.forge.address.clone_url(id)
    }

    fn changes(&self) -> BoxStream<'static, RefChange> {
        let store = self.forge.embedded.store.clone();
        let pushes = store.pushes();
        let batches = futures::stream::unfold((pushes, store), |(mut pushes, store)| async move {
            let changes = match pushes.recv().await {
                Ok(push) => Push::clone(&push).changes,
                Err(RecvError::Lagged(_)) => everything(&store),
                Err(RecvError::Closed) => return None,
            };
            Some((futures::stream::iter(changes), (pushes, store)))
        });
        batches.flatten().boxed()
    }
}

/// Every ref as if it were new: what a receiver that fell behind hears instead of what it missed.
fn everything(store: &Store) -> Vec<RefChange> {
    let mut changes = Vec::new();
    for bare in store.all() {
        for (reference, after) in bare.announced.lock().iter() {
            changes.push(RefChange {
                repository: bare.id.clone(),
                reference: reference.clone(),
                before: String::new(),
                after: after.clone(),
            });
        }
    }
    changes
}
