//! How many replicas a metric asks for: Kubernetes' published algorithm, with
//! what it assumes of pods that are not ready or not measured. Pure.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::views::Phase;

/// Processors are not believed so long after a pod's start unless it is ready.
const CPU_INITIALIZATION: SignedDuration = SignedDuration::from_mins(5);
/// A pod that became unready so soon after its start was never ready.
const INITIAL_READINESS: SignedDuration = SignedDuration::from_secs(30);

const NO_PODS: &str = "no pods returned by selector while calculating replica count";
const NO_READY: &str = "did not receive metrics for any ready pods";

/// How far a ratio may be off, in each direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    pub(super) down: f64,
    pub(super) up: f64,
}

/// A pod of the target.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) phase: Phase,
    pub(super) is_deleting: bool,
    /// The condition `Ready`: whether it is not `False`, and since when.
    pub(super) ready: Option<(bool, Timestamp)>,
    pub(super) is_ready: bool,
    pub(super) started: Option<Timestamp>,
    /// What it requests of the resource, in thousandths, or why that is not known.
    pub(super) request: Result<i64, String>,
}

/// A figure of one pod, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) value: i64,
    pub(super) time: Timestamp,
    pub(super) window: SignedDuration,
}

pub(super) type Samples = BTreeMap<String, Sample>;

/// What is asked for by a share of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByShare {
    pub(super) replicas: i64,
    pub(super) percent: i64,
    pub(super) average: i64,
}

/// The situation that a metric is looked at in.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) current: i64,
    pub(super) members: &'a [Member],
    pub(super) is_cpu: bool,
    pub(super) tolerance: Tolerance,
    pub(super) now: Timestamp,
}

