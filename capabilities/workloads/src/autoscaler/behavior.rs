//! How fast an autoscaler may follow its metrics: it keeps what was recommended
//! and done lately, holds a recommendation against it, and against the limits.
//! Time comes in as an argument. Pure.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use machinery::quantity::Quantity;
use serde::Deserialize;
use serde_json::Value;

/// Seconds for which a scale-down is held back where nothing is stated.
const DOWN_WINDOW_SECS: i64 = 300;

/// The rules of an autoscaler that states some.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Behavior {
    pub(super) scale_up: Rules,
    pub(super) scale_down: Rules,
}

/// The rules of one direction; what is not stated has the default of the direction.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rules {
    pub(super) stabilization_window_seconds: Option<i64>,
    pub(super) select_policy: Select,
    pub(super) policies: Option<Vec<Policy>>,
    pub(super) tolerance: Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Select {
    #[default]
    Max,
    Min,
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    #[serde(rename = "type")]
    pub(super) kind: PolicyKind,
    pub(super) value: i64,
    pub(super) period_seconds: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum PolicyKind {
    Pods,
    Percent,
}

impl Rules {
    /// The share that a ratio may be off without anything being done.
    pub(super) fn tolerance(&self) -> Option<f64> {
        let stated = Quantity::from_json(&self.tolerance)?;
        // Thousandths are as fine as Kubernetes reads it.
        i32::try_from(stated.milli_value()).ok().map(|milli| f64::from(milli) / 1000.0)
    }

    fn ups(&self) -> Vec<Policy> {
        let policy = |kind, value| Policy { kind, value, period_seconds: 15 };
        self.policies.clone().unwrap_or_else(|| vec![policy(PolicyKind::Pods, 4), policy(PolicyKind::Percent, 100)])
    }

    fn downs(&self) -> Vec<Policy> {
        let policy = Policy { kind: PolicyKind::Percent, value: 100, period_seconds: 15 };
        self.policies.clone().unwrap_or_else(|| vec![policy])
    }
}

/// What was recommended and done lately. It is lost with the process, as in Kubernetes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    recommendations: Vec<(i64, Timestamp)>,
    ups: Vec<(i64, Timestamp)>,
    downs: Vec<(i64, Timestamp)>,
}

/// Numbers of replicas that a recommendation is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) current: i64,
    pub(super) min: i64,
    pub(super) max: i64,
}

/// What comes of a recommendation: the replicas, and why (reason and message) they are so many.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Normalised {
    pub(super) replicas: i64,
    pub(super) able: (&'static str, &'static str),
    pub(super) is_limited: bool,
    pub(super) limited: (&'static str, &'static str),
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const UP_STABILIZED: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const DOWN_STABILIZED: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");

impl Memory {
    /// An autoscaler is seen for the first time: what is there was recommended, as it were.
    pub(super) fn begin(&mut self, current: i64, now: Timestamp) {
        if self.recommendations.is_empty() {
            self.recommendations.push((current, now));
        }
    }

    /// Remembers a change of replicas.
    pub(super) fn scaled(&mut self, behavior: Option<&Behavior>, from: i64, to: i64, now: Timestamp) {
        let Some(behavior) = behavior else { return };
        let (events, policies) = match to > from {
            true => (&mut self.ups, behavior.scale_up.ups()),
            false => (&mut self.downs, behavior.scale_down.downs()),
        };
        let longest = policies.iter().map(|policy| policy.period_seconds).max().unwrap_or(0);
        events.retain(|(_, time)| *time >= before(now, longest));
        events.push(((to - from).abs(), now));
    }

    /// Holds a recommendation against what is remembered and allowed, and remembers it.
    pub(super) fn normalise(
        &mut self,
        behavior: Option<&Behavior>,
        wanted: i64,
        bounds: Bounds,
        now: Timestamp,
    ) -> Normalised {
        let (stabilised, why) = match behavior {
            Some(behavior) => self.stabilise(behavior, wanted, bounds.current, now),
            None => (self.highest(wanted, now), DOWN_STABILIZED),
        };
        let able = if stabilised == wanted { READY } else { why };
        let (replicas, limited) = match behavior {
            Some(behavior) => self.limit(behavior, stabilised, bounds, now),
            None => plain_limit(stabilised, bounds),
        };
        Normalised { replicas, able, is_limited: replicas != stabilised, limited }
    }

    /// The highest recommendation of the default window.
    fn highest(&mut self, wanted: i64, now: Timestamp) -> i64 {
        let cutoff = before(now, DOWN_WINDOW_SECS);
        self.recommendations.retain(|(_, time)| *time >= cutoff);
        let highest = self.recommendations.iter().map(|(number, _)| *number).fold(wanted, i64::max);
        self.recommendations.push((wanted, now));
        highest
    }

