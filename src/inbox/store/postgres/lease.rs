//! What is due is held.

use std::error::Error as _;

use bytes::Bytes;
use tokio_postgres::Row;

use super::super::end::End;
use super::super::{EventId, InboxError, LanePolicy, LeaseToken, Leased, NewEvent, tell_set_aside};
use super::call::values;
use super::end::{self, END};
use super::handle::Handle;
use super::row::{column, damaged, put, time, took};
use crate::delivery::{Fingerprint, KeyHash};
use crate::observe::About;

/// Only heads of lanes are due, so one of a lane at most. What is due and still held was ended by nobody: of these one comes along,
/// and before the others, since it would wait for as long as there are always enough of them. Who comes at the same time passes
/// over what is being taken.
pub(super) const LEASE: &str = "
WITH suspect AS MATERIALIZED (
    SELECT id, due FROM inbox.suspect_2($1) WHERE $2::bigint > 0
), other AS MATERIALIZED (
    SELECT id, due FROM inbox.turns WHERE due <= $1 AND state = 0 ORDER BY due
    LIMIT $2 - (SELECT count(*) FROM suspect) FOR UPDATE SKIP LOCKED
), next AS MATERIALIZED (
    SELECT id, due, true AS unended FROM suspect UNION ALL SELECT id, due, false FROM other
), held AS (
    UPDATE inbox.turns AS t
    SET state = 1, due = $3, token = $4, fence = nextval('inbox.fences'), attempts = t.attempts + 1, suspect = t.state = 1
    WHERE t.id = ANY (ARRAY(SELECT id FROM next))
    RETURNING t.id, t.lane, t.fence, t.attempts, t.suspect
), told AS (
    INSERT INTO inbox.steps (event, at, what, why)
    SELECT id, $5, 'lease ended', 'its holder was not heard of again' FROM next WHERE unended
)
SELECT held.id, held.fence, held.attempts, b.payload, e.key, e.fingerprint, e.until, e.occurred, e.readable, e.receiver,
    e.tenant, e.provider, e.event, e.lane, e.key_id, e.headers,
    EXISTS (SELECT 1 FROM inbox.turns AS d WHERE d.lane = held.lane AND d.state = 3 AND d.id < held.id), held.suspect
FROM held
JOIN inbox.events AS e ON e.id = held.id AND e.id = ANY (ARRAY(SELECT id FROM next))
LEFT JOIN inbox.bodies AS b ON b.id = held.id AND b.id = ANY (ARRAY(SELECT id FROM next))
ORDER BY array_position(ARRAY(SELECT id FROM next ORDER BY unended DESC, due, id), held.id)";

/// The same but for those of some receivers: it goes through all of theirs that are due before others.
pub(super) fn lease_but_of() -> String {
    let others = "WHERE due <= $1 \
        AND NOT EXISTS (SELECT FROM inbox.events AS e WHERE e.id = turns.id AND e.receiver = ANY ($6))";
    LEASE.replacen("WHERE due <= $1", others, 1)
}

/// `until`, and `due` of what is leased: by the database's clock.
pub(super) async fn lease(
    inbox: &Handle,
    but_of: &[String],
    token: LeaseToken,
    most: usize,
    lease: i64,
    now: i64,
) -> Result<Vec<Leased>, InboxError> {
    let offset = inbox.skew().offset();
    let due = now.saturating_add(offset);
    let until = due.saturating_add(lease);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = if but_of.is_empty() {
        inbox.ask(LEASE, values![due, most, until, token.0.to_vec(), now]).await?
    } else {
        let names: Vec<_> = but_of.iter().map(|name| put(name)).collect();
        inbox.ask(&lease_but_of(), values![due, most, until, token.0.to_vec(), now, names]).await?
    };
    let mut leased = Vec::with_capacity(rows.len());
    for row in &rows {
        match held(row, token, now.saturating_add(lease)) {
            Ok(Some(held)) => leased.push(held),
            // One that cannot be set aside holds up no other: its lease ends by itself, and it comes again.
            Ok(None) => drop(set_aside(inbox, row, token, "its body is gone", now).await),
            Err(error) => drop(set_aside(inbox, row, token, &unreadable(&error), now).await),
        }
    }
    Ok(leased)
}

fn unreadable(error: &InboxError) -> String {
    format!("its row cannot be read: {}", error.source().map_or_else(String::new, ToString::to_string))
}

/// A dead letter that was never handed over, for people to look at. Others of its lane go on.
async fn set_aside(inbox: &Handle, row: &Row, token: LeaseToken, why: &str, now: i64) -> Result<(), InboxError> {
    let id = EventId(column(row, 0)?);
    let end = End::Bury { reason: why.to_owned(), lane: LanePolicy::SkipAndFlag };
    let values = end::values_of((id, token.0.to_vec(), column(row, 1)?), &end, now, inbox.skew().offset());
    if column(&inbox.ask_one(END, values).await?, 0)? {
        inbox.bell().ring();
        tell_set_aside(id, why, &About::default());
    }
    Ok(())
}

/// `None`: its body is gone, though nobody dropped it.
fn held(row: &Row, token: LeaseToken, until: i64) -> Result<Option<Leased>, InboxError> {
    let Some(payload) = column(row, 3)? else { return Ok(None) };
    let event = event(row, payload)?;
    let fence = u64::try_from(column::<i64>(row, 1)?).unwrap_or(0);
    let attempt = u32::try_from(column::<i32>(row, 2)?).unwrap_or(0);
    let held = Leased::new(EventId(column(row, 0)?), token, fence, attempt, time(until), event);
    Ok(Some(Leased { follows_dead: column(row, 16)?, outcome_unknown: column(row, 17)?, ..held }))
}

fn event(row: &Row, payload: Vec<u8>) -> Result<NewEvent, InboxError> {
    let text = |place| column::<String>(row, place).map(took);
    let maybe = |place| column::<Option<String>>(row, place).map(|text| text.map(took));
    Ok(NewEvent {
        key: KeyHash::from_bytes(bytes_of(row, 4)?),
        fingerprint: Fingerprint::from_bytes(bytes_of(row, 5)?),
        key_until: time(column(row, 6)?),
        occurred_at: column::<Option<i64>>(row, 7)?.map(time),
        readable_key: text(8)?,
        receiver: text(9)?,
        tenant: maybe(10)?,
        provider: text(11)?,
        event: text(12)?,
        lane: maybe(13)?,
        key_id: maybe(14)?,
        headers: headers_of(column(row, 15)?)?,
        payload: Bytes::from(payload),
    })
}

fn bytes_of<const N: usize>(row: &Row, place: usize) -> Result<[u8; N], InboxError> {
    let bytes: &[u8] = column(row, place)?;
    bytes.try_into().map_err(|_| damaged("a key of another length"))
}

fn headers_of(text: Option<&str>) -> Result<Vec<(String, String)>, InboxError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    // Why not would quote them.
    serde_json::from_str(text).map_err(|_| damaged("headers that are none"))
}
