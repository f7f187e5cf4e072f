//! The statements by which an event is stored.

use rusqlite::{CachedStatement, Connection};

pub(super) const KNOWN: &str =
    "SELECT id, fingerprint, state FROM webhook_events WHERE substr(key, 1, 8) = substr(?1, 1, 8) AND key = ?1";
const STORE: &str = "INSERT INTO webhook_events (id, key, fingerprint, state, due, received, until, occurred, readable, receiver, \
                     provider, event, lane, key_id, reason, tenant, headers) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const STORE_BODY: &str = "INSERT INTO webhook_bodies (id, payload) VALUES (?1, ?2)";

/// The statements that each event takes, found once for all of a transaction.
pub(super) struct Storing<'a> {
    pub(super) known: CachedStatement<'a>,
    pub(super) store: CachedStatement<'a>,
    pub(super) store_body: CachedStatement<'a>,
}

impl<'a> Storing<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            known: connection.prepare_cached(KNOWN)?,
            store: connection.prepare_cached(STORE)?,
            store_body: connection.prepare_cached(STORE_BODY)?,
        })
    }
}
