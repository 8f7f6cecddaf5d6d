//! Indexes against plain sets of numbers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Indexes;

#[test]
fn ranges_are_written_short() {
    let check = |text: &str, completions: usize, expect: &str| {
        assert_eq!(Indexes::parse(text, completions).to_string(), expect, "{text}");
    };
    check("", 5, "");
    check("0", 5, "0");
    check("0,1", 5, "0,1");
    check("0-1", 5, "0,1");
    check("0,1,2", 5, "0-2");
    check("1,3-5,7", 10, "1,3-5,7");
    check("1,3-5,7", 5, "1,3,4");
    check("3-9", 3, "");
    check("a,2,x-3,4-b,5-3", 10, "2");
    check("0-2,3-5,7", 10, "0-5,7");
    check("0", 0, "");
}

fn numbers() -> impl Strategy<Value = BTreeSet<usize>> {
    proptest::collection::btree_set(0..40usize, 0..30)
}

proptest! {
    #[test]
    fn a_set_of_indexes_is_a_set(held in numbers(), others in numbers(), completions in 0..40usize, count in 0..40usize) {
        let (indexes, more) = (Indexes::default().with(held.clone()), Indexes::default().with(others.clone()));
        prop_assert_eq!(&Indexes::parse(&indexes.to_string(), 40), &indexes);
        prop_assert_eq!(indexes.count(), held.len());
        prop_assert_eq!(indexes.is_empty(), held.is_empty());
        prop_assert_eq!(indexes.shared_with(&more), held.intersection(&others).count());
        let union: BTreeSet<usize> = held.union(&others).copied().collect();
        prop_assert_eq!(&indexes.and(&more), &Indexes::default().with(union.clone()));
        prop_assert_eq!(&indexes.with(others), &Indexes::default().with(union));
        for index in 0..41 {
            prop_assert_eq!(indexes.has(index), held.contains(&index));
        }
        let missing: BTreeSet<usize> = (0..completions).filter(|index| !held.contains(index)).take(count).collect();
        prop_assert_eq!(indexes.missing(completions, count), missing);
        let below = Indexes::default().with(held.into_iter().filter(|index| *index < completions));
        prop_assert_eq!(Indexes::parse(&indexes.to_string(), completions), below);
    }
}
