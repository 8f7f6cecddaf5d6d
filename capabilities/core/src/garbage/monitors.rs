//! Which resources the garbage collector follows: every kind that any cluster
//! serves, as definitions come and go. It keeps no objects: the graph takes what
//! it needs from each as it passes by.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use api::kind::Verbs;
use api::{ClusterName, Gvr, KindDescriptor};
use base::Tasks;
use client::cache::{Reflector, Sink};
use client::{Object, ObjectKey, Objects, Target};
use controller::{Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::graph::{self, Graph};

/// Starts and stops watches; reconciled once per cluster whose kinds may have changed.
pub(super) struct Monitors {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) tasks: Tasks,
    pub(super) graph: Arc<Mutex<Graph>>,
    pub(super) collector: Handle,
    pub(super) progress: Arc<Progress>,
    pub(super) running: Mutex<Running>,
}

/// What is followed, and for whom.
#[derive(Default)]
pub(super) struct Running {
    wanted: BTreeMap<ClusterName, BTreeSet<Gvr>>,
    monitors: BTreeMap<Gvr, (Tasks, Arc<Monitor>)>,
}

/// How many resources have been listed of those that are followed.
pub(super) struct Progress(watch::Sender<(usize, usize)>);

impl Default for Progress {
    fn default() -> Self {
        Progress(watch::Sender::new((0, 0)))
    }
}

impl Progress {
    fn change(&self, followed: isize, listed: isize) {
        self.0.send_modify(|(held_followed, held_listed)| {
            *held_followed = held_followed.saturating_add_signed(followed);
            *held_listed = held_listed.saturating_add_signed(listed);
        });
    }

    /// Waits until every resource that is followed has been listed.
    pub(super) async fn complete(&self) {
        let mut progress = self.0.subscribe();
        // The sender lives in `self`.
        let _ = progress.wait_for(|(followed, listed)| *followed > 0 && followed == listed).await;
    }
}

impl Reconciler for Monitors {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let kinds = match self.objects.kinds(&key.cluster).await {
                // The cluster itself is gone.
                Err(status) if status.is_not_found() => Vec::new(),
                kinds => kinds?,
            };
            self.follow(&key.cluster, &kinds);
            let waiting = self.graph.lock().take_unresolved(&key.cluster);
            waiting.into_iter().for_each(|id| self.collector.enqueue(id));
            Ok(Next::Done)
        })
    }
}

/// The resources to follow for these kinds: each stored resource once. Events own nothing and
/// are owned by nothing, and there are many of them.
pub(super) fn followed(kinds: &[KindDescriptor]) -> BTreeMap<Gvr, Arc<str>> {
    let mut stored = HashSet::new();
    let once = |kind: &&KindDescriptor| stored.insert((kind.storage_group.clone(), kind.plural.clone()));
    let can_be_owned = |kind: &&KindDescriptor| kind.verbs == Verbs::All && &*kind.plural != "events";
    let kinds = kinds.iter().filter(can_be_owned).filter(once);
    kinds.map(|kind| (kind.gvr(), kind.gvk.kind.clone())).collect()
}

impl Monitors {
    fn follow(&self, cluster: &ClusterName, kinds: &[KindDescriptor]) {
        let followed = followed(kinds);
        let mut running = self.running.lock();
        running.wanted.insert(cluster.clone(), followed.keys().cloned().collect());
        for (gvr, kind) in &followed {
            if !running.monitors.contains_key(gvr) {
                running.monitors.insert(gvr.clone(), self.start(gvr, kind));
            }
        }
        let Running { wanted, monitors } = &mut *running;
        monitors.retain(|gvr, (tasks, monitor)| {
            let is_wanted = wanted.values().any(|resources| resources.contains(gvr));
            if !is_wanted {
                tasks.shutdown().cancel();
                monitor.end();
            }
            is_wanted
        });
    }

    fn start(&self, gvr: &Gvr, kind: &Arc<str>) -> (Tasks, Arc<Monitor>) {
        let tasks = self.tasks.child();
        let monitor = Arc::new(Monitor {
            gvr: Arc::new(gvr.clone()),
            kind: kind.clone(),
            graph: self.graph.clone(),
            collector: self.collector.clone(),
            progress: self.progress.clone(),
            listed: Mutex::new(false),
        });
        self.progress.change(1, 0);
        let reflector = Reflector {
            objects: self.objects.clone(),
            target: Target::everywhere(gvr),
            label_selector: String::new(),
            field_selector: String::new(),
            sink: monitor.clone(),
        };
        tasks.spawn(format!("garbage {gvr}"), reflector.run());
        (tasks, monitor)
    }
}

/// Feeds one resource into the graph.
struct Monitor {
    gvr: Arc<Gvr>,
    kind: Arc<str>,
    graph: Arc<Mutex<Graph>>,
    collector: Handle,
    progress: Arc<Progress>,
    listed: Mutex<bool>,
}

impl Monitor {
    fn enqueue(&self, work: Vec<ObjectKey>) {
        work.into_iter().for_each(|id| self.collector.enqueue(id));
    }

    /// The kind is no longer served, so its objects are gone: whoever they owned must be looked at.
    fn end(&self) {
        self.progress.change(-1, -isize::from(*self.listed.lock()));
        let work = self.graph.lock().relisted(&self.gvr, &self.kind, &HashSet::new());
        self.enqueue(work);
    }
}

impl Sink for Monitor {
    fn upsert(&self, object: Object) {
        let work = self.graph.lock().observe(&self.gvr, &object);
        self.enqueue(work);
    }

    fn delete(&self, object: Object) {
        let work = self.graph.lock().remove(&graph::id(&object.cluster, &object.meta.uid));
        self.enqueue(work);
    }

    fn listed(&self, seen: &HashSet<ObjectKey>, _revision: u64) {
        let before = std::mem::replace(&mut *self.listed.lock(), true);
        if before {
            let work = self.graph.lock().relisted(&self.gvr, &self.kind, seen);
            self.enqueue(work);
        } else {
            self.progress.change(0, 1);
        }
    }
}
