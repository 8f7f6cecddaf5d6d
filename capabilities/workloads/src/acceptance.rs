//! Tells the author of a stage or usage whether it is obeyed: a condition says
//! what in it is not supported. What is refused does nothing.

use std::sync::Arc;

use client::{Item, ObjectKey, View};
use controller::{Condition, Controller, Error, Next, Reconciler, condition};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::resource::Resource;
use crate::world::World;

const ACCEPTED: &str = "Accepted";

/// A kind of which not everything that can be written is supported.
pub(crate) trait Judged: View {
    /// Whether it is in effect, or what in it is not supported.
    fn verdict(&self) -> Result<(), &str>;
}

/// Keeps the condition of every object of a kind.
pub(crate) fn start<V: Judged>(world: &World, name: &str, resource: &Resource<V>) {
    let acceptance = Acceptance { world: world.clone(), resource: resource.clone() };
    Controller::new(name, Arc::new(acceptance)).owns(resource.cache()).start(world.tasks());
}

struct Acceptance<V> {
    world: World,
    resource: Resource<V>,
}

impl<V: Judged> Reconciler for Acceptance<V> {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(item) = self.resource.get(key) else { return Ok(Next::Done) };
            let status = status(&item, &self.world.clock().now_rfc3339())?;
            self.resource.update_status(&item.object, status).await?;
            Ok(Next::Done)
        })
    }
}

fn status<V: Judged>(item: &Item<V>, now: &str) -> Result<Value, Error> {
    let mut status = item.object.value()?["status"].as_object().cloned().unwrap_or_default();
    let mut conditions = status.remove("conditions").and_then(|held| held.as_array().cloned()).unwrap_or_default();
    let accepted = match item.view.verdict() {
        Ok(()) => Condition::new(ACCEPTED, true, ACCEPTED, "It is in effect."),
        Err(why) => Condition::new(ACCEPTED, false, "NotSupported", format!("It is not in effect: {why}.")),
    };
    condition::set(&mut conditions, &accepted, now);
    status.insert("conditions".into(), json!(conditions));
    Ok(Value::Object(status))
}
