//! Drawing by weight. Pure.

/// The index that a random number falls on: among those with a weight by their weights, or among
/// all alike if none has one. There must be at least one.
pub(super) fn weighted(weights: &[u64], random: u64) -> usize {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if total == 0 {
        return usize::try_from(random % (weights.len() as u64).max(1)).unwrap_or(0);
    }
    let mut rest = u128::from(random) % total;
    for (index, weight) in weights.iter().enumerate() {
        match rest.checked_sub(u128::from(*weight)) {
            Some(left) => rest = left,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::weighted;

    #[test]
    fn draws_go_by_weight() {
        let count = |weights: &[u64]| {
            let mut counts = vec![0; weights.len()];
            (0..60).for_each(|random| counts[weighted(weights, random)] += 1);
            counts
        };
        assert_eq!(count(&[0]), [60]);
        assert_eq!(count(&[0, 0, 0]), [20, 20, 20]);
        assert_eq!(count(&[0, 5]), [0, 60]);
        assert_eq!(count(&[1, 2, 3]), [10, 20, 30]);
        assert_eq!(weighted(&[u64::MAX, u64::MAX], u64::MAX), 1);
    }
}
