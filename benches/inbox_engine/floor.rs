//! The bare engine: the least that must be written, with the same settings.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use tower_webhook::error::BoxError;

const GROUP: usize = 64;
const TABLES: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0; PRAGMA secure_delete = 1; PRAGMA wal_autocheckpoint = 2048;
    CREATE TABLE keys (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE bodies (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
    CREATE TABLE ready (id INTEGER PRIMARY KEY, due INTEGER NOT NULL);
    CREATE INDEX ready_due ON ready (due);";

/// A file, and the last event in it.
pub(crate) struct Floor(Connection, i64);

impl Floor {
    pub(crate) fn open(file: PathBuf) -> Result<Self, BoxError> {
        let connection = Connection::open(file)?;
        connection.execute_batch(TABLES)?;
        Ok(Self(connection, 0))
    }

    pub(crate) fn fill(&mut self, keys: &[[u8; 16]]) -> Result<(), BoxError> {
        let Self(connection, last) = self;
        for keys in keys.chunks(GROUP) {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for key in keys {
                *last += 1;
                let id = *last;
                connection.prepare_cached("INSERT INTO keys VALUES (?1, ?2)")?.execute(params![key, id])?;
                connection.prepare_cached("INSERT INTO bodies VALUES (?1, ?2)")?.execute(params![id, [b'x'; 1024]])?;
                connection.prepare_cached("INSERT INTO ready VALUES (?1, ?1)")?.execute([id])?;
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
