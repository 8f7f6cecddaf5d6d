//! Everything that the handlers of one git server share, and the rules of who may
//! do what. It serves no protocol itself.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use base::{Clock, Ids, Tasks};
use contracts::git::{Error, NewRepository, RepositoryId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::address::Address;
use crate::embedded::bare::Bare;
use crate::embedded::sources::{Embedded, blocking};
use crate::program::Program;
use crate::records::Records;
use crate::settings::Settings;
use crate::users::{Caller, Presented, Users, Wish};

/// One git server.
pub struct Forge {
    /// What was set.
    pub settings: Settings,
    /// Where it is reached.
    pub address: Address,
    /// The system's git.
    pub program: Program,
    /// Repositories, read and committed to in process.
    pub embedded: Embedded,
    /// Who may do what.
    pub users: Arc<Users>,
    /// The objects that stand for repositories.
    pub records: Records,
    /// Time.
    pub clock: Clock,
    /// Random values.
    pub ids: Ids,
    /// Where exchanges with clients run.
    pub tasks: Tasks,
    /// One permit for each clone, fetch or push.
    pub turns: Arc<Semaphore>,
}

impl Forge {
    /// Who a request comes from.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Presented {
        self.users.authenticate(headers).await
    }

    /// Whether `caller` (`None` for nobody) may do that with a repository.
    pub fn allows(&self, caller: Option<&Caller>, bare: &Bare, wish: Wish) -> bool {
        let anybody = wish == Wish::Read && !bare.is_private();
        let owns = |caller: &Caller| caller.admin || self.users.belongs_to(&caller.login, &bare.id.owner);
        anybody || caller.is_some_and(|caller| caller.scope_allows(wish) && owns(caller))
    }

    /// A turn for a clone, fetch or push; `None` if none comes free in time.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let patience = Duration::from_secs(self.settings.queue_timeout_secs);
        tokio::time::timeout(patience, self.turns.clone().acquire_owned()).await.ok()?.ok()
    }

    /// Makes a repository and its object; says whether it was made now.
    pub async fn create(&self, new: &NewRepository) -> Result<(Arc<Bare>, bool), Error> {
        let (store, wanted) = (self.embedded.store.clone(), new.clone());
        let (bare, made) = blocking(move || store.create(&wanted)).await?;
        if made {
            self.records.publish(&bare).await;
        }
        Ok((bare, made))
    }

    /// Removes a repository and its object; absent is fine. The object goes first, so that it
    /// cannot bring the repository back.
    pub async fn remove(&self, id: &RepositoryId) -> Result<(), Error> {
        let Some(bare) = self.embedded.store.get(id) else { return Ok(()) };
        if !self.embedded.store.begin_removal(id) {
            return Ok(());
        }
        if let Err(status) = self.records.retract(&bare).await {
            self.embedded.store.cancel_removal(id);
            return Err(Error::Internal(format!("the Repository object cannot be deleted: {status}")));
        }
        let (store, id) = (self.embedded.store.clone(), bare.id.clone());
        blocking(move || store.remove(&id)).await
    }
}