impl Tolerance {
    fn allows(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

struct Groups {
    ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

impl Scene<'_> {
    /// Replicas by the share of what pods request.
    pub(super) fn by_share(&self, target_percent: i64, mut samples: Samples) -> Result<ByShare, String> {
        let groups = self.grouped(&mut samples)?;
        let mut requests = BTreeMap::new();
        for member in self.members {
            requests.insert(member.name.as_str(), member.request.clone()?);
        }
        if samples.is_empty() {
            return Err(NO_READY.into());
        }
        let of = |samples: &Samples| share(samples, &requests, target_percent);
        let (ratio, percent, average) = of(&samples)?;
        let proposal = |replicas| ByShare { replicas, percent, average };
        let fill = |name: &str| requests.get(name).copied().unwrap_or(0);
        if !self.assume(&groups, &mut samples, ratio, fill) {
            return Ok(proposal(self.plain(ratio, groups.ready)));
        }
        let (again, _, _) = of(&samples)?;
        Ok(proposal(self.reconsidered(ratio, again, samples.len())))
    }

    /// Replicas by an average per pod; also the average.
    pub(super) fn by_average(&self, target: i64, mut samples: Samples) -> Result<(i64, i64), String> {
        let groups = self.grouped(&mut samples)?;
        if samples.is_empty() {
            return Err(NO_READY.into());
        }
        let (ratio, average) = mean(&samples, target);
        if !self.assume(&groups, &mut samples, ratio, |_| target) {
            return Ok((self.plain(ratio, groups.ready), average));
        }
        let (again, _) = mean(&samples, target);
        Ok((self.reconsidered(ratio, again, samples.len()), average))
    }

    /// Replicas by a value of something else that should be `target`.
    pub(super) fn by_value(&self, usage: i64, target: i64) -> Result<i64, String> {
        let ratio = float(usage) / float(target);
        if self.current == 0 {
            return Ok(whole(ratio.ceil()));
        }
        if self.tolerance.allows(ratio) {
            return Ok(self.current);
        }
        if self.members.is_empty() {
            return Err(format!("unable to calculate ready pods: {NO_PODS}"));
        }
        let ready = self.members.iter().filter(|member| member.phase == Phase::Running && member.is_ready).count();
        Ok(whole((ratio * count(ready)).ceil()))
    }

    /// Replicas by a value that pods share; also the value per pod. `running` is how many there are.
    pub(super) fn by_value_per_pod(&self, usage: i64, target: i64, running: i64) -> (i64, i64) {
        let ratio = float(usage) / (float(target) * float(running));
        let replicas =
            if self.tolerance.allows(ratio) { running } else { whole((float(usage) / float(target)).ceil()) };
        (replicas, whole((float(usage) / float(running.max(1))).ceil()))
    }

    /// Tells the pods apart, and drops the samples of those that do not count.
    fn grouped(&self, samples: &mut Samples) -> Result<Groups, String> {
        if self.members.is_empty() {
            return Err(NO_PODS.into());
        }
        let empty = BTreeSet::new;
        let mut groups = Groups { ready: 0, unready: empty(), missing: empty(), ignored: empty() };
        for member in self.members {
            let name = member.name.clone();
            if member.is_deleting || member.phase == Phase::Failed {
                groups.ignored.insert(name);
            } else if member.phase == Phase::Pending {
                groups.unready.insert(name);
            } else if let Some(sample) = samples.get(&name) {
                if self.is_cpu && is_too_early(member, sample, self.now) {
                    groups.unready.insert(name);
                } else {
                    groups.ready += 1;
                }
            } else {
                groups.missing.insert(name);
            }
        }
        samples.retain(|name, _| !groups.ignored.contains(name) && !groups.unready.contains(name));
        Ok(groups)
    }

    /// Assumes figures for pods that have none, against the direction that the others point in;
    /// says whether there was anything to assume.
    fn assume(&self, groups: &Groups, samples: &mut Samples, ratio: f64, most: impl Fn(&str) -> i64) -> bool {
        let counts_unready = !groups.unready.is_empty() && ratio > 1.0;
        if !counts_unready && groups.missing.is_empty() {
            return false;
        }
        let mut add = |name: &String, value| {
            let sample = Sample { value, time: self.now, window: SignedDuration::ZERO };
            samples.insert(name.clone(), sample);
        };
        for name in &groups.missing {
            if ratio < 1.0 {
                add(name, most(name));
            } else if ratio > 1.0 {
                add(name, 0);
            }
        }
        if counts_unready {
            groups.unready.iter().for_each(|name| add(name, 0));
        }
        true
    }

    fn plain(&self, ratio: f64, ready: usize) -> i64 {
        if self.tolerance.allows(ratio) { self.current } else { whole((ratio * count(ready)).ceil()) }
    }

    /// What was assumed must not turn the direction.
    fn reconsidered(&self, before: f64, ratio: f64, pods: usize) -> i64 {
        let turns = (before < 1.0 && ratio > 1.0) || (before > 1.0 && ratio < 1.0);
        if self.tolerance.allows(ratio) || turns {
            return self.current;
        }
        let replicas = whole((ratio * count(pods)).ceil());
        let is_contrary = (ratio < 1.0 && replicas > self.current) || (ratio > 1.0 && replicas < self.current);
        if is_contrary { self.current } else { replicas }
    }
}

/// Whether a pod's processors are those of its start.
fn is_too_early(member: &Member, sample: &Sample, now: Timestamp) -> bool {
    let (Some((is_up, since)), Some(started)) = (member.ready, member.started) else { return true };
    if later(started, CPU_INITIALIZATION) > now {
        return !is_up || sample.time < later(since, sample.window);
    }
    !is_up && later(started, INITIAL_READINESS) > since
}

/// The ratio of the share to its target, the share in percent, and the average.
fn share(samples: &Samples, requests: &BTreeMap<&str, i64>, target: i64) -> Result<(f64, i64, i64), String> {
    let known = samples.iter().filter_map(|(name, sample)| Some((sample.value, *requests.get(name.as_str())?)));
    let sums = known.fold((0_i64, 0_i64, 0_i64), |sums, (used, asked)| {
        (sums.0.saturating_add(used), sums.1.saturating_add(asked), sums.2 + 1)
    });
    let (used, asked, pods) = sums;
    if asked == 0 {
        return Err("no metrics returned matched known pods".into());
    }
    let percent = used.saturating_mul(100) / asked;
    Ok((float(percent) / float(target), percent, used / pods))
}

fn mean(samples: &Samples, target: i64) -> (f64, i64) {
    let sum = samples.values().fold(0_i64, |sum, sample| sum.saturating_add(sample.value));
    let average = sum / i64::try_from(samples.len()).unwrap_or(i64::MAX).max(1);
    (float(average) / float(target), average)
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Replicas and thousandths are far from where a float of this size is not exact.
#[allow(clippy::cast_precision_loss)]
fn float(number: i64) -> f64 {
    number as f64
}

fn count(pods: usize) -> f64 {
    float(i64::try_from(pods).unwrap_or(i64::MAX))
}

/// A count of replicas, within what the API can hold.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> i64 {
    number.clamp(0.0, f64::from(i32::MAX)) as i64
}
