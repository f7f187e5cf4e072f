//! What has ended is due again, at somebody's word.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};

use super::super::{Filter, InboxError, Replayed, StoredState};
use super::fault::{Fault, is_unreadable};
use super::find::condition;
use super::handle::Handle;
use super::row::Micros;
use super::task::Write;
use super::{lanes, steps};

/// So many in a transaction, for others wait for it.
const CHUNK: usize = 256;

/// Ended, not kept apart, and with a body.
const CAN_BE: &str =
    "state IN (2, 3, 4) AND EXISTS (SELECT 1 FROM webhook_bodies WHERE webhook_bodies.id = webhook_events.id)";
/// Whoever has held it since it was found has made its fence higher.
pub(super) const ENDED: &str = "SELECT state, lane, ended FROM webhook_events WHERE id = ?1 AND fence = ?2 \
                                AND state IN (2, 3, 4) AND EXISTS (SELECT 1 FROM webhook_bodies WHERE webhook_bodies.id = ?1)";
pub(super) const AGAIN: &str = "UPDATE webhook_events SET state = 0, due = ?2, attempts = 0, blocks = 0, ended = NULL, replayed_by = ?3 WHERE id = ?1";

pub(super) async fn replay(
    inbox: &Handle,
    filter: Filter,
    most: usize,
    is_dry_run: bool,
    by: &str,
    now: Micros,
) -> Result<Replayed, InboxError> {
    let most = if is_dry_run { 0 } else { most };
    let (matches, found) = fitting(inbox, &filter, most).await?;
    let mut replayed: u64 = 0;
    for chunk in found.chunks(CHUNK) {
        let (chunk, by) = (chunk.to_vec(), by.to_owned());
        let done = inbox.write(0, move |write| again(write, &chunk, &by, now)).await?;
        replayed = replayed.saturating_add(done);
    }
    Ok(Replayed { matches, replayed })
}

/// How many fit, and the first of them, each with its fence.
pub(super) async fn fitting(
    inbox: &Handle,
    filter: &Filter,
    most: usize,
) -> Result<(u64, Vec<(i64, i64)>), InboxError> {
    let (condition, values) = condition(filter);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    inbox
        .read(move |connection| {
            let text = format!("SELECT count(*) FROM webhook_events WHERE {condition} AND {CAN_BE}");
            let count: i64 = connection.query_row(&text, params_from_iter(&values), |row| row.get(0))?;
            let text =
                format!("SELECT id, fence FROM webhook_events WHERE {condition} AND {CAN_BE} ORDER BY id LIMIT ?");
            let values = values.into_iter().chain([Value::Integer(most)]);
            let found = connection
                .prepare(&text)?
                .query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((u64::try_from(count).unwrap_or(0), found))
        })
        .await
}

/// What has changed since it was found is left alone.
pub(super) fn again(write: &mut Write<'_>, found: &[(i64, i64)], by: &str, now: Micros) -> Result<u64, Fault> {
    let mut replayed: u64 = 0;
    for (id, fence) in found {
        let mut statement = write.connection.prepare_cached(ENDED)?;
        let ended = statement.query_row([id, fence], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional();
        let (state, lane, ended): (_, Option<String>, Option<Micros>) = match ended {
            Ok(Some(ended)) => ended,
            Ok(None) => continue,
            Err(error) if is_unreadable(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        // Its row says it no longer.
        if let (StoredState::Done, Some(at)) = (state, ended) {
            steps::add(write.connection, *id, at, "done", None)?;
        }
        let due = lanes::due_again(write.connection, lane.as_deref(), *id, now)?;
        write.connection.prepare_cached(AGAIN)?.execute(params![id, due, by])?;
        write.ledger.moves(state, StoredState::Ready);
        write.is_woken |= due.is_some();
        steps::add(write.connection, *id, now, "replayed", Some(by))?;
        replayed = replayed.saturating_add(1);
    }
    Ok(replayed)
}
