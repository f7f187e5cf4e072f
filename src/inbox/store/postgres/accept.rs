//! What is new is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::Row;

use super::super::{Accepted, EventId, InboxError, NewEvent};
use super::asking::Asking;
use super::bell::Bell;
use super::call::{Values, values};
use super::row::{column, damaged, lane_key, micros, put};
use super::skew::Skew;

pub(super) const ACCEPT: &str = "SELECT what, number, is_new FROM \
    inbox.accept_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// The same, or no answer.
pub(super) const SHARED: &str = "SELECT what, number, is_new FROM \
    inbox.accept_3($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// What it takes to accept.
#[derive(Clone)]
pub(super) struct Accepting {
    pub(super) asking: Asking,
    pub(super) bell: Arc<Bell>,
    pub(super) skew: Arc<Skew>,
    pub(super) is_full: Arc<AtomicBool>,
}

impl Accepting {
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// What one delivery brings.
    pub(super) async fn alone(&self, events: &[&NewEvent], now: i64) -> Result<Vec<Accepted>, InboxError> {
        let rows = self.asking.ask(ACCEPT, self.values(events, now)).await?;
        self.told(&rows)
    }

    /// What several bring. `None`: nothing has happened, and each has to be asked for alone.
    pub(super) async fn shared(&self, events: &[&NewEvent], now: i64) -> Result<Option<Vec<Accepted>>, InboxError> {
        let rows = self.asking.ask(SHARED, self.values(events, now)).await?;
        if rows.len() == events.len() { self.told(&rows).map(Some) } else { Ok(None) }
    }

    fn values(&self, events: &[&NewEvent], now: i64) -> Values {
        fn column_of<T>(events: &[&NewEvent], of: impl Fn(&NewEvent) -> T) -> Vec<T> {
            events.iter().map(|event| of(event)).collect()
        }
        let lane_of = |lane: &str| lane_key(&self.asking.schema, lane);
        values![
            column_of(events, |event| event.key.as_bytes().to_vec()),
            column_of(events, |event| event.fingerprint.as_bytes().to_vec()),
            column_of(events, |event| micros(event.key_until)),
            column_of(events, |event| event.occurred_at.map(micros)),
            column_of(events, |event| put(&event.readable_key)),
            column_of(events, |event| put(&event.receiver)),
            column_of(events, |event| event.tenant.as_deref().map(put)),
            column_of(events, |event| put(&event.provider)),
            column_of(events, |event| put(&event.event)),
            column_of(events, |event| event.lane.as_deref().map(put)),
            column_of(events, |event| event.lane.as_deref().map(lane_of)),
            column_of(events, |event| event.key_id.as_deref().map(put)),
            column_of(events, |event| headers_text(&event.headers)),
            column_of(events, |event| event.payload.to_vec()),
            now,
            now.saturating_add(self.skew.offset()),
            self.is_full(),
        ]
    }

    fn told(&self, rows: &[Row]) -> Result<Vec<Accepted>, InboxError> {
        if rows.iter().any(|row| matches!(row.try_get(2), Ok(true))) {
            self.bell.ring();
        }
        rows.iter().map(accepted).collect()
    }
}

fn accepted(row: &Row) -> Result<Accepted, InboxError> {
    let id = EventId(column(row, 1)?);
    Ok(match column::<i32>(row, 0)? {
        0 => Accepted::Stored(id),
        1 => Accepted::Duplicate(id),
        2 => Accepted::Quarantined(id),
        _ => return Err(damaged("an answer that is none")),
    })
}

/// Headers as JSON. `None`: there are none.
fn headers_text(headers: &[(String, String)]) -> Option<String> {
    if headers.is_empty() {
        return None;
    }
    // Texts can be written.
    serde_json::to_string(headers).ok()
}
