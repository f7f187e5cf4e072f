//! What people ask.

use bytes::Bytes;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::super::history::{self, Step};
use super::super::{EventId, Filter, History, InboxError, ReceiverStats, Stats, Stored, StoredState};
use super::call::{Values, values};
use super::handle::Handle;
use super::row::{column, lane_key, micros, number, put, state, time, took};
use super::tally;

/// Of what is held the next to come again is the first whose lease ends; but for as long as a suspect is held it is that one.
pub(super) const NEXT_DUE: &str = "
SELECT least((SELECT min(due) FROM inbox.turns WHERE due IS NOT NULL AND state = 0),
    (SELECT coalesce(max(due) FILTER (WHERE suspect), min(due)) FROM inbox.turns WHERE state = 1))";
pub(super) const HEAD: &str = "SELECT id FROM inbox.turns WHERE lane = $1 AND (due IS NOT NULL OR blocks)";
pub(super) const BODY: &str = "SELECT payload FROM inbox.bodies WHERE id = $1";
pub(super) const STEPS: &str = "SELECT at, what, why FROM inbox.steps WHERE event = $1 ORDER BY id";
const COLUMNS: &str = "e.id, e.readable, e.receiver, e.provider, e.event, e.lane, t.state, t.attempts, t.fence, e.received, \
                       t.due, t.reason, t.replayed_by, t.ended";
const TABLES: &str = "inbox.events AS e JOIN inbox.turns AS t ON t.id = e.id";

pub(super) async fn next_due(inbox: &Handle) -> Result<Option<Timestamp>, InboxError> {
    let row = inbox.ask_one(NEXT_DUE, Vec::new()).await?;
    let due: Option<i64> = column(&row, 0)?;
    Ok(due.map(|due| time(due.saturating_sub(inbox.skew().offset()))))
}

pub(super) async fn stats(inbox: &Handle, now: i64) -> Result<Stats, InboxError> {
    let row = inbox.ask_one(tally::COUNTS, tally::values()).await?;
    let (stats, due) = tally::stats(&row)?;
    Ok(Stats { oldest_age: age(due, now.saturating_add(inbox.skew().offset())), ..stats })
}

/// Each half reads the first rows of one index, and the receiver of each by its number. How many stands in the text: a server that
/// does not know it takes it for a tenth of all, and reads whole tables.
fn by_receiver(most: usize) -> String {
    format!(
        "SELECT receiver, count(due), min(due), count(*) - count(due) FROM (SELECT coalesce((SELECT receiver FROM \
         inbox.events AS e WHERE e.id = part.id), '') AS receiver, part.due FROM \
         ((SELECT id, due FROM inbox.turns WHERE due IS NOT NULL AND state = 0 ORDER BY due LIMIT {most}) UNION ALL \
         (SELECT id, NULL FROM inbox.turns WHERE state = 3 AND state >= 3 LIMIT {most})) AS part) AS told \
         GROUP BY receiver ORDER BY receiver"
    )
}

pub(super) async fn stats_by_receiver(inbox: &Handle, most: usize, now: i64) -> Result<Vec<ReceiverStats>, InboxError> {
    let now = now.saturating_add(inbox.skew().offset());
    let most = most.min(usize::try_from(i64::MAX).unwrap_or(usize::MAX));
    let rows = inbox.ask(&by_receiver(most), Vec::new()).await?;
    let count = |row, place| Ok::<_, InboxError>(u64::try_from(column::<i64>(row, place)?).unwrap_or(0));
    rows.iter()
        .map(|row| {
            Ok(ReceiverStats {
                receiver: column(row, 0)?,
                ready: count(row, 1)?,
                oldest_age: age(column(row, 2)?, now),
                dead: count(row, 3)?,
            })
        })
        .collect()
}

fn age(due: Option<i64>, now: i64) -> f64 {
    let waited = due.map_or(0, |due| now.saturating_sub(due).max(0));
    std::time::Duration::from_micros(u64::try_from(waited).unwrap_or(0)).as_secs_f64()
}

pub(super) async fn list(inbox: &Handle, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
    let (condition, mut values) = condition(filter);
    values.push(Box::new(i64::try_from(most).unwrap_or(i64::MAX)));
    let place = values.len();
    let text = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {condition} ORDER BY e.id LIMIT ${place}");
    let rows = inbox.ask(&text, values).await?;
    rows.iter().map(|row| stored(row, inbox.skew().offset())).collect()
}

/// Up to so many that fit and can be replayed, each with its fence: ended, not kept apart, and with a body. And how many fit in
/// all.
pub(super) async fn fitting(
    inbox: &Handle,
    filter: &Filter,
    most: usize,
) -> Result<(u64, Vec<(i64, i64)>), InboxError> {
    const CAN_BE: &str = "t.state IN (2, 3, 4) AND EXISTS (SELECT 1 FROM inbox.bodies AS b WHERE b.id = e.id)";
    let (condition, count) = condition(filter);
    let text = format!("SELECT count(*) FROM {TABLES} WHERE {condition} AND {CAN_BE}");
    let matches: i64 = column(&inbox.ask_one(&text, count).await?, 0)?;
    let matches = u64::try_from(matches).unwrap_or(0);
    if most == 0 {
        return Ok((matches, Vec::new()));
    }
    let (condition, mut values) = self::condition(filter);
    values.push(Box::new(i64::try_from(most).unwrap_or(i64::MAX)));
    let place = values.len();
    let text =
        format!("SELECT e.id, t.fence FROM {TABLES} WHERE {condition} AND {CAN_BE} ORDER BY e.id LIMIT ${place}");
    let rows = inbox.ask(&text, values).await?;
    Ok((matches, rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect::<Result<_, InboxError>>()?))
}

