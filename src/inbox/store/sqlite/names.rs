//! Readable keys, found again without an index of their own: it would take as long as all else that an event writes.
//!
//! Of each block of numbers there is one row with a short hash of each key, written when the block is full, at the end of
//! its table. Who looks for a key goes through the hashes, some bytes an event, then through the blocks that may have it, and
//! through the events after the last block.

use rusqlite::{Connection, params};
use xxhash_rust::xxh3::xxh3_64;

/// Numbers of a block. The statements below name it once more.
const BLOCK: i64 = 1024;
/// Bytes of a block that is full.
const WHOLE: usize = 4 * 1024;

/// The events of a readable key, which is `?1`; `?2` is its hash. The plus keeps SQLite from making an index for it.
pub(super) const OF_KEY: &str = "SELECT webhook_events.id FROM webhook_names CROSS JOIN webhook_events \
                                 ON webhook_events.id BETWEEN webhook_names.last - 1023 AND webhook_names.last \
                                 WHERE instr(webhook_names.hashes, ?2) > 0 AND +webhook_events.readable = ?1 \
                                 UNION ALL SELECT id FROM webhook_events \
                                 WHERE id > (SELECT coalesce(max(last), 0) FROM webhook_names) AND readable = ?1";
const OF_BLOCK: &str = "SELECT readable FROM webhook_events WHERE id BETWEEN ?1 - 1023 AND ?1";
const STORE: &str = "INSERT INTO webhook_names (last, hashes) VALUES (?1, ?2)";
const DROP: &str = "DELETE FROM webhook_names WHERE last < (SELECT coalesce(min(id), 0) FROM webhook_events)";

/// What a block has of a key. Two keys may have the same, and then one is looked at in vain.
pub(super) fn hash(key: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = xxh3_64(key).to_le_bytes();
    [a, b, c, d]
}

/// The block that is being filled, so that what was just written need not be read. What is not all there, since the numbers
/// before came from somebody else or were given twice, is read when the block is full.
#[derive(Debug, Default)]
pub(super) struct Block {
    last: i64,
    hashes: Vec<u8>,
}

impl Block {
    /// After an event was stored.
    pub(super) fn add(&mut self, connection: &Connection, id: i64, key: &str) -> rusqlite::Result<()> {
        if id != self.last.saturating_add(1) {
            self.hashes.clear();
        }
        self.last = id;
        self.hashes.extend(hash(key.as_bytes()));
        if id.rem_euclid(BLOCK) != 0 {
            return Ok(());
        }
        let mut hashes = std::mem::take(&mut self.hashes);
        if hashes.len() != WHOLE {
            hashes = read(connection, id)?;
        }
        connection.prepare_cached(STORE)?.execute(params![id, hashes]).map(drop)
    }
}

fn read(connection: &Connection, last: i64) -> rusqlite::Result<Vec<u8>> {
    let mut hashes = Vec::with_capacity(WHOLE);
    let mut statement = connection.prepare_cached(OF_BLOCK)?;
    let mut rows = statement.query([last])?;
    while let Some(row) = rows.next()? {
        hashes.extend(hash(row.get_ref(0)?.as_bytes()?));
    }
    Ok(hashes)
}

/// Blocks before the first event that is there.
pub(super) fn purge(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached(DROP)?.execute([]).map(drop)
}
