//! The judgements of a sync: how far a task is, what an object's health says of it,
//! and the sentences in which Argo CD tells of it. Pure; nothing is read or written.

use crate::health::{Health, State};
use crate::task::Task;
use crate::types::ResourceResult;

/// When there is nothing better to say.
pub const RUNNING: &str = "one or more tasks are running";
/// The end of a sync whose last objects nobody waits for.
pub const ALL_RUN: &str = "successfully synced (all tasks run)";
/// The end of a sync that found nothing left to do.
pub const NO_MORE: &str = "successfully synced (no more tasks)";
/// Something that was applied did not come to a good end.
pub const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";
/// Nothing of a wave could be applied.
pub const NOT_APPLIED: &str = "one or more objects failed to apply";
/// The server would refuse something.
pub const REHEARSAL_FAILED: &str = "one or more objects failed to apply (dry run)";
/// Something must not or cannot be applied.
pub const NOT_VALID: &str = "one or more synchronization tasks are not valid";
/// What was to be run after a failure could not be applied either.
pub const NO_CONSOLATION: &str = "one or more SyncFail hooks failed";

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was not done yet.
    Pending,
    /// It was done, and nobody knows whether well.
    Running,
    /// It came to a good end.
    Succeeded,
    /// It came to a bad end.
    Failed,
    /// It could not come to an end.
    Error,
}

impl Stage {
    /// The stage as results name it.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Pending => "",
            Stage::Running => "Running",
            Stage::Succeeded => "Succeeded",
            Stage::Failed => "Failed",
            Stage::Error => "Error",
        }
    }

    /// The stage that a result names.
    pub fn of(result: Option<&ResourceResult>) -> Self {
        match result.map(|result| result.hook_phase.as_str()).unwrap_or_default() {
            "" => Stage::Pending,
            "Succeeded" => Stage::Succeeded,
            "Failed" => Stage::Failed,
            "Error" => Stage::Error,
            _ => Stage::Running,
        }
    }

    /// Whether nothing more happens.
    pub fn is_completed(self) -> bool {
        matches!(self, Stage::Succeeded | Stage::Failed | Stage::Error)
    }

    /// Whether it ended badly.
    pub fn is_unsuccessful(self) -> bool {
        matches!(self, Stage::Failed | Stage::Error)
    }
}

/// What the health of a hook says of its run. Kinds without a rule have done all they can by
/// being there.
pub fn hook(name: &str, health: Option<&Health>) -> (Stage, String) {
    let Some(health) = health else { return (Stage::Succeeded, format!("{name} created")) };
    match health.state {
        State::Unknown | State::Degraded => (Stage::Failed, health.message.clone()),
        State::Progressing | State::Suspended => (Stage::Running, health.message.clone()),
        State::Healthy => (Stage::Succeeded, health.message.clone()),
        State::Missing => (Stage::Succeeded, format!("{name} created")),
    }
}

/// What the health of an object says of its application; `None` for nothing new.
pub fn object(health: Option<&Health>) -> Option<(Stage, String)> {
    let Some(health) = health else { return Some((Stage::Succeeded, String::new())) };
    match health.state {
        State::Healthy => Some((Stage::Succeeded, health.message.clone())),
        State::Degraded => Some((Stage::Failed, health.message.clone())),
        _ => None,
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// That hooks complete and objects are healthy.
    Completion,
    /// That objects are gone.
    Deletion,
}

/// The sentence that says what a sync waits for.
pub fn waiting(tasks: &[&Task], awaited: Awaited) -> String {
    let hook = tasks.iter().find(|task| task.is_hook());
    let Some(first) = hook.or(tasks.first()) else { return String::new() };
    let what = match (awaited, hook.is_some()) {
        (Awaited::Completion, true) => "completion of hook",
        (Awaited::Completion, false) => "healthy state of",
        (Awaited::Deletion, true) => "deletion of hook",
        (Awaited::Deletion, false) => "deletion of",
    };
    let more = match tasks.len() - 1 {
        0 => String::new(),
        more if tasks.iter().all(|task| task.is_hook()) => format!(" and {more} more hooks"),
        more => format!(" and {more} more resources"),
    };
    format!("waiting for {what} {}{more}", first.key.with_group())
}

/// What failed, and why, each reason once.
pub fn because<'a>(what: &str, reasons: impl Iterator<Item = &'a str>) -> String {
    let mut told: Vec<&str> = Vec::new();
    for reason in reasons {
        if !told.contains(&reason) {
            told.push(reason);
        }
    }
    if told.is_empty() { what.to_owned() } else { format!("{what}, reason: {}", told.join(",")) }
}

#[cfg(test)]
mod tests;
