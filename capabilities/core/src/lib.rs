//! The loops without which a Kubernetes API feels broken: namespace deletion,
//! garbage collection, what every namespace and cluster holds from the start, and the
//! expiry of events. They serve every logical cluster, and must never know another
//! capability or keep what they could ask for.

mod event_expiry;
mod furnish;
mod garbage;
mod namespaces;
mod priority_classes;

use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use client::{Cache, Target};
use futures::future::BoxFuture;

/// The capability.
pub fn capability() -> impl Capability {
    Core
}

struct Core;

impl Capability for Core {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: "core",
            plane: Plane::Resource,
            summary: "Namespaces, garbage collection, service accounts, root certificates, priority classes and event expiry.",
            speaks: "kube-controller-manager: namespace, garbage collector, service account, root CA publisher",
            kinds: &[],
            needs: &[],
            animates: &["Namespace"],
            providers: &["embedded", "off"],
        }
    }

    fn provision(&self, _ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move {
            let everywhere = Target::everywhere(&namespaces::resource());
            let namespaces = Cache::start(ctx.objects.clone(), everywhere, &ctx.tasks);
            namespaces::start(&ctx, &namespaces);
            furnish::start(&ctx, &namespaces);
            priority_classes::start(&ctx, &namespaces);
            garbage::start(&ctx);
            event_expiry::start(&ctx);
            ctx.health.ready();
            Ok(())
        })
    }
}
