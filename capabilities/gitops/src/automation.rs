//! Whether a sync begins by itself. Pure; it must never begin one.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::compare::{Part, Resource, Sync};
use crate::types::{
    Application, Backoff, Condition, InitiatedBy, Operation, OperationState, Phase, ResourceSelector, Retry,
    SyncOperation,
};

/// Retries of an automated sync that states none.
const RETRIES: i64 = 5;
/// Live changes that are undone at once although they come one after the other: somebody tries
/// something, or a script has several things to do.
const HEALS_AT_ONCE: u32 = 5;
/// The first wait between undoing live changes again and again; each wait triples.
const HEAL_PAUSE_SECS: u64 = 2;
/// The longest such wait.
const HEAL_PAUSE_LIMIT_SECS: u64 = 300;
/// A live change that comes so long after the last one was undone, and twice the pause before
/// that, is a new one: a quarrel goes on as soon as it can.
const HEAL_CALM_SECS: u64 = 10;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing.
    Rest,
    /// A sync begins.
    Start(Box<Operation>),
    /// A sync would begin, but not before this time.
    Wait(Duration),
    /// A sync would begin, but must not: this is why.
    Refuse(Condition),
}

/// What a decision is made from.
pub struct Situation<'a> {
    /// The Application.
    pub app: &'a Application,
    /// Its source or sources as the spec states them.
    pub sources: &'a Value,
    /// The revisions that are wanted.
    pub revisions: &'a [String],
    /// Its objects.
    pub resources: &'a [Resource],
    /// Whether it is in sync.
    pub sync: Sync,
    /// The time.
    pub now: Timestamp,
}

/// Decides whether a sync begins.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let Situation { app, resources, revisions, .. } = situation;
    let Some(automated) = app.spec.sync_policy.automated.as_ref().filter(|policy| policy.enabled != Some(false)) else {
        return Decision::Rest;
    };
    if situation.sync == Sync::Synced || app.metadata.is_deleting() {
        return Decision::Rest;
    }
    // What is on its way out calls again when it is gone; nothing can be done about it before.
    let differing: Vec<&Resource> =
        resources.iter().filter(|one| one.sync == Sync::OutOfSync && !one.is_leaving).collect();
    if differing.is_empty() {
        return Decision::Rest;
    }
    if !automated.prune && differing.iter().all(|resource| resource.requires_pruning) {
        return Decision::Rest;
    }
    let mut heal = None;
    if let Some(last) = last_attempt(situation) {
        if last.phase != Phase::Succeeded {
            let message = format!("Failed last sync attempt to {}: {}", revisions.join(","), last.message);
            return Decision::Refuse(Condition::new("SyncError", message));
        }
        if !automated.self_heal {
            return Decision::Rest;
        }
        match healing(last, &differing, situation.now) {
            Ok(healing) => heal = Some(healing),
            Err(decision) => return decision,
        }
    }
    if automated.prune && !automated.allow_empty && objects(resources).all(|resource| resource.requires_pruning) {
        let message =
            format!("Skipping sync attempt to {}: auto-sync will wipe out all resources", revisions.join(","));
        return Decision::Refuse(Condition::new("SyncError", message));
    }
    Decision::Start(Box::new(operation(situation, automated.prune, heal)))
}

/// The resources that are more than what a sync left of its hooks.
fn objects(resources: &[Resource]) -> impl Iterator<Item = &Resource> {
    resources.iter().filter(|resource| resource.part != Part::Hook)
}

/// The last operation, if it ended and was for just this: these revisions of these sources.
fn last_attempt<'a>(situation: &'a Situation<'_>) -> Option<&'a OperationState> {
    let last = situation.app.status.operation_state.as_ref()?;
    let result = last.sync_result.as_ref()?;
    let is_dry = last.operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
    let multiple = situation.app.spec.has_multiple_sources();
    let same_sources =
        if multiple { result.sources == *situation.sources } else { result.source == *situation.sources };
    let same_revisions = if multiple {
        result.revisions == situation.revisions
    } else {
        situation.revisions.first().is_some_and(|revision| *revision == result.revision)
    };
    (last.phase.is_completed() && !is_dry && same_sources && same_revisions).then_some(last)
}

