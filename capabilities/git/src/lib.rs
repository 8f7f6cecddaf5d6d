//! The git capability: a git server that speaks git's own protocol and the part
//! of Gitea's REST API that CNOE's stacks use, and git for other capabilities by
//! contract. It must never know what is in the repositories.

pub mod settings;
pub mod names;
pub mod address;
pub mod kinds;
pub mod program;
pub mod semver;
pub mod revision;
pub mod escape;
pub mod raw;
pub mod users;
pub mod accounts;
pub mod embedded;
pub mod records;
pub mod credential;
pub mod forge;
pub mod smart_http;
pub mod repository;
pub mod external;
pub mod sources;
pub mod gitea;
pub mod web;

use std::sync::Arc;

use axum::Router;
use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use controller::Recorder;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::address::{Address, PREFIX, SUBDOMAIN};
use crate::embedded::read::Limits;
use crate::embedded::sources::Embedded;
use crate::embedded::store::Store;
use crate::embedded::write::Writer;
use crate::external::External;
use crate::forge::Forge;
use crate::program::Program;
use crate::records::Records;
use crate::repository::Repositories;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::users::Users;

/// The capability.
#[derive(Default)]
pub struct Git {
    forge: Mutex<Option<Arc<Forge>>>,
}

impl Git {
    /// The capability, with no effect so far.
    pub fn new() -> Self {
        Git::default()
    }
}

impl Capability for Git {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: "git",
            plane: Plane::IntegrationAndDelivery,
            summary: "Git server, and git for everything else on the platform.",
            speaks: "Gitea: smart HTTP, REST API",
            kinds: kinds::MANIFESTS,
            needs: &[],
            animates: &[],
            providers: &["embedded"],
        }
    }

    fn provision(&self, ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async move {
            let forge = provision(&ctx).await?;
            let external = External::new(&ctx.directory.join("external"), &forge)?;
            let sources = Arc::new(Sources::new(forge.clone(), external));
            ctx.contracts.offer::<dyn contracts::git::Sources>(sources.clone());
            ctx.contracts.offer::<dyn contracts::git::Repositories>(sources);
            *self.forge.lock() = Some(forge.clone());
            Ok(vec![Route { subdomain: SUBDOMAIN, prefix: PREFIX, router: router(forge) }])
        })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move {
            let forge = self.forge.lock().clone();
            let forge =
                forge.ok_or_else(|| Diagnostic::new("broken-platform", "git was run before it was provisioned"))?;
            credential::ensure(&ctx.objects, &forge.settings, &ctx.ids).await.map_err(|status| {
                Diagnostic::new("broken-platform", "the Secret gitea/gitea-credential cannot be created").detail(status)
            })?;
            let accounts = accounts::start(&forge.users, &ctx.objects, &ctx.tasks);
            let recorder = Recorder::new(ctx.objects.clone(), ctx.clock.clone(), ctx.ids.clone(), "git");
            let repositories = Repositories::start(&forge, &ctx.objects, recorder);
            forge.records.retried_by(repositories);
            // Logins work from the moment the platform says it is up.
            accounts.idle().await;
            ctx.health.ready();
            Ok(())
        })
    }
}

/// All routes: git's protocol, Gitea's API, pages.
fn router(forge: Arc<Forge>) -> Router {
    smart_http::router(forge.clone()).merge(gitea::router(forge.clone())).merge(web::router(forge))
}

async fn provision(ctx: &Context) -> Result<Arc<Forge>, Diagnostic> {
    let settings = Settings::read(&ctx.settings)?;
    let broken = |error: &dyn std::fmt::Display| {
        Diagnostic::new("unusable-directory", format!("git's directory {} cannot be used", ctx.directory.display()))
            .detail(error)
    };
    let home = ctx.directory.join("home");
    std::fs::create_dir_all(&home).map_err(|error| broken(&error))?;
    let program = Program::find(home).await?;
    let (directory, clock, ids) = (ctx.directory.clone(), ctx.clock.clone(), ctx.ids.clone());
    let store = embedded::sources::blocking(move || Store::open(&directory, clock, ids))
        .await
        .map_err(|error| broken(&error))?;
    let writer = Writer { program: program.clone(), clock: ctx.clock.clone(), ids: ctx.ids.clone() };
    let embedded = Embedded { store: Arc::new(store), writer, limits: Limits::new(&settings) };
    Ok(Arc::new(Forge {
        address: Address::new(&ctx.endpoints),
        program,
        embedded,
        users: Arc::new(Users::new(ctx.contracts.clone())),
        records: Records::new(ctx.objects.clone()),
        clock: ctx.clock.clone(),
        ids: ctx.ids.clone(),
        tasks: ctx.tasks.clone(),
        turns: Arc::new(Semaphore::new(settings.max_operations.max(1))),
        settings,
    }))
}
