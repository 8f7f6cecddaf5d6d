//! The replica sets of a deployment, told apart into that of its template and
//! the others, and sums over them. Pure.

use std::sync::Arc;

use client::Item;

use crate::views::{Deployment, ReplicaSet};

pub(super) type Set = Arc<Item<ReplicaSet>>;

/// The replica sets of a deployment.
pub(super) struct Sets {
    /// That of its template, if there is one. Of several, the oldest.
    pub(super) new: Option<Set>,
    /// The others, the oldest first.
    pub(super) old: Vec<Set>,
}

/// A replica set and how many replicas it is to ask for.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) set: Set,
    pub(super) to: i64,
}

impl Sets {
    pub(super) fn of(deployment: &Deployment, mut sets: Vec<Set>) -> Sets {
        sets.sort_by(|left, right| age(left).cmp(&age(right)));
        let new = sets.iter().position(|set| set.view.fingerprint == deployment.fingerprint);
        Sets { new: new.map(|index| sets.remove(index)), old: sets }
    }

    /// All, the new one last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    /// Those that ask for replicas, the new one last.
    pub(super) fn active(&self) -> impl Iterator<Item = &Set> {
        self.all().filter(|set| set.view.replicas > 0)
    }

    /// Replicas that all ask for together.
    pub(super) fn asked(&self) -> i64 {
        self.all().map(|set| set.view.replicas).sum()
    }

    /// Replicas that are available in all together.
    pub(super) fn available(&self) -> i64 {
        self.all().map(|set| set.view.status.available_replicas).sum()
    }

    /// The only one that asks for replicas; if none does, the newest; `None` if several do.
    pub(super) fn active_or_latest(&self) -> Option<&Set> {
        let mut active = self.active();
        match (active.next(), active.next()) {
            (Some(only), None) => Some(only),
            (None, _) => self.new.as_ref().or(self.old.last()),
            _ => None,
        }
    }
}

/// Orders by age, the oldest first. Times are RFC 3339 in UTC and so sort as text.
pub(super) fn age(set: &Set) -> (Option<&str>, &str) {
    (set.object.meta.creation_timestamp.as_deref(), &set.object.meta.name)
}
