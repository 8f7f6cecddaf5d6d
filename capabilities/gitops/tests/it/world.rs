//! A platform in memory: objects, git, and the controller.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use api::{Gvk, KindDescriptor};
use base::{Ids, Tasks};
use bytes::Bytes;
use capability::{Context, Endpoints, Health};
use client::fake::{FakeObjects, Verb, descriptor};
use client::{DeleteOptions, Patch, Target, WriteOptions};
use contracts::Contracts;
use contracts::git::{
    Error, File, Mode, NewCommit, NewRepository, RefChange, Repositories, RepositoryId, Sources, Tree,
};
use controller::Handle;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A git server: every push makes a commit `<repository>-<number>` that `HEAD` names.
#[derive(Default)]
pub struct Git {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    commits: HashMap<String, Vec<BTreeMap<String, String>>>,
    listeners: Vec<mpsc::UnboundedSender<RefChange>>,
    unreachable: bool,
}

const BASE: &str = "https://git.example/";

impl Git {
    /// Pushes files to a repository of the embedded server; returns the commit.
    pub fn push(&self, name: &str, files: &[(&str, &str)]) -> String {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let mut state = self.state.lock();
        let commits = state.commits.entry(name.to_owned()).or_default();
        commits.push(files);
        let after = format!("{name}-{}", commits.len() - 1);
        let repository = RepositoryId { owner: "o".into(), name: name.into() };
        let change =
            RefChange { repository, reference: "refs/heads/main".into(), before: String::new(), after: after.clone() };
        state.listeners.retain(|listener| listener.send(change.clone()).is_ok());
        after
    }

    /// Whether the server answers.
    pub fn set_reachable(&self, reachable: bool) {
        self.state.lock().unreachable = !reachable;
    }

    fn check(&self, url: &str) -> Result<(), Error> {
        if self.state.lock().unreachable {
            return Err(Error::Unreachable { url: url.into(), why: "connection refused".into() });
        }
        Ok(())
    }
}

impl Sources for Git {
    fn resolve<'a>(&'a self, url: &'a str, revision: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            self.check(url)?;
            let name = url.strip_prefix(BASE).ok_or_else(|| Error::NoRepository(url.into()))?;
            let count = self.state.lock().commits.get(name).map_or(0, Vec::len);
            match revision {
                "HEAD" if count > 0 => Ok(format!("{name}-{}", count - 1)),
                revision if revision.starts_with(name) => Ok(revision.into()),
                _ => Err(Error::NoRevision { url: url.into(), revision: revision.into() }),
            }
        })
    }

    fn read_tree<'a>(&'a self, url: &'a str, commit: &'a str, path: &'a str) -> BoxFuture<'a, Result<Tree, Error>> {
        Box::pin(async move {
            self.check(url)?;
            let (name, number) = commit.rsplit_once('-').expect("a commit of this server");
            let number: usize = number.parse().expect("a commit of this server");
            let files = self.state.lock().commits[name][number].clone();
            let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
            let file = |text: String| File { mode: Mode::File, content: Bytes::from(text) };
            let files: BTreeMap<String, File> = files
                .into_iter()
                .filter_map(|(path, text)| Some((path.strip_prefix(&prefix)?.to_owned(), file(text))))
                .collect();
            if files.is_empty() && !path.is_empty() {
                return Err(Error::NoPath { url: url.into(), commit: commit.into(), path: path.into() });
            }
            Ok(Tree { id: format!("{commit}:{path}"), files })
        })
    }

    fn embedded(&self, url: &str) -> Option<RepositoryId> {
        url.strip_prefix(BASE).map(|name| RepositoryId { owner: "o".into(), name: name.into() })
    }
}

impl Repositories for Git {
    fn ensure<'a>(&'a self, _new: &'a NewRepository) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async { Ok(false) })
    }

    fn remove<'a>(&'a self, _id: &'a RepositoryId) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn tip<'a>(&'a self, _id: &'a RepositoryId, _branch: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async { Ok(None) })
    }

    fn commit<'a>(&'a self, id: &'a RepositoryId, _commit: NewCommit) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async { Err(Error::NoRepository(id.name.clone())) })
    }

    fn clone_url(&self, id: &RepositoryId) -> String {
        format!("{BASE}{}", id.name)
    }

    fn changes(&self) -> BoxStream<'static, RefChange> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.state.lock().listeners.push(sender);
        futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|change| (change, receiver))
        })
        .boxed()
    }
}

