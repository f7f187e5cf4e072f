//! The statements by which an event is stored.

use rusqlite::{CachedStatement, Connection};

use super::keys;

pub(super) const KNOWN: &str = "SELECT fingerprint, other FROM webhook_events WHERE id = ?1 AND key = ?2";
const STORE: &str = "INSERT INTO webhook_events (id, key, fingerprint, state, due, received, until, occurred, readable, receiver, \
                     provider, event, lane, key_id, reason, tenant, headers, other) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
const STORE_BODY: &str = "INSERT INTO webhook_bodies (id, payload) VALUES (?1, ?2)";

/// The statements that each event takes, found once for all of a transaction.
pub(super) struct Storing<'a> {
    pub(super) of_prefix: CachedStatement<'a>,
    pub(super) known: CachedStatement<'a>,
    pub(super) store: CachedStatement<'a>,
    pub(super) store_body: CachedStatement<'a>,
}

impl<'a> Storing<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            of_prefix: connection.prepare_cached(keys::OF_PREFIX)?,
            known: connection.prepare_cached(KNOWN)?,
            store: connection.prepare_cached(STORE)?,
            store_body: connection.prepare_cached(STORE_BODY)?,
        })
    }
}