struct Healing {
    resources: Vec<ResourceSelector>,
    attempt: u32,
}

/// Undoing live changes: at once the first times; when they come again and again, with growing
/// pauses, so that two writers cannot keep the platform busy with their quarrel.
fn healing(last: &OperationState, differing: &[&Resource], now: Timestamp) -> Result<Healing, Decision> {
    // An object that another Application took is not taken back: both would do so for ever.
    let drifted: Vec<&&Resource> = differing.iter().filter(|one| one.shared_with.is_none()).collect();
    if drifted.is_empty() {
        return Err(Decision::Rest);
    }
    let attempts = last.operation.sync.as_ref().map_or(0, |sync| sync.self_heal_attempts_count);
    let finished = last.finished_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let elapsed_secs = finished
        .map_or(u64::MAX, |finished| u64::try_from(now.as_second().saturating_sub(finished.as_second())).unwrap_or(0));
    let pause_secs = heal_pause_secs(attempts);
    let is_new = elapsed_secs > HEAL_CALM_SECS + 2 * pause_secs;
    if !is_new && elapsed_secs < pause_secs {
        return Err(Decision::Wait(Duration::from_secs(pause_secs - elapsed_secs)));
    }
    let attempts = if is_new { 0 } else { attempts };
    let resources = drifted
        .iter()
        .map(|resource| ResourceSelector {
            group: resource.key.group.to_string(),
            kind: resource.key.kind.to_string(),
            name: resource.key.name.to_string(),
            namespace: resource.key.namespace.to_string(),
        })
        .collect();
    Ok(Healing { resources, attempt: attempts + 1 })
}

/// The pause after so many live changes were undone in a row.
fn heal_pause_secs(attempts: u32) -> u64 {
    match attempts.checked_sub(HEALS_AT_ONCE) {
        None => 0,
        Some(more) => HEAL_PAUSE_SECS.saturating_mul(3u64.saturating_pow(more)).min(HEAL_PAUSE_LIMIT_SECS),
    }
}

fn operation(situation: &Situation<'_>, prune: bool, heal: Option<Healing>) -> Operation {
    let spec = &situation.app.spec;
    let (resources, attempts) = heal.map_or((Vec::new(), 0), |heal| (heal.resources, heal.attempt));
    let mut sync = SyncOperation {
        prune,
        resources,
        sync_options: spec.sync_policy.sync_options.clone(),
        self_heal_attempts_count: attempts,
        ..SyncOperation::default()
    };
    if spec.has_multiple_sources() {
        sync.revisions = situation.revisions.to_vec();
    } else {
        sync.revision = situation.revisions.first().cloned().unwrap_or_default();
    }
    let default = || Retry { limit: RETRIES, ..Retry::default() };
    Operation {
        sync: Some(sync),
        initiated_by: InitiatedBy { automated: true, ..InitiatedBy::default() },
        retry: spec.sync_policy.retry.clone().unwrap_or_else(default),
        ..Operation::default()
    }
}

/// The time before retry number `retry` (from 0) of a failed operation; `None` if there is none.
pub fn retry_after(policy: &Retry, retry: i64) -> Option<Duration> {
    if policy.limit >= 0 && retry >= policy.limit {
        return None;
    }
    let default = Backoff::default();
    let backoff = policy.backoff.as_ref().unwrap_or(&default);
    let base_secs = parse_go_duration(&backoff.duration).unwrap_or(5.0);
    let limit_secs = parse_go_duration(&backoff.max_duration).unwrap_or(180.0);
    let factor = backoff.factor.unwrap_or(2).max(1);
    let exponent = i32::try_from(retry).unwrap_or(i32::MAX);
    #[allow(clippy::cast_precision_loss)]
    let secs = base_secs * (factor as f64).powi(exponent);
    Some(Duration::from_secs_f64(secs.min(limit_secs).max(0.0)))
}

/// Seconds of a Go duration such as `1m30s`; a bare number is seconds. `None` if it is neither.
pub fn parse_go_duration(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(secs) = text.parse::<f64>() {
        return secs.is_finite().then_some(secs);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end =
            rest[digits..].find(|character: char| character.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        total += number
            * match &rest[digits..unit_end] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Some(total)
}

#[cfg(test)]
mod tests;
