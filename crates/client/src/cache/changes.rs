//! The stream of what changed in a cache, for one subscriber. It holds no
//! objects itself: each change is read from the cache when it is pulled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::Shared;
use super::key::ObjectKey;
use crate::Object;

/// A change of one key since the subscriber last heard of it. At least one side is there;
/// both have the same uid.
#[derive(Clone, Debug)]
pub struct Change {
    /// The object as it was; `None` if it is new.
    pub old: Option<Object>,
    /// The object as it is; `None` if it is gone.
    pub new: Option<Object>,
}

impl Change {
    /// The object as it is, or as it was last.
    pub fn object(&self) -> &Object {
        self.new.as_ref().or(self.old.as_ref()).expect("a change has at least one side")
    }

    /// Which object changed.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::of(self.object())
    }
}

/// The changes of a cache; never ends while it is held.
pub struct Changes {
    shared: Arc<Shared>,
    id: u64,
}

impl Changes {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let id = shared.state.lock().subscribe();
        Changes { shared, id }
    }
}

impl Stream for Changes {
    type Item = Change;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        match self.shared.state.lock().pull(self.id, context.waker()) {
            Some(change) => Poll::Ready(Some(change)),
            None => Poll::Pending,
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.shared.state.lock().unsubscribe(self.id);
    }
}
