//! The two ways of putting an object together give the same text.

use bytes::Bytes;

use super::Record;

fn check(resource: &str, meta: &'static str, body: &'static str, revision: u64) {
    let kind = api::builtin::kinds().iter().find(|kind| &*kind.plural == resource).expect("a built-in kind");
    let record =
        Record { meta: Bytes::from_static(meta.as_bytes()), body: Bytes::from_static(body.as_bytes()), revision };
    let pieces = record.shared_json(kind).expect("it is served as it is stored");
    let text = [pieces.concat(), b"}".to_vec()].concat();
    assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&record.json(kind)));
    assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
}

#[test]
fn pieces_make_the_whole() {
    check("configmaps", r#"{"name":"a"}"#, r#"{"data":{"a":"b"}}"#, 5);
    check("configmaps", r#"{"name":"a"}"#, "{}", 5);
    check("configmaps", "{}", r#"{"data":{}}"#, 5);
    check("configmaps", "{}", "{}", 0);
    check("configmaps", r#"{"name":"a"}"#, "{}", 0);
}

#[test]
fn only_a_deletion_time_means_deletion() {
    let is_deleting = |meta: &'static str| {
        let record = Record { meta: Bytes::from_static(meta.as_bytes()), body: Bytes::new(), revision: 1 };
        record.is_deleting().expect("the metadata is readable")
    };
    assert!(!is_deleting(r#"{"name":"a"}"#));
    assert!(is_deleting(r#"{"deletionTimestamp":"2026-01-01T00:00:00Z","name":"a"}"#));
    assert!(!is_deleting(r#"{"annotations":{"deletionTimestamp":"no"},"name":"a"}"#));
}
