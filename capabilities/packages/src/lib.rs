//! Packages: what `coracle create -p` takes becomes repositories and Applications,
//! as CNOE's builder does it, with its kinds. It must never render or apply what
//! an Application deploys; that is `gitops`.

pub mod settings;
pub mod naming;
pub mod kinds;
pub mod remote;
pub mod manifest;
pub mod discovery;
pub mod rewrite;
mod tree;
mod platform;
mod git_repository;
mod custom_package;
mod localbuild;
mod controllers;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use contracts::git::{Repositories, Sources};
use futures::future::BoxFuture;

use platform::Platform;

/// The capability.
#[derive(Default)]
pub struct Packages(());

impl Packages {
    /// Nothing happens yet.
    pub fn new() -> Self {
        Packages(())
    }
}

impl Capability for Packages {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: "packages",
            plane: Plane::DeveloperControl,
            summary: "Installs packages of Applications from directories, files and repositories.",
            speaks: "CNOE's builder: Localbuild, CustomPackage, GitRepository, cnoe://",
            kinds: kinds::CRDS,
            needs: &["git"],
            animates: &[],
            providers: &["embedded"],
        }
    }

    fn provision(&self, _ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move {
            let platform = Platform {
                objects: ctx.objects.clone(),
                clock: ctx.clock.clone(),
                endpoints: ctx.endpoints.clone(),
                repositories: contract::<dyn Repositories>(&ctx, "git repositories")?,
                sources: contract::<dyn Sources>(&ctx, "git sources")?,
            };
            controllers::start(&platform, &ctx.tasks);
            ctx.health.ready();
            Ok(())
        })
    }
}

fn contract<T: ?Sized + Send + Sync + 'static>(ctx: &Context, what: &str) -> Result<Arc<T>, Diagnostic> {
    ctx.contracts.get::<T>().ok_or_else(|| {
        Diagnostic::new("missing-contract", format!("packages cannot work: nobody offers {what}"))
            .hint("turn the capability git on, or packages off")
    })
}
