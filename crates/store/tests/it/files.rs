//! What only the SQLite file shows: formats, strangers, damage, locks and a
//! full disk.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use store::engine::Sqlite;
use store::{EngineError, Error, Store};

use crate::support::*;

fn refusal(bench: &Bench) -> EngineError {
    Sqlite::open(bench.path()).err().expect("the file should have been refused")
}

#[test]
fn a_newer_format_is_refused() {
    let bench = Bench::sqlite();
    drop(bench.open());
    let db = Connection::open(bench.path()).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    drop(db);
    let error = refusal(&bench);
    assert!(matches!(error, EngineError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    assert!(error.to_string().ends_with("has format 2, this version reads formats up to 1"), "{error}");
}

#[test]
fn a_stranger_is_refused_and_left_alone() {
    let bench = Bench::sqlite();
    std::fs::write(bench.path(), "certainly not a database, but long enough to be looked at ".repeat(100)).unwrap();
    let before = std::fs::read(bench.path()).unwrap();
    assert!(matches!(refusal(&bench), EngineError::Foreign(_)));
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
    std::fs::remove_file(bench.path()).unwrap();
    let db = Connection::open(bench.path()).unwrap();
    db.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(db);
    let before = std::fs::read(bench.path()).unwrap();
    assert!(matches!(refusal(&bench), EngineError::Foreign(_)));
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
}

#[test]
fn only_one_process_has_it_open() {
    let bench = Bench::sqlite();
    let store = bench.open();
    assert!(matches!(refusal(&bench), EngineError::InUse(_)));
    drop(store);
    assert!(Sqlite::open(bench.path()).is_ok());
}

#[test]
fn only_its_owner_can_read_it() {
    run(async {
        let bench = Bench::sqlite();
        let store = bench.open();
        put(&store, cm("a"), "v").await.unwrap();
        store.snapshot(bench.dir.path().join("copy.db")).await.unwrap();
        for file in std::fs::read_dir(bench.dir.path()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.path().display());
        }
    });
}

/// Writes three values, lets `damage` loose on the file, and opens it again.
fn damaged(damage: &str) -> Error {
    let bench = Bench::sqlite();
    run(async {
        let store = bench.open();
        for text in ["one", "two", "three"] {
            put(&store, cm(text), text).await.unwrap();
        }
    });
    let db = Connection::open(bench.path()).unwrap();
    assert!(db.execute(damage, []).unwrap() > 0);
    drop(db);
    Store::open(bench.engine(), bench.options()).err().expect("the damage should have been noticed")
}

#[test]
fn damage_is_named_by_its_revision() {
    let checksum = "the log is damaged at revision 2: the checksum does not match";
    let cases = [
        ("UPDATE log SET frame = CAST(replace(frame, 'two', 'twö') AS BLOB) WHERE revision = 2", checksum),
        ("UPDATE log SET frame = CAST(replace(frame, 'two', 'owt') AS BLOB) WHERE revision = 2", checksum),
        ("UPDATE log SET frame = substr(frame, 1, 60) WHERE revision = 2", checksum),
        ("UPDATE log SET frame = x'01' WHERE revision = 2", "the log is damaged at revision 2: the frame is cut short"),
        (
            "UPDATE log SET frame = (SELECT frame FROM log WHERE revision = 1) WHERE revision = 2",
            "the log is damaged at revision 2: the frame there is of revision 1",
        ),
        (
            "UPDATE log SET frame = x'09' WHERE revision = 3",
            "the log is damaged at revision 3: the frame has format 9, which this version does not read",
        ),
    ];
    for (damage, expected) in cases {
        let error = damaged(damage);
        assert!(matches!(error, Error::Corrupt { .. }));
        assert_eq!(error.to_string(), expected, "after {damage}");
    }
}

#[test]
fn a_full_disk_stops_writes_and_says_so() {
    run(async {
        let bench = Bench::sqlite();
        let bounded = |bytes| Box::new(Sqlite::open_bounded(bench.path(), bytes).unwrap());
        let store = Store::open(bounded(512 * 1024), bench.options()).unwrap();
        let mut acknowledged = 0;
        let error = loop {
            match put(&store, cm(&format!("k{acknowledged:04}")), &"x".repeat(10_000)).await {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert!((15..26).contains(&acknowledged), "{acknowledged} writes fitted");
        assert!(matches!(error, Error::NotDurable { .. }), "{error}");
        assert!(error.to_string().contains("no space is left"), "{error}");
        assert!(matches!(put(&store, cm("a"), "v").await, Err(Error::ReadOnly { .. })));
        assert_eq!(store.stats().read_only.as_deref(), Some("no space is left for the log"));
        assert_eq!(list(&store, &all("configmaps")).entries.len(), acknowledged);
        drop(store);
        let store = Store::open(bounded(4 * 1024 * 1024), bench.options()).unwrap();
        assert_eq!(list(&store, &all("configmaps")).entries.len(), acknowledged);
        put(&store, cm("a"), "v").await.unwrap();
    });
}

#[test]
fn secrets_are_not_in_the_file() {
    run(async {
        let bench = Bench::sqlite();
        let store = bench.open();
        for n in 0..20 {
            put(&store, key("secrets", "root", "a", &format!("s{}", n % 3)), "correct horse battery").await.unwrap();
            put(&store, cm("a"), "plain as day").await.unwrap();
        }
        let search = || {
            let files = std::fs::read_dir(bench.dir.path()).unwrap();
            let all: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
            let shown = |needle: &[u8]| all.windows(needle.len()).any(|window| window == needle);
            assert!(shown(b"plain as day"));
            assert!(!shown(b"horse") && !shown(b"meta of correct"));
        };
        search();
        drop(store);
        search();
    });
}
