//! The bare engine: the least that must be written, with the same settings.

use std::time::Instant;

use rusqlite::{Connection, params};
use tower_webhook::error::BoxError;

use crate::cpu;
use crate::events::{first, hash};
use crate::place::Place;
use crate::rates::real;

const GROUP: usize = 64;
const TABLES: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0; PRAGMA secure_delete = 1; PRAGMA wal_autocheckpoint = 4096;
    CREATE TABLE keys (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE bodies (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
    CREATE TABLE ready (id INTEGER PRIMARY KEY, due INTEGER NOT NULL);
    CREATE INDEX ready_due ON ready (due);";

/// Events a second, and nanoseconds on a CPU for each.
pub(crate) fn rate(number: u64) -> Result<(f64, f64), BoxError> {
    let place = Place::new()?;
    let connection = Connection::open(place.file())?;
    connection.execute_batch(TABLES)?;
    let keys: Vec<_> = (0..number).map(|id| first(&hash(id))).collect();
    let mut took = 0.0;
    let nanos = cpu::nanos(|| {
        let began = Instant::now();
        fill(&connection, &keys)?;
        took = began.elapsed().as_secs_f64();
        Ok(())
    })?;
    Ok((real(number)? / took, nanos / real(number)?))
}

fn fill(connection: &Connection, keys: &[[u8; 16]]) -> Result<(), BoxError> {
    for (group, keys) in keys.chunks(GROUP).enumerate() {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for (place, key) in keys.iter().enumerate() {
            let id = i64::try_from(group * GROUP + place)?;
            connection.prepare_cached("INSERT INTO keys VALUES (?1, ?2)")?.execute(params![key, id])?;
            connection.prepare_cached("INSERT INTO bodies VALUES (?1, ?2)")?.execute(params![id, [b'x'; 1024]])?;
            connection.prepare_cached("INSERT INTO ready VALUES (?1, ?1)")?.execute([id])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    Ok(())
}
