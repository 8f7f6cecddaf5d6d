//! The log as one SQLite file: a row per frame, one transaction per change,
//! synced before it returns. It must never interpret a frame.

use std::fs::{File, OpenOptions, TryLockError};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::checkpoint::Checkpoints;
use super::log::{Change, Engine, EngineError, SnapshotJob};

/// "Cora" in SQLite's field for the application a file belongs to.
const APPLICATION_ID: u32 = 0x436f_7261;
/// Version of the tables below; kept in SQLite's field for the user's version.
const FORMAT: u32 = 1;
const PAGE_BYTES: u64 = 4096;

const SCHEMA: &str = "
    CREATE TABLE log (revision INTEGER PRIMARY KEY, frame BLOB NOT NULL);
    CREATE TABLE note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

/// How the connection works. FULL syncs the write-ahead log at every commit:
/// that one sync is what makes a batch durable. The write-ahead log is folded in
/// beside the writer (see `checkpoint`); only one that outgrows 256 MiB under a
/// load that never pauses is folded in by the writer itself. The cache is small
/// because reads come from the store's own index.
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 65536;
    PRAGMA journal_size_limit = 33554432;
    PRAGMA cache_size = -2048;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
";

/// A log in an SQLite file, held by one process at a time.
pub struct Sqlite {
    // Stands first, so that its connection is closed before the writer's.
    checkpoints: Checkpoints,
    db: Connection,
    path: PathBuf,
    // Held, never read. Stands last, so that it goes when the file is closed.
    _lock: Lock,
}

/// The lock of a log, given back when dropped.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started at
        // this moment may hold a copy of it, and with it the lock. If it fails,
        // closing is all that is left.
        let _ = self.0.unlock();
    }
}

impl Sqlite {
    /// Opens the log at `path`, or makes an empty one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        let path = path.as_ref().to_owned();
        let lock = lock_beside(&path)?;
        make_private(&path)?;
        let mut db = connect(&path)?;
        adopt(&mut db, &path)?;
        sync_directory_of(&path)?;
        let checkpoints = Checkpoints::start(&path)?;
        Ok(Sqlite { checkpoints, db, path, _lock: lock })
    }

    /// As [`Sqlite::open`], but refuses to let the file grow beyond `bytes`.
    pub fn open_bounded(path: impl AsRef<Path>, bytes: u64) -> Result<Self, EngineError> {
        let engine = Sqlite::open(path)?;
        engine.db.pragma_update(None, "max_page_count", (bytes / PAGE_BYTES).max(1).cast_signed())?;
        Ok(engine)
    }

    /// Makes a new file holding `content` alone; it appears when it is complete.
    pub(super) fn create_with(path: &Path, content: &Change<'_>) -> Result<(), EngineError> {
        appear(path, |partial| {
            make_private(partial)?;
            let mut db = connect(partial)?;
            adopt(&mut db, partial)?;
            apply(&mut db, content)?;
            // Leaves one file: what is in the write-ahead log moves into it.
            db.pragma_update(None, "journal_mode", "DELETE")?;
            Ok(())
        })
    }
}

