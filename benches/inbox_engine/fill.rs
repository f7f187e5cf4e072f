//! Files with many events, written at once past the inbox.

use std::path::Path;

use rusqlite::{Connection, params};
use tower_webhook::clock::Timestamp;
use tower_webhook::error::BoxError;

/// Events that wait, with bodies of 1 KB; or that are done, whose bodies are purged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Waiting,
    Done,
}

const CHUNK: u64 = 100_000;
const WAITING_KEYS: u64 = 128 * 1024;
const EVENTS: &str = "WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
    INSERT INTO webhook_events (id, key, fingerprint, state, due, attempts, received, ended, until, readable, receiver,
        provider, event, key_id)
    SELECT i, randomblob(32), randomblob(16), ?3, iif(?3 = 0, ?4, NULL), iif(?3 = 0, 0, 1), ?4, iif(?3 = 0, NULL, ?4),
        ?4 + 3000000000000, 'transfer.completed:' || hex(randomblob(16)), 'bench', 'aella', 'transfer.completed', 'default'
    FROM n";
const KEYS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO webhook_keys SELECT random() AS prefix, i FROM n ORDER BY prefix";
const BODIES: &str = "WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
    INSERT INTO webhook_bodies SELECT i, zeroblob(1024) FROM n";

/// Into a file that an inbox has made and that has no events.
pub(crate) fn fill(file: &Path, number: u64, kind: Kind) -> Result<(), BoxError> {
    let connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")?;
    let now = Timestamp::now().as_microsecond();
    let state = if kind == Kind::Waiting { 0 } else { 2 };
    let mut from = 1;
    while from <= number {
        let to = number.min(from + CHUNK - 1);
        let (first, last) = (i64::try_from(from)?, i64::try_from(to)?);
        connection.execute_batch("BEGIN")?;
        connection.execute(EVENTS, params![first, last, state, now])?;
        if kind == Kind::Waiting {
            connection.execute(BODIES, params![first, last])?;
        }
        connection.execute_batch("COMMIT")?;
        from = to + 1;
    }
    // As if they were those of the events: whether there are others alike does not matter.
    connection.execute(KEYS, [i64::try_from(number)?])?;
    let column = if kind == Kind::Waiting { "ready" } else { "done" };
    // As many wait as ever do when it is opened.
    let merged = format!("max(0, ?1 - {WAITING_KEYS})");
    let ledger = format!("UPDATE webhook_ledger SET {column} = ?1, last = ?1, merged = {merged}, sealed = {merged}");
    connection.execute(&ledger, [i64::try_from(number)?])?;
    Ok(())
}