/// What a filter says, as a condition and its values.
fn condition(filter: &Filter) -> (String, Values) {
    let mut text = "true".to_owned();
    let mut values: Values = Vec::new();
    let mut and = |before: &str, value: Values, after: &str| {
        values.extend(value);
        text.push_str(&format!(" AND {before}${}{after}", values.len()));
    };
    if let Some(id) = filter.id {
        and("e.id = ", values![id.0], "");
    }
    if let Some(after) = filter.after {
        // Said of both tables: of the other one all that stands before would be read, page after page.
        and("e.id > ", values![after.0], "");
        and("t.id > ", values![after.0], "");
    }
    if let Some(key) = &filter.key {
        and("e.readable = ", values![put(key)], "");
    }
    if let Some(event) = &filter.event {
        and("e.event = ", values![put(event)], "");
    }
    if let Some(reason) = &filter.reason {
        and("starts_with(t.reason, ", values![put(reason)], ")");
    }
    if let Some(since) = filter.since {
        and("e.received >= ", values![micros(since)], "");
    }
    if let Some(state) = filter.state {
        text.push_str(" AND ");
        text.push_str(&in_state(state));
    }
    (text, values)
}

/// With what lets Postgres take the index of that state.
fn in_state(state: StoredState) -> String {
    let number = number(state);
    match state {
        StoredState::Dead | StoredState::Parked | StoredState::Quarantined => {
            format!("t.state = {number} AND t.state >= 3")
        }
        StoredState::Running => "t.state = 1 AND t.due IS NOT NULL".to_owned(),
        StoredState::Ready => "t.state = 0 AND t.id IN (SELECT id FROM inbox.turns WHERE due IS NOT NULL UNION ALL \
             SELECT id FROM inbox.turns WHERE lane IS NOT NULL AND state = 0 AND due IS NULL)"
            .to_owned(),
        StoredState::Done => "t.state = 2".to_owned(),
    }
}

fn stored(row: &Row, offset: i64) -> Result<Stored, InboxError> {
    let text = |place| column::<String>(row, place).map(took);
    let maybe = |place| column::<Option<String>>(row, place).map(|text| text.map(took));
    Ok(Stored {
        id: EventId(column(row, 0)?),
        key: text(1)?,
        receiver: text(2)?,
        provider: text(3)?,
        event: text(4)?,
        lane: maybe(5)?,
        state: state(column(row, 6)?)?,
        attempts: u32::try_from(column::<i32>(row, 7)?).unwrap_or(0),
        fence: u64::try_from(column::<i64>(row, 8)?).unwrap_or(0),
        received_at: time(column(row, 9)?),
        due_at: column::<Option<i64>>(row, 10)?.map(|due| time(due.saturating_sub(offset))),
        reason: maybe(11)?,
        replayed_by: maybe(12)?,
    })
}

pub(super) async fn show(inbox: &Handle, id: EventId) -> Result<Option<History>, InboxError> {
    let text = format!("SELECT {COLUMNS} FROM {TABLES} WHERE e.id = $1");
    let rows = inbox.ask(&text, values![id.0]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let stored = stored(row, inbox.skew().offset())?;
    let ended: Option<i64> = column(row, 13)?;
    let bodies = inbox.ask(BODY, values![id.0]).await?;
    let payload = bodies.first().map(|row| column::<Vec<u8>>(row, 0)).transpose()?;
    Ok(Some(History {
        steps: history::whole(&stored, ended.map(time), steps_of(inbox, id).await?),
        waits_for: waits_for(inbox, &stored).await?,
        payload: payload.map(Bytes::from),
        stored,
    }))
}

async fn steps_of(inbox: &Handle, id: EventId) -> Result<Vec<Step>, InboxError> {
    let step = |row| Ok((time(column(row, 0)?), column(row, 1)?, column::<Option<String>>(row, 2)?.map(took)));
    inbox.ask(STEPS, values![id.0]).await?.iter().map(step).collect()
}

/// The head of its lane, where that is another.
async fn waits_for(inbox: &Handle, stored: &Stored) -> Result<Option<EventId>, InboxError> {
    let lane = stored.lane.as_ref().filter(|_| stored.state == StoredState::Ready && stored.due_at.is_none());
    let Some(lane) = lane else { return Ok(None) };
    let rows = inbox.ask(HEAD, values![lane_key(inbox.schema(), lane)]).await?;
    rows.first().map(|row| column(row, 0).map(EventId)).transpose()
}
