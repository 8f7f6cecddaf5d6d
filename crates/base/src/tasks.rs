//! Named, supervised tasks. A task that panics is reported by name and counted;
//! it never takes the process with it. Dropping the owner does not stop tasks:
//! [`Tasks::stop`] does, and waits for them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A group of tasks with one shutdown signal. Cheap to clone.
#[derive(Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: CancellationToken,
    failures: Arc<Mutex<Vec<Failure>>>,
    noticed: Arc<dyn Fn(&Failure) + Send + Sync>,
}

/// A task that ended by a panic.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Name of the task.
    pub task: String,
    /// What it said.
    pub message: String,
}

impl Default for Tasks {
    fn default() -> Self {
        Tasks {
            tracker: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            failures: Arc::default(),
            noticed: Arc::new(|_| {}),
        }
    }
}

impl Tasks {
    /// A group whose shutdown follows this one's, with its own.
    pub fn child(&self) -> Tasks {
        Tasks {
            tracker: self.tracker.clone(),
            shutdown: self.shutdown.child_token(),
            failures: self.failures.clone(),
            noticed: self.noticed.clone(),
        }
    }

    /// A child whose tasks' failures `noticed` hears of, those of its own children included.
    pub fn child_noticed_by(&self, noticed: impl Fn(&Failure) + Send + Sync + 'static) -> Tasks {
        Tasks { noticed: Arc::new(noticed), ..self.child() }
    }

    /// The signal that tasks of this group watch to end in order.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Runs `task` to its end or until shutdown, when it is dropped at its next await.
    #[allow(clippy::disallowed_methods)]
    pub fn spawn(&self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let shutdown = self.shutdown.clone();
        let (failures, noticed) = (self.failures.clone(), self.noticed.clone());
        let inner = tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = task => {}
            }
        });
        self.tracker.spawn(async move {
            if let Err(error) = inner.await
                && error.is_panic()
            {
                let message = panic_text(error.into_panic());
                tracing::error!(task = %name, %message, "a task panicked");
                let failure = Failure { task: name, message };
                noticed(&failure);
                failures.lock().push(failure);
            }
        });
    }

    /// Tasks of this group that panicked so far.
    pub fn failures(&self) -> Vec<Failure> {
        self.failures.lock().clone()
    }

    /// Signals shutdown and waits at most `patience` for every task to end.
    /// Returns whether all ended.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.shutdown.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

fn panic_text(payload: Box<dyn std::any::Any + Send>) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
