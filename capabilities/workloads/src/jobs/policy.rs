//! What a job says about the failures of its pods, and when it has done enough. Pure.

#[cfg(test)]
mod tests;

use client::Item;

use super::indexes::Indexes;
use crate::views::{
    ContainerStatus, ExitCodeOperator, FailureAction, FailureRule, Job, OnExitCodes, Pod, SuccessPolicy, SuccessRule,
};

/// What the failure of a pod means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It counts as one failure.
    Counts,
    /// It does not count.
    Ignored,
    /// Its index has failed for good.
    FailsIndex,
    /// The job has failed, with this message.
    FailsJob(String),
}

/// What the failure of `pod` means to its job; the first rule that matches decides.
pub(super) fn meaning(job: &Job, pod: &Item<Pod>) -> Meaning {
    let rules = job.spec.pod_failure_policy.as_ref().map(|policy| policy.rules.as_slice()).unwrap_or_default();
    let known = rules.iter().enumerate().filter(|(_, rule)| rule.action != FailureAction::Unknown);
    let mut matches = known.filter_map(|(number, rule)| Some((number, rule, cause(rule, pod)?)));
    let Some((number, rule, cause)) = matches.next() else { return Meaning::Counts };
    match rule.action {
        FailureAction::Count | FailureAction::Unknown => Meaning::Counts,
        FailureAction::Ignore => Meaning::Ignored,
        FailureAction::FailIndex => Meaning::FailsIndex,
        FailureAction::FailJob => Meaning::FailsJob(format!("{cause} matching FailJob rule at index {number}")),
    }
}

/// What of a failed pod a rule is about, as a sentence; `None` if nothing.
fn cause(rule: &FailureRule, pod: &Item<Pod>) -> Option<String> {
    let meta = &pod.object.meta;
    let (namespace, name) = (&meta.namespace, &meta.name);
    let Some(exit_codes) = &rule.on_exit_codes else {
        let is_meant = |kind: &str, status: &str| {
            rule.on_pod_conditions.iter().any(|wanted| &*wanted.kind == kind && &*wanted.status == status)
        };
        let held = pod.view.status.conditions.iter().find(|held| is_meant(&held.kind, &held.status))?;
        return Some(format!("Pod {namespace}/{name} has condition {}", held.kind));
    };
    let status = &pod.view.status;
    let statuses = status.container_statuses.iter().chain(&status.init_container_statuses);
    let (container, code) = statuses.filter_map(|status| Some((status, failure(status, exit_codes)?))).next()?;
    Some(format!("Container {} for pod {namespace}/{name} failed with exit code {code}", container.name))
}

/// The exit code of a container that ended badly and is meant.
fn failure(status: &ContainerStatus, meant: &OnExitCodes) -> Option<i64> {
    let code = status.state.terminated.as_ref()?.exit_code;
    let is_it = meant.container_name.as_ref().is_none_or(|name| *name == status.name);
    let is_listed = meant.values.contains(&code);
    let is_wanted = match meant.operator {
        ExitCodeOperator::In => is_listed,
        ExitCodeOperator::NotIn => !is_listed,
        ExitCodeOperator::Unknown => false,
    };
    (code != 0 && is_it && is_wanted).then_some(code)
}

/// The number of the first rule that says that enough indexes have succeeded.
pub(super) fn success(policy: Option<&SuccessPolicy>, completions: usize, succeeded: &Indexes) -> Option<usize> {
    if succeeded.is_empty() {
        return None;
    }
    policy?.rules.iter().position(|rule| is_met(rule, completions, succeeded))
}

fn is_met(rule: &SuccessRule, completions: usize, succeeded: &Indexes) -> bool {
    let Some(text) = &rule.succeeded_indexes else {
        return rule.succeeded_count.is_some_and(|count| succeeded.count() >= count);
    };
    let wanted = Indexes::parse(text, completions);
    let shared = wanted.shared_with(succeeded);
    !wanted.is_empty() && (shared == wanted.count() || rule.succeeded_count.is_some_and(|count| shared >= count))
}
