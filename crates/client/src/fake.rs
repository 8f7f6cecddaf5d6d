//! A small API server in memory, for unit tests of controllers: create, read,
//! update, patch, delete and watch with revisions, finalizers and faults on
//! demand. It checks no schema and no permission, and must never be used
//! outside tests.

mod kinds;
mod rules;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvk, Gvr, KindDescriptor, Status};
use base::Clock;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::objects::Events;
use crate::{
    DeleteOptions, List, ListOptions, Object, ObjectKey, Objects, Patch, Result, Target, WatchOptions, WriteOptions,
};
use state::State;
use store::View;

pub use kinds::descriptor;

/// How long [`FakeObjects::until`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// What an apply makes of an object: its kind, the object if there is one, what is applied, and
/// how.
pub type Applier = dyn Fn(&KindDescriptor, Option<Value>, Value, &WriteOptions) -> Result<Value> + Send + Sync;

/// A verb of [`Objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
}

/// One call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub verb: Verb,
    /// Plural of the kind.
    pub resource: String,
    /// Name of the object; empty for list, watch and create.
    pub name: String,
    /// Subresource; empty for none.
    pub subresource: String,
}

/// Objects in memory. Cheap to clone.
#[derive(Clone)]
pub struct FakeObjects(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    activity: watch::Sender<u64>,
}

impl Default for FakeObjects {
    fn default() -> Self {
        FakeObjects::with_clock(Clock::manual(jiff_epoch()))
    }
}

/// 2026-01-01T00:00:00Z.
fn jiff_epoch() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_225_600).expect("the second is in range")
}

impl FakeObjects {
    /// An empty server whose clock stands at the start of 2026.
    pub fn new() -> Self {
        FakeObjects::default()
    }

    /// An empty server with a clock of the caller's.
    pub fn with_clock(clock: Clock) -> Self {
        FakeObjects(Arc::new(Inner { clock, state: Mutex::default(), activity: watch::Sender::new(0) }))
    }

    /// The server as controllers take it.
    pub fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.clone())
    }

    /// The server's clock.
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// Takes the rules of server-side apply from the caller; until then an apply is a merge
    /// patch.
    pub fn apply_with(&self, applier: Arc<Applier>) {
        self.0.state.lock().applier = Some(applier);
    }

    /// Sets what a GET of a path answers, in every cluster. Faults and calls of it bear the path in
    /// place of a plural.
    pub fn answer_raw(&self, path: &str, answer: &Value) {
        self.0.state.lock().raw.insert(path.to_owned(), answer.to_string().into());
    }

    /// Serves one more kind in every cluster.
    pub fn serve(&self, kind: KindDescriptor) {
        self.0.state.lock().kinds.serve(None, kind);
    }

    /// Creates an object of the root cluster, its kind and namespace as its JSON says.
    ///
    /// # Panics
    /// If the server would refuse it.
    pub fn put(&self, json: &Value) -> Object {
        self.put_in(&ClusterName::root(), json)
    }

    /// As [`FakeObjects::put`], in a cluster. `metadata.uid` is kept if given.
    ///
    /// # Panics
    /// If the server would refuse it.
    pub fn put_in(&self, cluster: &ClusterName, json: &Value) -> Object {
        let text = |field: &str| json[field].as_str().unwrap_or_default();
        let gvk = Gvk::from_api_version(text("apiVersion"), text("kind"));
        let mut state = self.0.state.lock();
        let kind = state.kinds.by_gvk(cluster, &gvk).cloned().unwrap_or_else(|| panic!("the fake serves no {gvk}"));
        let target = Target::cluster(cluster, &kind.gvr());
        let object = state.create(&target, json.clone(), false, &self.0.clock).expect("the fake accepts the object");
        drop(state);
        self.touch();
        object
    }

    /// Every object of a resource (its plural), in the order of its keys.
    pub fn all(&self, plural: &str) -> Vec<Object> {
        let state = self.0.state.lock();
        let wanted = state.store.objects.iter().filter(|(((_, held), _), _)| held == plural);
        wanted.map(|(_, object)| object.clone()).collect()
    }

    /// An object of the root cluster as JSON; namespace empty for cluster-scoped kinds.
    pub fn find(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = ObjectKey::new(&ClusterName::root(), namespace, name);
        let object = self.all(plural).into_iter().find(|object| ObjectKey::of(object) == key)?;
        object.value().ok()
    }

    /// Makes the next call of `verb` on a resource (its plural) fail. Faults queue up.
    pub fn fail_next(&self, verb: Verb, plural: &str, status: Status) {
        self.0.state.lock().faults.push((verb, plural.to_owned(), status));
    }

    /// Ends every watch, as servers do now and then.
    pub fn end_watches(&self) {
        self.0.state.lock().store.end_watches(false);
    }

    /// Ends every watch and forgets the history, so that watchers must list again.
    pub fn expire_watches(&self) {
        self.0.state.lock().store.end_watches(true);
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.0.state.lock().calls.clone()
    }

    /// How many calls of `verb` on a resource (its plural) there were, refused ones included.
    pub fn count(&self, verb: Verb, plural: &str) -> usize {
        let of_kind = |call: &&Call| call.verb == verb && call.resource == plural;
        self.0.state.lock().calls.iter().filter(of_kind).count()
    }

    /// Waits until `condition` holds; looks again after every call and change.
    ///
    /// # Panics
    /// If it does not come to hold within twenty seconds.
    pub async fn until(&self, what: &str, condition: impl Fn(&FakeObjects) -> bool) {
        let mut activity = self.0.activity.subscribe();
        let wait = async {
            while !condition(self) {
                // The sender lives in `self`.
                let _ = activity.changed().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, wait).await;
        assert!(in_time.is_ok(), "waited in vain: {what}; calls: {:#?}", self.calls());
    }

    fn touch(&self) {
        self.0.activity.send_modify(|count| *count += 1);
    }

    /// Records a call, answers a fault if one waits, else does it.
    fn call<T>(
        &self,
        verb: Verb,
        target: &Target,
        name: &str,
        subresource: Option<&str>,
        act: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let answer = {
            let mut state = self.0.state.lock();
            let plural = target.gvr.resource.to_string();
            let subresource = subresource.unwrap_or_default().to_owned();
            state.calls.push(Call { verb, resource: plural.clone(), name: name.to_owned(), subresource });
            let fault = state.faults.iter().position(|(held, resource, _)| *held == verb && *resource == plural);
            match fault {
                Some(index) => Err(state.faults.remove(index).2),
                None => act(&mut state),
            }
        };
        self.touch();
        answer
    }
}

