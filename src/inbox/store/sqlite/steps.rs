//! What happened to an event, beyond that it was accepted and done, which its row says.

use rusqlite::{Connection, params};

use super::row::Micros;

pub(super) const OF: &str = "SELECT at, what, why FROM webhook_steps WHERE event = ?1 ORDER BY id";

pub(super) fn add(connection: &Connection, id: i64, at: Micros, what: &str, why: Option<&str>) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT INTO webhook_steps (event, at, what, why) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![id, at, what, why]).map(drop)
}
