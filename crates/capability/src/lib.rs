//! What the author of a capability reads: its descriptor, what it is given, its
//! routes and its life cycle. It names no capability.

pub mod context;
pub mod descriptor;
pub mod endpoints;
pub mod health;

pub use context::Context;
pub use descriptor::{Descriptor, Plane};
pub use endpoints::Endpoints;
pub use health::{Condition, Health};

use axum::Router;
use base::Diagnostic;
use futures::future::BoxFuture;

/// Something the platform can do. It is constructed without side effects.
///
/// The server calls [`Capability::provision`] on each in the order of their
/// needs, then [`Capability::run`] on each in the same order.
pub trait Capability: Send + Sync + 'static {
    /// What it is.
    fn descriptor(&self) -> Descriptor;

    /// Makes ready what is needed on disk, offers contracts, and says which routes it
    /// serves. Its kinds are already served.
    fn provision(&self, ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>>;

    /// Starts its tasks on `ctx.tasks` and returns. Contracts of every capability it
    /// needs are there.
    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>>;
}

/// A part of the HTTP address space: a host below the platform's, and a path for
/// when everything is served on one host.
pub struct Route {
    /// First label of the host, for example `gitea` in `gitea.cnoe.localtest.me`.
    pub subdomain: &'static str,
    /// Path prefix, for example `/gitea`; taken off before the router sees the request.
    pub prefix: &'static str,
    /// Who answers.
    pub router: Router,
}