impl Engine for Sqlite {
    fn notes(&mut self) -> Result<Vec<(String, u64)>, EngineError> {
        let mut statement = self.db.prepare("SELECT name, value FROM note")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn replay(&mut self, visit: &mut dyn FnMut(u64, Bytes) -> ControlFlow<()>) -> Result<(), EngineError> {
        let mut statement = self.db.prepare("SELECT revision, frame FROM log ORDER BY revision")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let revision = row.get::<_, i64>(0)?.cast_unsigned();
            let frame = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if visit(revision, Bytes::copy_from_slice(frame)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &Change<'_>) -> Result<(), EngineError> {
        apply(&mut self.db, change)?;
        self.checkpoints.wrote(pages(change) * PAGE_BYTES as usize);
        Ok(())
    }

    fn snapshot(&mut self, path: &Path) -> Result<SnapshotJob, EngineError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(&self.path, flags)?;
        // A read transaction pins what is seen from here on; it begins with its
        // first read, so one is made now.
        source.execute_batch("BEGIN; SELECT count(*) FROM note;")?;
        let path = path.to_owned();
        Ok(Box::new(move || {
            appear(&path, |partial| {
                make_private(partial)?;
                let mut copy = Connection::open(partial)?;
                match Backup::new(&source, &mut copy)?.step(-1)? {
                    StepResult::Done => Ok(()),
                    other => Err(EngineError::Other(format!("the copy ended early: {other:?}"))),
                }
            })
        }))
    }

    fn size(&mut self) -> Result<u64, EngineError> {
        let pages: i64 = self.db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(pages.cast_unsigned() * PAGE_BYTES)
    }
}

/// Pages that a change adds to the write-ahead log, rather too many than too few: the log
/// grows by whole pages, however little of them changes.
fn pages(change: &Change<'_>) -> usize {
    let appended: usize = change.append.iter().map(|(_, frame)| frame.len() / PAGE_BYTES as usize + 1).sum();
    appended + change.remove.len() + change.notes.len() + 1
}

fn apply(db: &mut Connection, change: &Change<'_>) -> Result<(), EngineError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut append = transaction.prepare_cached("INSERT INTO log (revision, frame) VALUES (?1, ?2)")?;
        for (revision, frame) in change.append {
            append.execute((revision.cast_signed(), frame.as_slice()))?;
        }
        let mut remove = transaction.prepare_cached("DELETE FROM log WHERE revision = ?1")?;
        for revision in change.remove {
            remove.execute([revision.cast_signed()])?;
        }
        let mut note = transaction.prepare_cached("INSERT OR REPLACE INTO note (name, value) VALUES (?1, ?2)")?;
        for (name, value) in change.notes {
            note.execute((name, value.cast_signed()))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, EngineError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// Checks that the file is ours and not newer than we are, or makes it ours if
/// it is empty. Nothing is written to a file that is refused.
fn adopt(db: &mut Connection, path: &Path) -> Result<(), EngineError> {
    let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => EngineError::Foreign(path.to_owned()),
        _ => EngineError::from(error),
    };
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(foreign);
    let application = number("application_id")?.cast_unsigned();
    let found = number("user_version")?.cast_unsigned();
    let tables: u32 =
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(EngineError::from)?;
    let is_new = application == 0 && found == 0 && tables == 0;
    if !is_new && application != APPLICATION_ID {
        return Err(EngineError::Foreign(path.to_owned()));
    }
    if found > FORMAT {
        return Err(EngineError::NewerFormat { path: path.to_owned(), found, supported: FORMAT });
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.execute_batch(SETTINGS)?;
    if is_new {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Takes the lock file beside the log. SQLite's own locks would let a second
/// process write between our transactions, and two sequencers would give out
/// the same revisions.
fn lock_beside(path: &Path) -> Result<Lock, EngineError> {
    let beside = with_suffix(path, "-lock");
    let options = || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&beside);
    let file = options().map_err(|source| EngineError::Io { path: beside.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(EngineError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(EngineError::Io { path: beside, source }),
    }
}

/// Makes the file before SQLite does, so that only its owner can read it; the
/// files beside it inherit this.
fn make_private(path: &Path) -> Result<(), EngineError> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(drop).map_err(|source| EngineError::Io { path: path.to_owned(), source })
}

/// Lets `make` write a file under another name and renames it when it is
/// complete and synced, so that `path` never holds half of it. Replaces nothing.
fn appear(path: &Path, make: impl FnOnce(&Path) -> Result<(), EngineError>) -> Result<(), EngineError> {
    if path.exists() {
        return Err(EngineError::Exists(path.to_owned()));
    }
    let partial = with_suffix(path, "-partial");
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    make(&partial)?;
    File::open(&partial).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&partial, path).map_err(io)?;
    sync_directory_of(path)
}

fn sync_directory_of(path: &Path) -> Result<(), EngineError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|source| EngineError::Io { path: directory.to_owned(), source })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
