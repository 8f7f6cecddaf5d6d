//! What an Application wants and what is there: project, destination, sources,
//! objects. Everything a decision needs is read here; nothing is decided or written.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, Gvk, KindDescriptor, Status};
use client::{Cache, ObjectKey, Objects, Target};
use serde_json::Value;

use crate::compare::{self, Context, Resource};
use crate::destination::{self, Resolved};
use crate::health::Rules;
use crate::hooks::Template;
use crate::kinds;
use crate::live::LiveState;
use crate::manifests::{self, Kinds, Place};
use crate::options::SyncOptions;
use crate::project::Project;
use crate::resource::{Key, Live};
use crate::source::{self, Fetched, Fetcher, Refresh};
use crate::stored::App;
use crate::tracking::Owner;
use crate::types::Condition;

/// Where things are read.
#[derive(Clone)]
pub struct Observer {
    /// Objects.
    pub objects: Arc<dyn Objects>,
    /// Applications of every cluster.
    pub apps: Cache,
    /// Projects.
    pub projects: Cache,
    /// Sources.
    pub fetcher: Arc<Fetcher>,
    /// Live objects.
    pub live: LiveState,
    /// URL of the platform's own API.
    pub api_url: String,
    /// Namespace of projects.
    pub control_namespace: String,
    /// Health rules.
    pub rules: Rules,
}

/// What was read of one Application.
#[derive(Default)]
pub struct Observation {
    /// Why nothing can be compared, or what else is worth saying.
    pub conditions: Vec<Condition>,
    /// Whether the conditions are why nothing can be compared.
    pub failure: Option<Failure>,
    /// Where to.
    pub destination: Option<Resolved>,
    /// Whose rules count.
    pub project: Project,
    /// Commits of the sources.
    pub revisions: Vec<String>,
    /// Kinds of the sources.
    pub source_types: Vec<String>,
    /// How the destination serves the kinds that are concerned.
    pub kinds: Kinds,
    /// What is wanted.
    pub desired: BTreeMap<Key, Arc<Value>>,
    /// What is run when it is synced or deleted.
    pub hooks: Vec<Template>,
    /// What is wanted or there.
    pub resources: Vec<Resource>,
}

/// Why nothing can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The spec is wrong.
    Spec,
    /// What is wanted is not known.
    Comparison,
}

impl Observation {
    /// The cluster of the objects.
    pub fn cluster(&self) -> Option<&ClusterName> {
        self.destination.as_ref().map(|destination| &destination.cluster)
    }

    fn fail(mut self, failure: Failure, message: impl Into<String>) -> Self {
        let kind = match failure {
            Failure::Spec => "InvalidSpecError",
            Failure::Comparison => "ComparisonError",
        };
        self.conditions.push(Condition::new(kind, message));
        self.failure = Some(failure);
        self
    }
}

impl Observer {
    /// Reads everything that concerns an Application. `pinned` are the revisions of an operation.
    pub async fn observe(&self, app: &App, pinned: &[String], refresh: Refresh) -> Result<Observation, Status> {
        let spec = self.check_spec(app).await?;
        if spec.failure.is_some() {
            return Ok(spec);
        }
        let (fetched, observation) = self.fetch(app, pinned, refresh, spec).await;
        if observation.failure.is_some() {
            return Ok(observation);
        }
        self.want(app, &fetched, observation).await
    }