/// The platform.
pub struct World {
    pub fake: FakeObjects,
    pub git: Arc<Git>,
    pub controller: Handle,
    pub tasks: Tasks,
}

impl World {
    /// A platform whose controller runs.
    pub async fn start() -> World {
        World::start_with(FakeObjects::new(), Arc::new(Git::default())).await
    }

    /// A platform over objects and git that are there already.
    pub async fn start_with(fake: FakeObjects, git: Arc<Git>) -> World {
        fake.apply_with(Arc::new(crate::applier::apply));
        for (kind, plural) in [("Application", "applications"), ("AppProject", "appprojects")] {
            fake.serve(kind_without_status(kind, plural));
        }
        let contracts = Contracts::default();
        contracts.offer::<dyn Sources>(git.clone());
        contracts.offer::<dyn Repositories>(git.clone());
        let tasks = Tasks::default();
        let endpoints = Endpoints {
            name: "test".into(),
            protocol: "https".into(),
            host: "localhost".into(),
            port: 8443,
            path_routing: true,
            api_url: "https://127.0.0.1:6443".into(),
            ca_pem: String::new(),
        };
        let ctx = Context {
            objects: fake.objects(),
            clock: fake.clock(),
            ids: Ids::system(),
            tasks: tasks.clone(),
            contracts,
            directory: std::path::PathBuf::new(),
            endpoints: Arc::new(endpoints),
            settings: Arc::new(Value::Null),
            health: Health::unheard(),
        };
        let controller = gitops::start(&ctx).await.expect("the capability starts");
        World { fake, git, controller, tasks }
    }

    /// Stops the controller and starts another on the same objects.
    pub async fn restart(self) -> World {
        assert!(self.tasks.stop(Duration::from_secs(10)).await, "the tasks stop");
        World::start_with(self.fake, self.git).await
    }

    /// An Application's JSON.
    pub fn app(&self, name: &str) -> Value {
        self.fake.find("applications", "argocd", name).unwrap_or_else(|| panic!("there is an Application {name}"))
    }

    /// Waits until an Application is as `condition` says.
    pub async fn until(&self, name: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let holds = |fake: &FakeObjects| fake.find("applications", "argocd", name).is_some_and(|app| condition(&app));
        self.fake.until(&format!("{name}: {what}"), holds).await;
        self.app(name)
    }

    /// Waits until an Application is synced and healthy at a revision.
    pub async fn synced(&self, name: &str, revision: &str) -> Value {
        let holds =
            |app: &Value| app["status"]["sync"]["status"] == "Synced" && app["status"]["sync"]["revision"] == revision;
        let app = self.until(name, &format!("synced at {revision}"), holds).await;
        self.controller.idle().await;
        app
    }

    /// Status writes of Applications so far.
    pub fn writes(&self) -> usize {
        self.fake.count(Verb::Patch, "applications")
    }

    /// A merge patch as a user sends it.
    pub async fn patch(&self, plural: &str, namespace: &str, name: &str, patch: Value) {
        let api_version = match plural {
            "applications" | "appprojects" => "argoproj.io/v1alpha1",
            "deployments" => "apps/v1",
            _ => "v1",
        };
        let target = Target::namespaced(&api::ClusterName::root(), &client::fake::gvr(api_version, plural), namespace);
        let body = Patch::Merge(patch.to_string().into());
        let subresource = patch.get("status").filter(|_| plural == "deployments").map(|_| "status");
        let patched = self.fake.objects().patch(&target, name, subresource, body, WriteOptions::default()).await;
        patched.expect("the patch is accepted");
    }

