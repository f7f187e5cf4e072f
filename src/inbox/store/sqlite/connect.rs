//! Connections, and who may have which.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::{InboxError, InboxErrorKind};
use super::fault::{of_open, unusable};
use super::schema;
use super::setup::SqliteSetup;

/// Versions before may lose commits when two connections write or checkpoint at once: <https://sqlite.org/wal.html#walresetbug>.
const SOUND: i32 = 3_051_003;

/// The log is written into the file when it has so many bytes. A page that changes again and again meanwhile is written there
/// once. Twice as many bytes bring no more events a second, and who waits for it waits twice as long; of half as many more
/// commits wait.
const CHECKPOINT: u32 = 16 * 1024 * 1024;

/// Refuses an SQLite that may lose commits, by its number.
pub(super) fn must_be_sound(number: i32, name: &str) -> Result<(), InboxError> {
    if number >= SOUND {
        return Ok(());
    }
    Err(unusable(format!("SQLite {name} may lose commits (the WAL-reset bug): 3.51.3 is the first that does not")))
}

/// The file itself, since its lock is beside it by whatever link it is named. An owner makes it where it is not there.
pub(super) fn real(path: PathBuf, is_owner: bool) -> Result<PathBuf, InboxError> {
    if !path.is_symlink() {
        return Ok(path);
    }
    if is_owner {
        private(&path).map_err(unreachable)?;
    }
    path.canonicalize().map_err(unreachable)
}

/// A child that this process starts has its locks until it is another program: what was given back may be held for a moment.
const MOMENT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(5);

/// The owner's lock, which the kernel frees when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File, InboxError> {
    let file = private(&beside(path, ".lock")).map_err(unreachable)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < MOMENT => thread::sleep(STEP),
            Err(TryLockError::WouldBlock) => {
                let error = InboxError::new(InboxErrorKind::Unavailable);
                return Err(error.caused_by("somebody else owns it and has it open"));
            }
            Err(TryLockError::Error(error)) => return Err(unreachable(error)),
        }
    }
}

/// The connection that writes. The owner's alone makes tables and checkpoints.
pub(super) fn writer(path: &Path, setup: &SqliteSetup, is_owner: bool) -> Result<Connection, InboxError> {
    must_be_sound(rusqlite::version_number(), rusqlite::version())?;
    if is_owner {
        private(path).map_err(unreachable)?;
    }
    let connection = open(path, setup)?;
    if is_owner {
        schema::version(&connection)?;
        owned(&connection, setup).map_err(|error| of_open(&error))?;
        must_be_wal(&connection)?;
        schema::migrate(&connection)?;
    } else {
        schema::must_be_current(&connection)?;
        visiting(&connection).map_err(|error| of_open(&error))?;
    }
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path, setup: &SqliteSetup) -> Result<Connection, InboxError> {
    let connection = open(path, setup)?;
    visiting(&connection)
        .and_then(|()| connection.pragma_update(None, "query_only", true))
        .map_err(|error| of_open(&error))?;
    Ok(connection)
}

fn open(path: &Path, setup: &SqliteSetup) -> Result<Connection, InboxError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepare = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(setup.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(without_row)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // What is purged or erased is overwritten.
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        Ok(connection)
    };
    prepare().map_err(|error| of_open(&error))
}

fn owned(connection: &Connection, setup: &SqliteSetup) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", setup.page_size)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT / setup.page_size.max(1), |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", 2 * CHECKPOINT, |_| Ok(()))
}

/// Of those who do not own it none checkpoints, not even at its end.
fn visiting(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

fn must_be_wal(connection: &Connection) -> Result<(), InboxError> {
    let mode: String =
        connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(|error| of_open(&error))?;
    if mode == "wal" { Ok(()) } else { Err(unusable(format!("its journal is {mode}, and cannot be made a WAL here"))) }
}

/// A pragma that answers with no row where it has nothing to say.
fn without_row(error: rusqlite::Error) -> rusqlite::Result<()> {
    if error == rusqlite::Error::QueryReturnedNoRows { Ok(()) } else { Err(error) }
}

/// A file that its user alone may read, since bodies are in it.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The file of this ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn unreachable(error: io::Error) -> InboxError {
    InboxError::new(InboxErrorKind::Unavailable).caused_by(error)
}
