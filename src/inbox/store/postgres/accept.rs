//! What is new is stored.

use tokio_postgres::Row;

use super::super::{Accepted, EventId, InboxError, NewEvent};
use super::call::values;
use super::handle::Handle;
use super::row::{column, damaged, lane_key, micros, put};

pub(super) const ACCEPT: &str = "SELECT what, number, is_new FROM \
    inbox.accept_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

pub(super) async fn accept(inbox: &Handle, events: Vec<NewEvent>, now: i64) -> Result<Vec<Accepted>, InboxError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    fn column_of<T>(events: &[NewEvent], of: impl Fn(&NewEvent) -> T) -> Vec<T> {
        events.iter().map(of).collect()
    }
    let events = &events[..];
    let values = values![
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
        column_of(events, |event| event.lane.as_deref().map(|lane| lane_key(inbox.schema(), lane))),
        column_of(events, |event| event.key_id.as_deref().map(put)),
        column_of(events, |event| headers_text(&event.headers)),
        column_of(events, |event| event.payload.to_vec()),
        now,
        now.saturating_add(inbox.skew.offset()),
        inbox.is_full(),
    ];
    let rows = inbox.ask(ACCEPT, values).await?;
    if rows.iter().any(|row| matches!(row.try_get(2), Ok(true))) {
        inbox.bell.ring();
    }
    rows.iter().map(accepted).collect()
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
