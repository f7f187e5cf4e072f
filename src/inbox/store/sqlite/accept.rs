//! What is new is stored.

use rusqlite::{CachedStatement, params};

use super::super::{Accepted, EventId, InboxError, InboxErrorKind, NewEvent, StoredState};
use super::fault::Fault;
use super::row::{self, Micros};
use super::storing::Storing;
use super::task::Write;
use super::{lanes, room};
use crate::fail_point::reach;

/// What is there already of an event's key.
enum Known {
    Nothing,
    /// The same, or one that was kept apart for the same payload.
    Same(Accepted),
    /// Another payload.
    Other,
}

pub(super) fn accept(write: &mut Write<'_>, events: &[NewEvent], now: Micros) -> Result<Vec<Accepted>, Fault> {
    let mut storing = match write.storing.take() {
        Some(storing) => storing,
        None => Storing::prepare(write.connection)?,
    };
    let accepted = if room::is_there(write, events) {
        events.iter().map(|event| accept_one(write, &mut storing, event, now)).collect()
    } else {
        refused_or_known(&mut storing, events)
    };
    write.storing = Some(storing);
    reach!(Written);
    accepted
}

fn accept_one(
    write: &mut Write<'_>,
    storing: &mut Storing<'_>,
    event: &NewEvent,
    now: Micros,
) -> Result<Accepted, Fault> {
    match known(&mut storing.known, event)? {
        Known::Same(accepted) => Ok(accepted),
        Known::Nothing => {
            let due = lanes::due(write.connection, event.lane.as_deref(), now)?;
            write.is_woken |= due.is_some();
            Ok(Accepted::Stored(store(write, storing, event, StoredState::Ready, due, now)?))
        }
        Known::Other => Ok(Accepted::Quarantined(store(write, storing, event, StoredState::Quarantined, None, now)?)),
    }
}

fn known(statement: &mut CachedStatement<'_>, event: &NewEvent) -> rusqlite::Result<Known> {
    let mut rows = statement.query([event.key.as_bytes()])?;
    let mut known = Known::Nothing;
    while let Some(row) = rows.next()? {
        known = Known::Other;
        if row.get_ref(1)?.as_blob()? == event.fingerprint.as_bytes() {
            let id = EventId(row.get(0)?);
            let is_apart = row.get::<_, i64>(2)? == row::number(StoredState::Quarantined);
            return Ok(Known::Same(if is_apart { Accepted::Quarantined(id) } else { Accepted::Duplicate(id) }));
        }
    }
    Ok(known)
}

fn store(
    write: &mut Write<'_>,
    storing: &mut Storing<'_>,
    event: &NewEvent,
    state: StoredState,
    due: Option<Micros>,
    now: Micros,
) -> rusqlite::Result<EventId> {
    let id = write.ledger.next_id();
    write.ledger.enters(state);
    let reason = (state == StoredState::Quarantined).then_some("its key came with another payload before");
    storing.store.execute(params![
        id,
        event.key.as_bytes(),
        event.fingerprint.as_bytes(),
        state,
        due,
        now,
        Micros::of(event.key_until),
        event.occurred_at.map(Micros::of),
        event.readable_key,
        event.receiver,
        event.provider,
        event.event,
        event.lane,
        event.key_id,
        reason,
        event.tenant,
        row::text_of(&event.headers),
    ])?;
    write.brought = write.brought.saturating_add(u64::try_from(event.payload.len()).unwrap_or(u64::MAX));
    storing.store_body.execute(params![id, &event.payload[..]])?;
    write.names.add(write.connection, id, &event.readable_key)?;
    Ok(EventId(id))
}

/// A full inbox still knows what it has.
fn refused_or_known(storing: &mut Storing<'_>, events: &[NewEvent]) -> Result<Vec<Accepted>, Fault> {
    let mut accepted = Vec::with_capacity(events.len());
    for event in events {
        match known(&mut storing.known, event)? {
            Known::Same(same) => accepted.push(same),
            Known::Nothing | Known::Other => {
                return Err(Fault::Refused(InboxError::new(InboxErrorKind::Full).caused_by("a quota is reached")));
            }
        }
    }
    Ok(accepted)
}
