//! The table of claims.

use api::{ObjectMeta, OwnerReference};
use machinery::selector::LabelSelector;

use super::{Claim, decide};

fn meta(uid: &str, label: &str, controller: &str, deleting: bool) -> ObjectMeta {
    let reference = OwnerReference { uid: controller.into(), controller: Some(true), ..OwnerReference::default() };
    ObjectMeta {
        uid: uid.into(),
        labels: [("app".to_owned(), label.to_owned())].into(),
        owner_references: if controller.is_empty() { Vec::new() } else { vec![reference] },
        deletion_timestamp: deleting.then(|| "2026-01-01T00:00:00Z".into()),
        ..ObjectMeta::default()
    }
}

#[test]
fn objects_are_kept_adopted_released_or_left() {
    let selector = LabelSelector::parse("app=web").unwrap();
    let check = |owner_goes: bool, label: &str, controller: &str, goes: bool, expect: Claim| {
        let found = decide(&meta("me", "", "", owner_goes), &selector, &meta("it", label, controller, goes));
        assert_eq!(found, expect, "{label} of {controller:?}, owner goes: {owner_goes}, goes: {goes}");
    };
    check(false, "web", "me", false, Claim::Keep);
    check(false, "web", "me", true, Claim::Keep);
    check(true, "web", "me", false, Claim::Keep);
    check(false, "api", "me", false, Claim::Release);
    check(true, "api", "me", false, Claim::Ignore);
    check(false, "web", "", false, Claim::Adopt);
    check(false, "web", "", true, Claim::Ignore);
    check(true, "web", "", false, Claim::Ignore);
    check(false, "api", "", false, Claim::Ignore);
    check(false, "web", "another", false, Claim::Ignore);
}