    /// The parts that need no source: destination, project, and what it permits.
    async fn check_spec(&self, app: &App) -> Result<Observation, Status> {
        let spec = &app.typed.spec;
        let observation = Observation::default();
        if let Some(error) = &app.unreadable {
            return Ok(observation.fail(Failure::Spec, format!("the spec cannot be read: {error}")));
        }
        if let Some(error) = source::spec_error(spec.sources()) {
            return Ok(observation.fail(Failure::Spec, error));
        }
        let holder = &app.key.cluster;
        let resolved = match destination::resolve(&app.key.name, &spec.destination, holder, &self.api_url) {
            Ok(resolved) => resolved,
            Err(error) => return Ok(observation.fail(Failure::Spec, error)),
        };
        let name = spec.project();
        let project = self.project(holder, name).await?;
        let project = project.filter(|project| project.permits_namespace(&app.key.namespace, &self.control_namespace));
        let Some(project) = project else {
            let error = format!("Application referencing project {name} which does not exist");
            return Ok(observation.fail(Failure::Spec, error));
        };
        let conditions = project.conditions(spec.sources(), &resolved.destination);
        let failure = (!conditions.is_empty()).then_some(Failure::Spec);
        Ok(Observation { conditions, failure, destination: Some(resolved), project, ..observation })
    }

    /// A project. One that was made just now may not be in the cache yet, so that is no proof.
    async fn project(&self, holder: &ClusterName, name: &str) -> Result<Option<Project>, Status> {
        let object = match self.projects.get(&ObjectKey::new(holder, &self.control_namespace, name)) {
            Some(object) => object,
            None => {
                let target = Target::namespaced(holder, &kinds::projects(), &self.control_namespace);
                match self.objects.get(&target, name).await {
                    Ok(object) => object,
                    Err(status) if status.is_not_found() => return Ok(None),
                    Err(status) => return Err(status),
                }
            }
        };
        object.parse().map(Some)
    }

    /// Fetches and renders every source, in their order.
    async fn fetch(
        &self,
        app: &App,
        pinned: &[String],
        refresh: Refresh,
        mut observation: Observation,
    ) -> (Vec<Fetched>, Observation) {
        let mut all = Vec::new();
        for (index, source) in app.typed.spec.sources().iter().enumerate() {
            let revision = pinned.get(index).filter(|revision| !revision.is_empty());
            let revision = revision.map_or_else(|| source.revision(), String::as_str);
            match self.fetcher.fetch(source, revision, refresh).await {
                Ok(fetched) => {
                    observation.revisions.push(fetched.revision.clone());
                    let kind = fetched.rendered.as_ref().map(|rendered| rendered.kind.to_string());
                    observation.source_types.extend(kind);
                    all.push(fetched);
                }
                Err(error) => {
                    observation.revisions.clear();
                    let message = format!(
                        "Failed to load target state: failed to generate manifest for source {} of {}: {error}",
                        index + 1,
                        app.typed.spec.sources().len()
                    );
                    return (all, observation.fail(Failure::Comparison, message));
                }
            }
        }
        (all, observation)
    }

    /// Makes the wanted objects, then looks at what is there.
    async fn want(&self, app: &App, fetched: &[Fetched], observation: Observation) -> Result<Observation, Status> {
        let mut observation = observation;
        let Some(cluster) = observation.cluster().cloned() else { return Ok(observation) };
        let rendered: Vec<&Value> =
            fetched.iter().filter_map(|one| one.rendered.as_ref()).flat_map(|rendered| &rendered.objects).collect();
        for gvk in manifests::kinds_of(rendered.iter().copied()) {
            observation.kinds.entry(gvk.clone()).or_insert(self.objects.kind(&cluster, &gvk).await?);
        }
        let namespace = app.typed.spec.destination.namespace.as_str();
        let place = Place { owner: &app.owner, cluster: &cluster, namespace };
        match manifests::targets(&rendered, &place, &observation.kinds) {
            Ok(targets) => {
                observation.desired = targets.objects;
                observation.hooks = targets.hooks;
                observation.conditions.extend(targets.conditions);
            }
            Err(error) => return Ok(observation.fail(Failure::Comparison, error)),
        }
        self.look(app, &mut observation).await?;
        Ok(observation)
    }