    /// A delete as a user sends it.
    pub async fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let api_version = if plural == "applications" { "argoproj.io/v1alpha1" } else { "v1" };
        let target = Target::namespaced(&api::ClusterName::root(), &client::fake::gvr(api_version, plural), namespace);
        self.fake.objects().delete(&target, name, DeleteOptions::default()).await.expect("the delete is accepted");
    }

    /// Where CustomResourceDefinitions are.
    pub fn definitions(&self) -> Target {
        let gvr = client::fake::gvr("apiextensions.k8s.io/v1", "customresourcedefinitions");
        Target::cluster(&api::ClusterName::root(), &gvr)
    }

    /// A merge patch of any object.
    pub async fn patch_at(&self, target: &Target, name: &str, patch: Value) {
        let body = Patch::Merge(patch.to_string().into());
        let patched = self.fake.objects().patch(target, name, None, body, WriteOptions::default()).await;
        patched.expect("the patch is accepted");
    }

    /// A delete of an object without a namespace.
    pub async fn delete_cluster(&self, plural: &str, name: &str) {
        let target = Target::cluster(&api::ClusterName::root(), &client::fake::gvr("v1", plural));
        self.fake.objects().delete(&target, name, DeleteOptions::default()).await.expect("the delete is accepted");
    }

    /// What the namespace controller does when a namespace is empty.
    pub async fn finalize(&self, name: &str) {
        let target = Target::cluster(&api::ClusterName::root(), &client::fake::gvr("v1", "namespaces"));
        let objects = self.fake.objects();
        let mut namespace = objects.get(&target, name).await.expect("it is there").value().expect("an object");
        namespace["spec"]["finalizers"] = json!([]);
        let body = namespace.to_string().into();
        objects.update(&target, name, Some("finalize"), body, WriteOptions::default()).await.expect("it goes");
    }

    /// Ends a Job as the job controller does, `Complete` or `Failed`.
    pub async fn end_job(&self, name: &str, condition: &str) {
        let target = Target::namespaced(&api::ClusterName::root(), &client::fake::gvr("batch/v1", "jobs"), "web");
        let message = format!("{name} is {condition}");
        let status = json!({"status": {"conditions": [{"type": condition, "status": "True", "message": message}]}});
        let body = Patch::Merge(status.to_string().into());
        let ended = self.fake.objects().patch(&target, name, Some("status"), body, WriteOptions::default()).await;
        ended.expect("the job is there");
    }

    /// Waits until there is a Job, and no deletion of it under way.
    pub async fn job(&self, name: &str) -> Value {
        let is_there = |fake: &FakeObjects| {
            fake.find("jobs", "web", name).is_some_and(|job| job["metadata"].get("deletionTimestamp").is_none())
        };
        self.fake.until(&format!("the job {name}"), is_there).await;
        self.fake.find("jobs", "web", name).expect("it was there")
    }

    /// Whether there is a Job.
    pub fn has_job(&self, name: &str) -> bool {
        self.fake.find("jobs", "web", name).is_some()
    }

    /// Deletes a Job as a user does.
    pub async fn delete_job(&self, name: &str) {
        let target = Target::namespaced(&api::ClusterName::root(), &client::fake::gvr("batch/v1", "jobs"), "web");
        self.fake.objects().delete(&target, name, DeleteOptions::default()).await.expect("the delete is accepted");
    }

    /// Waits until an Application's operation says this.
    pub async fn told(&self, name: &str, message: &str) -> Value {
        let says = |app: &Value| app["status"]["operationState"]["message"] == message;
        self.until(name, &format!("says {message:?}"), says).await
    }

    /// A ConfigMap's data.
    pub fn data(&self, namespace: &str, name: &str) -> Option<Value> {
        self.fake.find("configmaps", namespace, name).map(|map| map["data"].clone())
    }
}

fn kind_without_status(kind: &str, plural: &str) -> KindDescriptor {
    descriptor(&Gvk::new("argoproj.io", "v1alpha1", kind), plural, true, false)
}

/// An Application of a repository of the embedded server.
pub fn application(name: &str, repository: &str, policy: Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"},
            "source": {"repoURL": format!("{BASE}{repository}"), "path": ".", "targetRevision": "HEAD"},
            "syncPolicy": policy,
        },
    })
}

/// A Job's manifest.
pub fn job(name: &str, annotations: &str) -> String {
    format!("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\n")
}

/// A Job's manifest that is a hook of Argo CD.
pub fn hook(name: &str, phase: &str) -> String {
    job(name, &format!("argocd.argoproj.io/hook: {phase:?}"))
}

/// A ConfigMap's manifest.
pub fn config_map(name: &str, value: &str, annotations: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\ndata:\n  key: {value:?}\n"
    )
}
