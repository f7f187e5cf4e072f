//! What is new is stored.

use rusqlite::{OptionalExtension, Row, params};

use super::super::{Accepted, EventId, InboxError, InboxErrorKind, NewEvent, StoredState};
use super::fault::Fault;
use super::row::{self, Micros};
use super::storing::Storing;
use super::task::Write;
use super::{keys, lanes, room};
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
        None => {
            write.keys.follow(write.connection, write.begun.numbers)?;
            Storing::prepare(write.connection)?
        }
    };
    let accepted = if room::is_there(write, events) {
        events.iter().map(|event| accept_one(write, &mut storing, event, now)).collect()
    } else {
        refused_or_known(write, &mut storing, events)
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
    match known(write, storing, event)? {
        Known::Same(accepted) => Ok(accepted),
        Known::Nothing => {
            let due = lanes::due(write.connection, event.lane.as_deref(), now)?;
            write.is_woken |= due.is_some();
            Ok(Accepted::Stored(store(write, storing, event, StoredState::Ready, due, now)?))
        }
        Known::Other => Ok(Accepted::Quarantined(store(write, storing, event, StoredState::Quarantined, None, now)?)),
    }
}

/// What was kept apart makes no key known: it may be there for longer than the first that came with it.
fn known(write: &Write<'_>, storing: &mut Storing<'_>, event: &NewEvent) -> rusqlite::Result<Known> {
    let (mut has_first, mut aside) = (false, None);
    for id in alike(write, storing, event)? {
        let read = |row: &Row<'_>| Ok((row.get_ref(0)?.as_blob()? == event.fingerprint.as_bytes(), row.get(1)?));
        match storing.known.query_row(params![id, event.key.as_bytes()], read).optional()? {
            Some((true, false)) => return Ok(Known::Same(Accepted::Duplicate(EventId(id)))),
            Some((false, false)) => has_first = true,
            Some((true, true)) => aside = Some(Accepted::Quarantined(EventId(id))),
            Some((false, true)) | None => {}
        }
    }
    Ok(match aside {
        _ if !has_first => Known::Nothing,
        Some(aside) => Known::Same(aside),
        None => Known::Other,
    })
}

/// Those whose keys begin alike.
fn alike(write: &Write<'_>, storing: &mut Storing<'_>, event: &NewEvent) -> rusqlite::Result<Vec<i64>> {
    let prefix = keys::prefix(event.key.as_bytes());
    let mut ids: Vec<_> = write.keys.of(prefix).collect();
    let mut rows = storing.of_prefix.query([prefix])?;
    while let Some(row) = rows.next()? {
        ids.push(row.get(0)?);
    }
    Ok(ids)
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
        state == StoredState::Quarantined,
    ])?;
    write.brought = write.brought.saturating_add(u64::try_from(event.payload.len()).unwrap_or(u64::MAX));
    storing.store_body.execute(params![id, &event.payload[..]])?;
    write.keys.add(keys::prefix(event.key.as_bytes()), id);
    write.names.add(write.connection, id, &event.readable_key)?;
    Ok(EventId(id))
}

/// A full inbox still knows what it has.
fn refused_or_known(write: &Write<'_>, storing: &mut Storing<'_>, events: &[NewEvent]) -> Result<Vec<Accepted>, Fault> {
    let mut accepted = Vec::with_capacity(events.len());
    for event in events {
        match known(write, storing, event)? {
            Known::Same(same) => accepted.push(same),
            Known::Nothing | Known::Other => {
                return Err(Fault::Refused(InboxError::new(InboxErrorKind::Full).caused_by("a quota is reached")));
            }
        }
    }
    Ok(accepted)
}
