//! Sets of completion indexes as a job's status writes them: `1,3-5,7`. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

/// Indexes as ranges: in order, apart from each other, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(Vec<(usize, usize)>);

impl Indexes {
    /// Reads those below `completions`; what cannot be read is left out.
    pub(super) fn parse(text: &str, completions: usize) -> Indexes {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && first < completions).then(|| (first, last.min(completions - 1)))
        };
        Indexes::of_ranges(text.split(',').filter_map(range).collect())
    }

    fn of_ranges(mut ranges: Vec<(usize, usize)>) -> Indexes {
        ranges.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(held) if first <= held.1.saturating_add(1) => held.1 = held.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Indexes(merged)
    }

    /// These and others.
    #[must_use]
    pub(super) fn with(&self, others: impl IntoIterator<Item = usize>) -> Indexes {
        let others = others.into_iter().map(|index| (index, index));
        Indexes::of_ranges(self.0.iter().copied().chain(others).collect())
    }

    /// These and those of another set.
    #[must_use]
    pub(super) fn and(&self, other: &Indexes) -> Indexes {
        Indexes::of_ranges(self.0.iter().chain(&other.0).copied().collect())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, index: usize) -> bool {
        let position = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(position).is_some_and(|(first, _)| *first <= index)
    }

    /// How many are in another set as well.
    pub(super) fn shared_with(&self, other: &Indexes) -> usize {
        let overlap = |one: &(usize, usize), two: &(usize, usize)| {
            let (first, last) = (one.0.max(two.0), one.1.min(two.1));
            if first <= last { last - first + 1 } else { 0 }
        };
        let (mut ours, mut theirs, mut shared) = (0, 0, 0);
        while let (Some(one), Some(two)) = (self.0.get(ours), other.0.get(theirs)) {
            shared += overlap(one, two);
            if one.1 <= two.1 { ours += 1 } else { theirs += 1 }
        }
        shared
    }

    /// The first indexes below `completions` that are not here, `count` of them at most.
    pub(super) fn missing(&self, completions: usize, count: usize) -> BTreeSet<usize> {
        let mut missing = BTreeSet::new();
        let mut next = 0;
        for &(first, last) in self.0.iter().chain(&[(completions, completions)]) {
            missing.extend((next..first.min(completions)).take(count - missing.len()));
            next = next.max(last + 1);
        }
        missing
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, &(first, last)) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match last - first {
                0 => write!(out, "{comma}{first}")?,
                1 => write!(out, "{comma}{first},{last}")?,
                _ => write!(out, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
