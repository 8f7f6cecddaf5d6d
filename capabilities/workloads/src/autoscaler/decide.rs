//! What comes of an autoscaler's metrics together: the most replicas that one
//! asks for, and what is done where some or all are unknown. Pure.

#[cfg(test)]
mod tests;

use serde_json::Value;

/// What one metric asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposal {
    pub(super) replicas: i64,
    /// The metric in words.
    pub(super) metric: String,
    /// Its part of `status.currentMetrics`.
    pub(super) status: Value,
}

/// Why a metric is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The reason of the condition and the event, for example `FailedGetResourceMetric`.
    pub(super) reason: &'static str,
    /// The message of the event.
    pub(super) message: String,
    /// The same where all metrics are told of together.
    pub(super) summary: String,
}

/// What all metrics together ask for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) replicas: i64,
    pub(super) metric: String,
}

/// The most that is asked for. Where a metric is unknown, what the others ask for is done only if
/// that is no scale-down; otherwise the first failure is returned, with the summary of all.
pub(super) fn combine(found: &[Result<Proposal, Failure>], current: i64) -> Result<Wanted, (Failure, String)> {
    let known = found.iter().filter_map(|one| one.as_ref().ok());
    let most = known.reduce(|most, one| if one.replicas > most.replicas { one } else { most });
    let failures: Vec<&Failure> = found.iter().filter_map(|one| one.as_ref().err()).collect();
    match (most, failures.first()) {
        (Some(most), None) => Ok(Wanted { replicas: most.replicas, metric: most.metric.clone() }),
        (Some(most), Some(_)) if most.replicas >= current => {
            Ok(Wanted { replicas: most.replicas, metric: most.metric.clone() })
        }
        (_, Some(first)) => {
            let message = format!(
                "invalid metrics ({} invalid out of {}), first error is: {}",
                failures.len(),
                found.len(),
                first.summary
            );
            Err(((*first).clone(), message))
        }
        (None, None) => Ok(Wanted { replicas: current, metric: String::new() }),
    }
}

/// What is to be done about the number of replicas, before metrics are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// The target was turned off.
    Disabled,
    /// The number is out of bounds: set it so, for this reason.
    Set(i64, &'static str),
    /// Metrics decide.
    Free,
}

/// Holds the number of replicas against its bounds.
pub(super) fn bound(current: i64, min: i64, max: i64) -> Bound {
    if current == 0 && min != 0 {
        Bound::Disabled
    } else if current > max {
        Bound::Set(max, "Current number of replicas above Spec.MaxReplicas")
    } else if current < min {
        Bound::Set(min, "Current number of replicas below Spec.MinReplicas")
    } else {
        Bound::Free
    }
}

/// Why the number changes.
pub(super) fn reason(wanted: &Wanted, current: i64) -> String {
    if wanted.replicas > current {
        format!("{} above target", wanted.metric)
    } else {
        "All metrics below target".to_owned()
    }
}