    /// Looks at what is there, again after a sync. Kinds that were not served may be by now.
    pub async fn look(&self, app: &App, observation: &mut Observation) -> Result<(), Status> {
        let Some(cluster) = observation.cluster().cloned() else { return Ok(()) };
        self.know_kinds(app, &cluster, &mut observation.kinds).await?;
        let namespace = self.own_namespace(app, &cluster).await?;
        let mut served: Vec<KindDescriptor> = observation.kinds.values().flatten().cloned().collect();
        let mut wanted: Vec<Key> = observation.desired.keys().cloned().collect();
        // One whose name is not stated bears the tracking id, by which its changes are noticed too.
        wanted.extend(observation.hooks.iter().map(|hook| Key::of(&hook.object)).filter(|key| !key.name.is_empty()));
        served.extend(namespace.iter().map(|(kind, _)| kind.clone()));
        wanted.extend(namespace.iter().map(|(_, key)| key.clone()));
        self.live.follow(&app.key, &cluster, &served, &wanted).await;
        let mut live = BTreeMap::new();
        for (key, desired) in &observation.desired {
            let kind = observation.kinds.get(&crate::resource::gvk(desired)).and_then(Option::as_ref);
            let Some(kind) = kind else { continue };
            if let Some(found) = self.live.whole(&cluster, kind, key).await.and_then(Live::read) {
                live.insert(key.clone(), found);
            }
        }
        let owned = self.live.owned(&app.owner, &cluster);
        let context = self.context(app, &cluster, &observation.kinds);
        observation.resources = compare::compare(&observation.desired, &live, &owned, &context);
        let leaves = namespace.and_then(|(kind, key)| self.live.get(&cluster, &kind, &key));
        let leaving = leaves.filter(|object| object.meta.is_deleting()).map(|object| object.meta.name.clone());
        compare::mark_leaving(&mut observation.resources, leaving.as_deref());
        // An Application that is gone holds nothing any more.
        for resource in &mut observation.resources {
            let is_there = |owner: &Owner| self.apps.get(&owner.app(&self.control_namespace)).is_some();
            resource.shared_with = resource.shared_with.take().filter(is_there);
        }
        Ok(())
    }

    /// The namespace that CreateNamespace asks for, whose end calls for the Application.
    async fn own_namespace(&self, app: &App, cluster: &ClusterName) -> Result<Option<(KindDescriptor, Key)>, Status> {
        let spec = &app.typed.spec;
        let name = spec.destination.namespace.as_str();
        let options = SyncOptions::of(&[&spec.sync_policy.sync_options]);
        if name.is_empty() || !options.has("CreateNamespace", "true") {
            return Ok(None);
        }
        let kind = self.objects.kind(cluster, &Gvk::new("", "v1", "Namespace")).await?;
        Ok(kind.map(|kind| (kind, Key::new("", "Namespace", "", name))))
    }

    /// What objects of an Application are compared with.
    pub fn context<'a>(&self, app: &'a App, cluster: &'a ClusterName, kinds: &'a Kinds) -> Context<'a> {
        let ignore = &app.typed.spec.ignore_differences;
        Context { owner: &app.owner, cluster, ignore, kinds, rules: self.rules }
    }

    /// Adds the kinds that the Application had objects of, and asks again for those that were not
    /// served: extras are found among the first, a definition of the same sync may serve the others.
    async fn know_kinds(&self, app: &App, cluster: &ClusterName, kinds: &mut Kinds) -> Result<(), Status> {
        let reported = app.typed.status.resources.iter();
        for gvk in reported.map(|one| Gvk::new(&one.group, &one.version, &one.kind)) {
            kinds.entry(gvk).or_insert(None);
        }
        let unknown: Vec<Gvk> = kinds.iter().filter(|(_, kind)| kind.is_none()).map(|(gvk, _)| gvk.clone()).collect();
        for gvk in unknown {
            let kind = self.objects.kind(cluster, &gvk).await?;
            kinds.insert(gvk, kind);
        }
        Ok(())
    }
}
