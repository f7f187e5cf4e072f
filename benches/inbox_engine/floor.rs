//! The bare engine: the least that must be written, with the same settings.

use std::time::Instant;

use rusqlite::{Connection, params};
use tower_webhook::error::BoxError;

use crate::events::{first, hash, real};
use crate::place::Place;

const GROUP: u64 = 64;
const TABLES: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0; PRAGMA secure_delete = 1;
    CREATE TABLE keys (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE bodies (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
    CREATE TABLE ready (id INTEGER PRIMARY KEY, due INTEGER NOT NULL);
    CREATE INDEX ready_due ON ready (due);";

/// Events a second.
pub(crate) fn rate(number: u64) -> Result<f64, BoxError> {
    let place = Place::new()?;
    let connection = Connection::open(place.file())?;
    connection.execute_batch(TABLES)?;
    let began = Instant::now();
    for group in 0..number / GROUP {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for id in group * GROUP..(group + 1) * GROUP {
            let (key, id) = (first(&hash(id)), i64::try_from(id)?);
            connection.prepare_cached("INSERT INTO keys VALUES (?1, ?2)")?.execute(params![key, id])?;
            connection.prepare_cached("INSERT INTO bodies VALUES (?1, ?2)")?.execute(params![id, [b'x'; 1024]])?;
            connection.prepare_cached("INSERT INTO ready VALUES (?1, ?1)")?.execute([id])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    Ok(real(number)? / began.elapsed().as_secs_f64())
}
