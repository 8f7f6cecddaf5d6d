//! What can only be seen from inside the connection.

use super::*;

#[test]
fn the_settings_that_durability_rests_on_are_in_force() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let engine = Sqlite::open(dir.path().join("store.db")).unwrap();
        let number = |name: &str| engine.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let mode: String = engine.db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        // 2 is FULL: the write-ahead log is synced at every commit.
        assert_eq!((mode.as_str(), number("synchronous")), ("wal", 2));
        assert_eq!((number("cache_size"), number("mmap_size"), number("page_size")), (-2048, 0, 4096));
        assert_eq!(number("application_id"), i64::from(APPLICATION_ID));
    }
}

#[test]
fn a_change_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Sqlite::open(dir.path().join("store.db")).unwrap();
    let append = [(1, vec![1]), (2, vec![2])];
    let notes = [("note".to_owned(), u64::MAX)];
    engine.write(&Change { append: &append, remove: &[], notes: &notes }).unwrap();
    let again = [(3, vec![3]), (2, vec![2])];
    assert!(engine.write(&Change { append: &again, remove: &[1], notes: &[] }).is_err());
    let mut seen = Vec::new();
    let mut visit = |revision, frame: Bytes| {
        seen.push((revision, frame.to_vec()));
        ControlFlow::Continue(())
    };
    engine.replay(&mut visit).unwrap();
    assert_eq!(seen, append);
    assert_eq!(engine.notes().unwrap(), notes);
}

#[test]
fn a_snapshot_shows_the_moment_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Sqlite::open(dir.path().join("store.db")).unwrap();
    let write = |engine: &mut Sqlite, revision: u64| {
        let append = [(revision, vec![7; 10_000])];
        engine.write(&Change { append: &append, ..Change::default() }).unwrap();
    };
    (1..=50).for_each(|revision| write(&mut engine, revision));
    let path = dir.path().join("copy.db");
    let job = engine.snapshot(&path).unwrap();
    (51..=90).for_each(|revision| write(&mut engine, revision));
    engine.write(&Change { remove: &(1..=40).collect::<Vec<u64>>(), ..Change::default() }).unwrap();
    assert!(!path.exists());
    job().unwrap();
    let mut seen = Vec::new();
    let mut visit = |revision, _: Bytes| {
        seen.push(revision);
        ControlFlow::Continue(())
    };
    Sqlite::open(&path).unwrap().replay(&mut visit).unwrap();
    assert_eq!(seen, (1..=50).collect::<Vec<u64>>());
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
}
