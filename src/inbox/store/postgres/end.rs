//! A lease is ended or extended by whoever holds it, and by nobody else.

use super::super::end::End;
use super::super::{Ended, EventId, InboxError, Leased};
use super::call::{Values, values};
use super::handle::Handle;
use super::row::{column, number, put};

pub(super) const END: &str = "SELECT inbox.end_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
pub(super) const EXTEND: &str = "UPDATE inbox.turns SET due = $4 \
                                 WHERE id = $1 AND token = $2 AND fence = $3 AND state = 1 RETURNING id";

pub(super) async fn end(inbox: &Handle, held: &Leased, end: &End<i64>, now: i64) -> Result<Ended, InboxError> {
    let lease = (held.id, held.token.0.to_vec(), fence_of(held.fence));
    let values = values_of(lease, end, now, inbox.skew().offset());
    let row = inbox.ask_one(END, values).await?;
    if !column::<bool>(&row, 0)? {
        return Ok(Ended::Lost);
    }
    if held.event.lane.is_some() || end.due(now).is_some() {
        inbox.bell().ring();
    }
    Ok(Ended::Done)
}

/// What [`END`] asks for.
pub(super) fn values_of((id, token, fence): (EventId, Vec<u8>, i64), end: &End<i64>, now: i64, offset: i64) -> Values {
    values![
        id.0,
        token,
        fence,
        number(end.state()),
        end.due(now).map(|due| due.saturating_add(offset)),
        end.reason().map(put),
        i32::from(end.is_uncounted()),
        end.blocks(),
        end.step(),
        now,
        now.saturating_add(offset),
    ]
}

pub(super) async fn extend(inbox: &Handle, held: &Leased, until: i64) -> Result<Ended, InboxError> {
    let until = until.saturating_add(inbox.skew().offset());
    let values = values![held.id.0, held.token.0.to_vec(), fence_of(held.fence), until];
    let changed = inbox.ask(EXTEND, values).await?;
    Ok(if changed.is_empty() { Ended::Lost } else { Ended::Done })
}

/// A fence that was never given fits none.
pub(super) fn fence_of(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(-1)
}
