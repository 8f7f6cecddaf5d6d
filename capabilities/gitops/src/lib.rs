//! GitOps: Applications and AppProjects as Argo CD serves them. A push or a change of
//! a live object becomes applied objects at once. This file says what the capability
//! is and puts its parts together; it must never hold a rule.

pub mod application;
pub mod engine;
pub mod apply;
pub mod automation;
mod bootstrap;
mod client_side;
pub mod compare;
pub mod deletion;
pub mod destination;
pub mod health;
pub mod hooks;
pub mod kinds;
pub mod live;
pub mod manifests;
mod migrate;
pub mod normalise;
pub mod observe;
pub mod operation;
pub mod options;
pub mod plan;
pub mod project;
pub mod resource;
pub mod settings;
pub mod source;
pub mod status;
pub mod stored;
mod summary;
pub mod sync;
pub mod task;
pub mod tracking;
pub mod types;
mod web;

use std::sync::Arc;

use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use client::{Cache, Change, ObjectKey, Target};
use contracts::git::{Repositories, Sources};
use controller::{Controller, Handle, Recorder};
use futures::StreamExt;
use futures::future::BoxFuture;

use apply::ServerSide;
use engine::Engine;
use health::Rules;
use live::LiveState;
use observe::Observer;
use settings::Settings;
use source::Fetcher;

/// The GitOps capability.
#[derive(Default)]
pub struct Gitops(());

impl Capability for Gitops {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: "gitops",
            plane: Plane::IntegrationAndDelivery,
            summary: "Keeps objects as git says: syncs, prunes, heals and reports.",
            speaks: "Argo CD: Application, AppProject",
            kinds: kinds::DEFINITIONS,
            needs: &["git"],
            animates: &[],
            providers: &["embedded", "off"],
        }
    }

    fn provision(&self, ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async move {
            read_settings(&ctx)?;
            Ok(vec![Route { subdomain: "argocd", prefix: "/argocd", router: web::router() }])
        })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move { start(&ctx).await.map(drop) })
    }
}

fn read_settings(ctx: &Context) -> Result<Settings, Diagnostic> {
    Settings::read(&ctx.settings).map_err(|why| {
        Diagnostic::new("broken-platform", why).hint("Correct the settings of gitops in the Platform object.")
    })
}

/// Starts the controller; the handle is for tests.
pub async fn start(ctx: &Context) -> Result<Handle, Diagnostic> {
    let settings = read_settings(ctx)?;
    let missing = || {
        Diagnostic::new("broken-platform", "gitops needs git, and no capability offers it")
            .hint("Set the provider of git in the Platform object.")
    };
    let sources = ctx.contracts.get::<dyn Sources>().ok_or_else(missing)?;
    bootstrap(ctx, &settings).await?;
    let (wake, woken) = tokio::sync::mpsc::unbounded_channel();
    let objects = &ctx.objects;
    let apps = Cache::start(objects.clone(), Target::everywhere(&kinds::applications()), &ctx.tasks);
    let projects = Cache::start(objects.clone(), Target::everywhere(&kinds::projects()), &ctx.tasks);
    let observer = Observer {
        objects: objects.clone(),
        apps: apps.clone(),
        projects: projects.clone(),
        fetcher: Arc::new(Fetcher::new(sources, ctx.clock.clone(), settings.refresh())),
        live: LiveState::new(objects.clone(), ctx.clock.clone(), ctx.tasks.child(), &settings.namespace, wake.clone()),
        api_url: ctx.endpoints.api_url.clone(),
        control_namespace: settings.namespace.clone(),
        rules: Rules { applications: settings.application_health },
    };
    let engine = Arc::new(Engine {
        observer,
        applier: Arc::new(ServerSide::new(objects.clone())),
        apps: apps.clone(),
        recorder: Recorder::new(objects.clone(), ctx.clock.clone(), ctx.ids.clone(), "argocd-application-controller"),
        clock: ctx.clock.clone(),
        settings: settings.clone(),
        wake,
        memory: parking_lot::Mutex::default(),
    });
    hear_pushes(ctx, &engine);
    let woken = futures::stream::unfold(woken, |mut woken| async move { woken.recv().await.map(|key| (key, woken)) });
    let handle = Controller::new("gitops", engine)
        .owns(&apps)
        .watches(&projects, move |change| apps_of_project(&apps, change))
        .triggered_by(woken.boxed())
        .workers(settings.workers)
        .start(&ctx.tasks);
    ctx.health.ready();
    Ok(handle)
}

async fn bootstrap(ctx: &Context, settings: &Settings) -> Result<(), Diagnostic> {
    let failed = |status: api::Status| {
        Diagnostic::new("broken-platform", "gitops could not make what it stands on").detail(status)
    };
    bootstrap::cluster(&*ctx.objects, &api::ClusterName::root(), settings).await.map_err(failed)?;
    bootstrap::admin_secret(&*ctx.objects, &ctx.ids, settings).await.map_err(failed)
}

/// Calls for the Applications of every repository that is pushed to.
fn hear_pushes(ctx: &Context, engine: &Arc<Engine>) {
    let Some(repositories) = ctx.contracts.get::<dyn Repositories>() else { return };
    let mut changes = repositories.changes();
    let engine = engine.clone();
    ctx.tasks.spawn("gitops pushes", async move {
        while let Some(change) = changes.next().await {
            engine.pushed(&change);
        }
    });
}

/// The Applications that a change of a project concerns.
fn apps_of_project(apps: &Cache, change: &Change) -> Vec<ObjectKey> {
    let project = change.key();
    let uses = |object: &client::Object| {
        let stated = object.value().ok();
        let name = stated.as_ref().map(|value| resource::text(value, "/spec/project")).unwrap_or_default();
        object.cluster == project.cluster
            && (name == &*project.name || (name.is_empty() && &*project.name == types::DEFAULT_PROJECT))
    };
    apps.list().iter().filter(|object| uses(object)).map(ObjectKey::of).collect()
}