impl Objects for FakeObjects {
    fn get<'a>(&'a self, target: &'a Target, name: &'a str) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move { self.call(Verb::Get, target, name, None, |state| state.read(target, name)) })
    }

    fn list<'a>(&'a self, target: &'a Target, options: ListOptions) -> BoxFuture<'a, Result<List>> {
        Box::pin(async move {
            self.call(Verb::List, target, "", None, |state| {
                state.kind(target)?;
                let view =
                    View { target: target.clone(), labels: options.label_selector, fields: options.field_selector };
                let resource_version = state.store.revision.to_string();
                Ok(List { items: state.store.list(&view), resource_version, ..List::default() })
            })
        })
    }

    fn watch<'a>(&'a self, target: &'a Target, options: WatchOptions) -> BoxFuture<'a, Result<Events>> {
        Box::pin(async move {
            self.call(Verb::Watch, target, "", None, |state| {
                state.kind(target)?;
                let view =
                    View { target: target.clone(), labels: options.label_selector, fields: options.field_selector };
                let receiver = state.store.watch(view, &options.resource_version, options.send_initial_events)?;
                let next = |mut receiver: tokio::sync::mpsc::UnboundedReceiver<_>| async move {
                    receiver.recv().await.map(|event| (event, receiver))
                };
                Ok(futures::stream::unfold(receiver, next).boxed())
            })
        })
    }

    fn create<'a>(&'a self, target: &'a Target, body: Bytes, options: WriteOptions) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let clock = self.clock();
            self.call(Verb::Create, target, "", None, |state| {
                state.create(target, rules::parse(&body)?, options.dry_run, &clock)
            })
        })
    }

    fn create_subresource<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: &'a str,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let now = self.0.clock.now_rfc3339();
            self.call(Verb::Create, target, name, Some(subresource), |state| {
                state.act(target, name, subresource, &rules::parse(&body)?, options.dry_run, &now)
            })?;
            Ok(Bytes::from_static(
                br#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}"#,
            ))
        })
    }

    fn update<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            self.call(Verb::Update, target, name, subresource, |state| {
                state.update(target, name, subresource, &rules::parse(&body)?, options.dry_run)
            })
        })
    }

    fn patch<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        patch: Patch,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let clock = self.clock();
            self.call(Verb::Patch, target, name, subresource, |state| match (state.read(target, name), &patch) {
                (Err(status), Patch::Apply(body)) if status.is_not_found() && subresource.is_none() => {
                    let mut body = state.applied(target, None, rules::parse(body)?, &options)?;
                    body["metadata"]["name"] = name.into();
                    state.create(target, body, options.dry_run, &clock)
                }
                (old, Patch::Apply(body)) => {
                    let new = state.applied(target, Some(old?.value()?), rules::parse(body)?, &options)?;
                    state.update(target, name, subresource, &new, options.dry_run)
                }
                (old, patch) => {
                    let new = rules::patched(old?.value()?, patch)?;
                    state.update(target, name, subresource, &new, options.dry_run)
                }
            })
        })
    }

    fn delete<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(async move {
            let now = self.0.clock.now_rfc3339();
            self.call(Verb::Delete, target, name, None, |state| state.delete(target, name, &options, &now))
        })
    }

    fn get_raw<'a>(&'a self, cluster: &'a ClusterName, path: &'a str) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let target = Target::cluster(cluster, &Gvr::new("", "", path));
            self.call(Verb::Get, &target, "", None, |state| {
                state.raw.get(path).cloned().ok_or_else(Status::no_such_resource)
            })
        })
    }

    fn kind<'a>(&'a self, cluster: &'a ClusterName, gvk: &'a Gvk) -> BoxFuture<'a, Result<Option<KindDescriptor>>> {
        Box::pin(async move { Ok(self.0.state.lock().kinds.by_gvk(cluster, gvk).cloned()) })
    }

    fn kinds<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Vec<KindDescriptor>>> {
        Box::pin(async move {
            let state = self.0.state.lock();
            let mut kinds: Vec<KindDescriptor> = Vec::new();
            // The first version that was served of each kind is the preferred one.
            for kind in state.kinds.all(Some(cluster)) {
                if !kinds.iter().any(|held| held.gvk.group == kind.gvk.group && held.plural == kind.plural) {
                    kinds.push(kind.clone());
                }
            }
            Ok(kinds)
        })
    }
}

/// The resource of a built-in kind, for tests: `gvr("apps/v1", "deployments")`.
pub fn gvr(api_version: &str, plural: &str) -> Gvr {
    let (group, version) = api::name::split_api_version(api_version);
    Gvr::new(group, version, plural)
}
