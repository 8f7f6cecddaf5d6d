//! The end of a sync that was told to end: what still runs of its hooks is stopped. What
//! there is to stop is read from the results and the server alone, so that it works
//! without the sources. It must never touch what is no hook.

use api::{Gvk, Status};

use super::decide::{self, Stage};
use super::run::Hands;
use crate::hooks;
use crate::resource::Key;
use crate::types::ResourceResult;

/// Stops every hook; says whether all went well.
pub async fn hooks(hands: &Hands<'_>, results: &mut Vec<ResourceResult>) -> bool {
    let mut went_well = true;
    for result in results.iter_mut().filter(|result| !result.hook_type.is_empty()) {
        if let Err(status) = stop(hands, result).await {
            result.hook_phase = Stage::Error.word().into();
            result.message = format!("Failed to delete: {status}");
            went_well = false;
        }
    }
    // What was announced and never made leaves nothing to tell.
    results.retain(|result| !result.hook_phase.is_empty());
    went_well
}

async fn stop(hands: &Hands<'_>, result: &mut ResourceResult) -> Result<(), Status> {
    let gvk = Gvk::new(&result.group, &result.version, &result.kind);
    let stage = Stage::of(Some(&*result));
    let key = Key::new(&result.group, &result.kind, &result.namespace, &result.name);
    let live = match hands.kind(&gvk).await? {
        Some(kind) => hands.read(&kind, &key).await?.map(|object| (kind, object)),
        None => None,
    };
    let Some((kind, object)) = live else {
        if stage == Stage::Running {
            (result.hook_phase, result.message) = (Stage::Succeeded.word().into(), "Terminated".into());
        }
        return Ok(());
    };
    if stage.is_completed() {
        return hands.release(&kind, &object).await;
    }
    let (found, message) = decide::hook(&key.name, hands.health(&object).as_ref());
    let goes_with_failure = object.value().is_ok_and(|value| hooks::policies(&value).failed);
    if found == Stage::Running || goes_with_failure {
        hands.delete(&kind, &object).await?;
    } else {
        hands.release(&kind, &object).await?;
    }
    let (stage, message) =
        if found.is_completed() { (found, message) } else { (Stage::Failed, "Terminated".to_owned()) };
    result.hook_phase = stage.word().into();
    if !message.is_empty() {
        result.message = message;
    }
    Ok(())
}
