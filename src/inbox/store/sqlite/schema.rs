//! The tables, version by version.

use rusqlite::Connection;

use super::super::{InboxError, InboxErrorKind};
use super::fault::{of_open, unusable};
use super::keys;

/// `whin`: what tells an inbox from other databases.
pub(super) const APPLICATION: i64 = 0x7768_696e;

/// What leads from each version to the next. Only ever longer. The third gives all of them names that nobody else has, since
/// others have tables in the same file.
pub(super) const STEPS: &[&str] = &[
    "
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    state INTEGER NOT NULL,
    due INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    token BLOB,
    received INTEGER NOT NULL,
    ended INTEGER,
    until INTEGER NOT NULL,
    occurred INTEGER,
    readable TEXT NOT NULL,
    receiver TEXT NOT NULL,
    tenant TEXT,
    provider TEXT NOT NULL,
    event TEXT NOT NULL,
    lane TEXT,
    key_id TEXT,
    headers TEXT,
    blocks INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    replayed_by TEXT
) STRICT;
CREATE INDEX events_key ON events (substr(key, 1, 8));
CREATE INDEX events_due ON events (due) WHERE due IS NOT NULL;
CREATE INDEX events_lane ON events (lane, id) WHERE lane IS NOT NULL AND (state <= 1 OR blocks = 1);
CREATE INDEX events_skipped ON events (lane, id) WHERE lane IS NOT NULL AND state = 3;
CREATE INDEX events_until ON events (until) WHERE state = 2;
CREATE INDEX events_aside ON events (state, id) WHERE state >= 3;
CREATE TABLE bodies (id INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;
CREATE TABLE names (last INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    why TEXT
) STRICT;
CREATE INDEX steps_event ON steps (event);
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ready INTEGER NOT NULL,
    running INTEGER NOT NULL,
    done INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;
INSERT INTO ledger VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);
",
    "
ALTER TABLE events ADD COLUMN unended INTEGER NOT NULL DEFAULT 0;
UPDATE events SET unended = 1 WHERE state = 0 AND token IS NOT NULL;
DROP INDEX events_due;
CREATE INDEX events_due ON events (due) WHERE due IS NOT NULL AND unended = 0;
CREATE INDEX events_unended ON events (state, due) WHERE due IS NOT NULL AND unended = 1;
",
    "
ALTER TABLE events RENAME TO webhook_events;
ALTER TABLE bodies RENAME TO webhook_bodies;
ALTER TABLE names RENAME TO webhook_names;
ALTER TABLE steps RENAME TO webhook_steps;
ALTER TABLE ledger RENAME TO webhook_ledger;
DROP INDEX events_key;
DROP INDEX events_due;
DROP INDEX events_unended;
DROP INDEX events_lane;
DROP INDEX events_skipped;
DROP INDEX events_until;
DROP INDEX events_aside;
DROP INDEX steps_event;
CREATE INDEX webhook_events_key ON webhook_events (substr(key, 1, 8));
CREATE INDEX webhook_events_due ON webhook_events (due) WHERE due IS NOT NULL AND unended = 0;
CREATE INDEX webhook_events_unended ON webhook_events (state, due) WHERE due IS NOT NULL AND unended = 1;
CREATE INDEX webhook_events_lane ON webhook_events (lane, id) WHERE lane IS NOT NULL AND (state <= 1 OR blocks = 1);
CREATE INDEX webhook_events_skipped ON webhook_events (lane, id) WHERE lane IS NOT NULL AND state = 3;
CREATE INDEX webhook_events_until ON webhook_events (until) WHERE state = 2;
CREATE INDEX webhook_events_aside ON webhook_events (state, id) WHERE state >= 3;
CREATE INDEX webhook_steps_event ON webhook_steps (event);
",
    "
CREATE TABLE webhook_keys (prefix INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (prefix, id)) STRICT, WITHOUT ROWID;
ALTER TABLE webhook_ledger ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_ledger ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_ledger ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_ledger ADD COLUMN reached_prefix INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_ledger ADD COLUMN reached_id INTEGER NOT NULL DEFAULT 0;
UPDATE webhook_ledger SET merged = last, sealed = last;
",
    "
ALTER TABLE webhook_events ADD COLUMN other INTEGER NOT NULL DEFAULT 0;
UPDATE webhook_events SET other = 1 WHERE state = 5 AND state >= 3;
",
];

/// The version that has a table of keys.
const KEYED: usize = 4;

/// The version of this database; 0 for one that is empty.
///
/// # Errors
///
/// It is none of ours, or newer than this.
pub(super) fn version(connection: &Connection) -> Result<usize, InboxError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| of_open(&error));
    let application = number("PRAGMA application_id")?;
    if application != APPLICATION && (application != 0 || number("SELECT count(*) FROM sqlite_schema")? != 0) {
        return Err(unusable("the file is no inbox"));
    }
    let version = usize::try_from(number("PRAGMA user_version")?).unwrap_or(usize::MAX);
    if version > STEPS.len() {
        return Err(unusable(format!("its version is {version}, and this program knows {} at most", STEPS.len())));
    }
    Ok(version)
}

/// Brings the tables up to date.
pub(super) fn migrate(connection: &Connection) -> Result<(), InboxError> {
    let version = version(connection)?;
    for (number, step) in STEPS.iter().enumerate().skip(version) {
        let number = number.saturating_add(1);
        bring_to(connection, number, step).map_err(|error| of_open(&error))?;
    }
    Ok(())
}

fn bring_to(connection: &Connection, number: usize, step: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {step}"))?;
    if number == KEYED {
        keys::fill(connection)?;
        connection.execute_batch("DROP INDEX webhook_events_key")?;
    }
    let text = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {number}; COMMIT");
    connection.execute_batch(&text)
}

/// A visitor changes no table.
pub(super) fn must_be_current(connection: &Connection) -> Result<(), InboxError> {
    match version(connection)? {
        version if version == STEPS.len() => Ok(()),
        version => Err(InboxError::new(InboxErrorKind::Unusable).caused_by(format!(
            "its version is {version}: let its owner open it first, which brings it to {}",
            STEPS.len()
        ))),
    }
}
