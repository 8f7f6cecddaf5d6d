//! How a rollout goes on: how far the new replica set may grow and the old ones
//! shrink. Pure; it knows nothing of who writes.

use super::sets::{Scale, Set, Sets};
use crate::views::{Deployment, Strategy};

/// How many replicas the new set may ask for, if it asks for `new` and all ask for `asked`.
pub(super) fn new_size(deployment: &Deployment, new: i64, asked: i64) -> i64 {
    match deployment.strategy {
        Strategy::Recreate => deployment.replicas,
        Strategy::Rolling { .. } => {
            let room = deployment.replicas + deployment.max_surge() - asked;
            if room <= 0 { new } else { new + room.min(deployment.replicas - new) }
        }
    }
}

/// The next step of a rolling update; nothing if it must wait or is done.
pub(super) fn roll(deployment: &Deployment, sets: &Sets, new: &Set) -> Vec<Scale> {
    let held = new.view.replicas;
    let to = match held > deployment.replicas {
        true => deployment.replicas,
        false => new_size(deployment, held, sets.asked()),
    };
    if to != held {
        return vec![Scale { set: new.clone(), to }];
    }
    shrink_old(deployment, sets, new)
}

/// Takes replicas from old sets: first those that are not available anyway, which could
/// otherwise block the rollout for ever, then as many as may be missing.
fn shrink_old(deployment: &Deployment, sets: &Sets, new: &Set) -> Vec<Scale> {
    let least = deployment.replicas - deployment.max_unavailable();
    // New pods that do not serve yet may not come to serve: old ones stay for them.
    let pending = new.view.replicas - new.view.status.available_replicas;
    let spare = sets.asked() - least - pending;
    if spare <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<i64> = sets.old.iter().map(|set| set.view.replicas).collect();
    take(&mut sizes, spare, |index, size| size - sets.old[index].view.status.available_replicas);
    take(&mut sizes, sets.available() - least, |_, size| size);
    let sized = sets.old.iter().zip(sizes);
    let changed = sized.filter(|(set, to)| set.view.replicas != *to);
    changed.map(|(set, to)| Scale { set: set.clone(), to }).collect()
}

/// Takes up to `budget` in all, from the oldest on, of each as much as `most` allows.
fn take(sizes: &mut [i64], mut budget: i64, most: impl Fn(usize, i64) -> i64) {
    for (index, size) in sizes.iter_mut().enumerate() {
        if *size > 0 {
            let taken = budget.min(most(index, *size)).max(0);
            *size -= taken;
            budget -= taken;
        }
    }
}
