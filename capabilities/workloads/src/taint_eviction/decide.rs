//! How long a pod may stay on a node with taints that drive pods away. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::fit::Toleration;
use crate::views::HeldTaint;

/// What becomes of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing drives it away.
    Stays,
    /// It must have gone by then.
    GoesAt(Timestamp),
    /// It does not tolerate what is there.
    Goes,
}

/// Decides by the taints that drive pods away; `since` is from when on they count for the pod.
pub(super) fn fate<'a>(
    taints: impl Iterator<Item = &'a HeldTaint>,
    tolerations: &[Toleration],
    since: Timestamp,
) -> Fate {
    let mut least: Option<i64> = None;
    for held in taints {
        let Some(toleration) = tolerations.iter().find(|toleration| toleration.tolerates(&held.taint)) else {
            return Fate::Goes;
        };
        if let Some(secs) = toleration.toleration_seconds {
            least = Some(least.map_or(secs, |least| least.min(secs)));
        }
    }
    match least {
        None => Fate::Stays,
        Some(secs) if secs <= 0 => Fate::Goes,
        Some(secs) => since.checked_add(SignedDuration::from_secs(secs)).map_or(Fate::Stays, Fate::GoesAt),
    }
}

/// From when on the taints count for a pod that came to the node at `came`: since the last of
/// them is there, if all say when that was; else since `now`, when they are first seen.
pub(super) fn since<'a>(
    taints: impl Iterator<Item = &'a HeldTaint>,
    came: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    let mut last = came.unwrap_or(now);
    for held in taints {
        last = last.max(held.since.unwrap_or(now));
    }
    last.min(now)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + secs).unwrap()
    }

    fn taints(keys: &[(&str, Option<i64>)]) -> Vec<HeldTaint> {
        let taint = |(key, since): &(&str, Option<i64>)| {
            let since = since.map(|since| at(since).to_string());
            json!({ "key": key, "effect": "NoExecute", "timeAdded": since })
        };
        serde_json::from_value(keys.iter().map(taint).collect()).unwrap()
    }

    #[test]
    fn a_pod_goes_when_the_shortest_toleration_ends() {
        let check = |keys: &[&str], tolerations: Value, expect: Fate| {
            let taints = taints(&keys.iter().map(|key| (*key, None)).collect::<Vec<_>>());
            let held: Vec<Toleration> = serde_json::from_value(tolerations.clone()).unwrap();
            assert_eq!(fate(taints.iter(), &held, at(0)), expect, "{keys:?} {tolerations}");
        };
        let of = |key: &str, secs: Option<i64>| match secs {
            Some(secs) => json!({ "key": key, "operator": "Exists", "tolerationSeconds": secs }),
            None => json!({ "key": key, "operator": "Exists" }),
        };
        check(&[], json!([]), Fate::Stays);
        check(&["a"], json!([]), Fate::Goes);
        check(&["a"], json!([of("a", None)]), Fate::Stays);
        check(&["a"], json!([of("a", Some(300))]), Fate::GoesAt(at(300)));
        check(&["a"], json!([of("a", Some(0))]), Fate::Goes);
        check(&["a", "b"], json!([of("a", None)]), Fate::Goes);
        check(&["a", "b"], json!([of("a", Some(9)), of("b", Some(4))]), Fate::GoesAt(at(4)));
        check(&["a", "b"], json!([of("a", None), of("b", Some(4))]), Fate::GoesAt(at(4)));
        // Of several tolerations the first that covers the taint counts.
        check(&["a"], json!([of("a", Some(5)), of("", None)]), Fate::GoesAt(at(5)));
    }

    #[test]
    fn time_counts_from_the_last_taint_and_not_before_the_pod_came() {
        let check = |keys: &[(&str, Option<i64>)], came: Option<i64>, expect: i64| {
            assert_eq!(since(taints(keys).iter(), came.map(at), at(100)), at(expect), "{keys:?} {came:?}");
        };
        check(&[("a", Some(10)), ("b", Some(20))], Some(0), 20);
        check(&[("a", Some(10))], Some(50), 50);
        check(&[("a", None)], Some(50), 100);
        check(&[("a", Some(10))], None, 100);
    }
}
