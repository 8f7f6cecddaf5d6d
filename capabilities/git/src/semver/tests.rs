//! Tests of version ranges, as tables. They know nothing of git.

use super::*;

const TAGS: &[&str] =
    &["v0.2.3", "v0.2.9", "v0.3.0", "1.0.0", "v1.2.0", "v1.2.5", "v1.10.0", "v2.0.0-rc.1", "2.0.0", "junk", "v3.1"];

#[test]
fn highest_tag_in_a_range() {
    for (range, expect) in [
        ("*", Some("v3.1")),
        ("1.*", Some("v1.10.0")),
        ("v1.x", Some("v1.10.0")),
        ("1.2.x", Some("v1.2.5")),
        ("~1.2", Some("v1.2.5")),
        ("~1.2.1", Some("v1.2.5")),
        ("^1.2.0", Some("v1.10.0")),
        ("^0.2.3", Some("v0.2.9")),
        (">=1.2.0 <1.3.0", Some("v1.2.5")),
        (">= 1.2.0, < 2", Some("v1.10.0")),
        ("1.0.0 - 1.2.0", Some("v1.2.0")),
        ("<1.0.0", Some("v0.3.0")),
        ("=1.0.0", Some("1.0.0")),
        ("<1 || >=3", Some("v3.1")),
        (">=2.0.0-rc.0 <2.0.0", Some("v2.0.0-rc.1")),
        ("!=3.1.0", Some("2.0.0")),
        (">9", None),
    ] {
        let parsed = Range::parse(range).unwrap_or_else(|| panic!("{range} is a range"));
        assert_eq!(parsed.highest(TAGS.iter().copied()), expect, "{range}");
    }
}

#[test]
fn names_are_not_ranges() {
    for name in ["main", "v1.2.3", "1.2", "release/1.2", "feature-x-y", "deadbeef", "1234567"] {
        let is_range = Range::parse(name).is_some();
        assert!(!is_range, "{name}");
    }
}

#[test]
fn pre_releases_order() {
    let order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"];
    for pair in order.windows(2) {
        assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
    }
}