    /// As near to the current number as the lowest recommendation of one window and the highest of
    /// the other allow.
    fn stabilise(
        &mut self,
        behavior: &Behavior,
        wanted: i64,
        current: i64,
        now: Timestamp,
    ) -> (i64, (&'static str, &'static str)) {
        let up_cutoff = before(now, behavior.scale_up.stabilization_window_seconds.unwrap_or(0));
        let down_window = behavior.scale_down.stabilization_window_seconds.unwrap_or(DOWN_WINDOW_SECS);
        let down_cutoff = before(now, down_window);
        let since = |cutoff: Timestamp| {
            self.recommendations.iter().filter(move |(_, time)| *time > cutoff).map(|(number, _)| *number)
        };
        let up = since(up_cutoff).fold(wanted, i64::min);
        let down = since(down_cutoff).fold(wanted, i64::max);
        let stabilised = current.max(up).min(down);
        self.recommendations.retain(|(_, time)| *time >= up_cutoff.min(down_cutoff));
        self.recommendations.push((wanted, now));
        (stabilised, if wanted >= current { UP_STABILIZED } else { DOWN_STABILIZED })
    }

    fn limit(
        &self,
        behavior: &Behavior,
        wanted: i64,
        bounds: Bounds,
        now: Timestamp,
    ) -> (i64, (&'static str, &'static str)) {
        let Bounds { current, min, max } = bounds;
        if wanted > current {
            let limit = self.up_limit(&behavior.scale_up, current, now).max(current);
            let (most, why) = if max > limit { (limit, UP_LIMIT) } else { (max, TOO_MANY) };
            if wanted > most {
                return (most, why);
            }
        } else if wanted < current {
            let limit = self.down_limit(&behavior.scale_down, current, now).min(current);
            let (least, why) = if min < limit { (limit, DOWN_LIMIT) } else { (min, TOO_FEW) };
            if wanted < least {
                return (least, why);
            }
        }
        (wanted, WITHIN)
    }

    fn up_limit(&self, rules: &Rules, current: i64, now: Timestamp) -> i64 {
        let propose = |policy: &Policy| {
            let start = self.period_start(current, policy, now);
            match policy.kind {
                PolicyKind::Pods => start + policy.value,
                // Rounded up, or one would never become two.
                PolicyKind::Percent => share(start, 100 + policy.value, true),
            }
        };
        let policies = rules.ups();
        let proposals = policies.iter().map(propose);
        match rules.select_policy {
            Select::Disabled => current,
            Select::Min => proposals.min().unwrap_or(current),
            Select::Max => proposals.max().unwrap_or(current),
        }
    }

    fn down_limit(&self, rules: &Rules, current: i64, now: Timestamp) -> i64 {
        let propose = |policy: &Policy| {
            let start = self.period_start(current, policy, now);
            match policy.kind {
                PolicyKind::Pods => start - policy.value,
                PolicyKind::Percent => share(start, 100 - policy.value, false),
            }
        };
        let policies = rules.downs();
        let proposals = policies.iter().map(propose);
        match rules.select_policy {
            Select::Disabled => current,
            // The smallest change leaves the most.
            Select::Min => proposals.max().unwrap_or(current),
            Select::Max => proposals.min().unwrap_or(current),
        }
    }

    /// The replicas at the beginning of a policy's period.
    fn period_start(&self, current: i64, policy: &Policy, now: Timestamp) -> i64 {
        let cutoff = before(now, policy.period_seconds);
        let sum = |events: &[(i64, Timestamp)]| -> i64 {
            events.iter().filter(|(_, time)| *time > cutoff).map(|(change, _)| change).sum()
        };
        current - sum(&self.ups) + sum(&self.downs)
    }
}

/// The limits where no behavior is stated: at most double, or four.
fn plain_limit(wanted: i64, bounds: Bounds) -> (i64, (&'static str, &'static str)) {
    let limit = (bounds.current * 2).max(4);
    let (most, why) = if bounds.max > limit { (limit, UP_LIMIT) } else { (bounds.max, TOO_MANY) };
    if wanted < bounds.min {
        (bounds.min, TOO_FEW)
    } else if wanted > most {
        (most, why)
    } else {
        (wanted, WITHIN)
    }
}

fn share(of: i64, percent: i64, round_up: bool) -> i64 {
    let hundredths = of.saturating_mul(percent);
    if round_up { hundredths.saturating_add(99).div_euclid(100) } else { hundredths / 100 }
}

fn before(now: Timestamp, secs: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MIN)
}
