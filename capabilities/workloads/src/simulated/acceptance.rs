//! Tells the author of a stage whether it is obeyed: a condition says what in
//! it is not supported. A refused stage does nothing.

use std::sync::Arc;

use client::{Item, ObjectKey};
use controller::{Condition, Controller, Error, Next, Reconciler, condition};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::resource::Resource;
use crate::world::World;

const ACCEPTED: &str = "Accepted";

pub(super) fn start(world: &World, stages: &Resource<Stage>) {
    let acceptance = Acceptance { world: world.clone(), stages: stages.clone() };
    Controller::new("stages", Arc::new(acceptance)).owns(stages.cache()).start(world.tasks());
}

struct Acceptance {
    world: World,
    stages: Resource<Stage>,
}

impl Reconciler for Acceptance {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(stage) = self.stages.get(key) else { return Ok(Next::Done) };
            let status = status(&stage, &self.world.clock().now_rfc3339())?;
            self.stages.update_status(&stage.object, status).await?;
            Ok(Next::Done)
        })
    }
}

fn status(stage: &Item<Stage>, now: &str) -> Result<Value, Error> {
    let mut status = stage.object.value()?["status"].as_object().cloned().unwrap_or_default();
    let mut conditions = status.remove("conditions").and_then(|held| held.as_array().cloned()).unwrap_or_default();
    let accepted = match &stage.view.0 {
        Ok(_) => Condition::new(ACCEPTED, true, ACCEPTED, "The stage is in effect."),
        Err(why) => Condition::new(ACCEPTED, false, "NotSupported", format!("The stage is not in effect: {why}.")),
    };
    condition::set(&mut conditions, &accepted, now);
    status.insert("conditions".into(), json!(conditions));
    Ok(Value::Object(status))
}
