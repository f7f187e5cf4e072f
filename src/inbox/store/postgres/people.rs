//! What people do: replay, purge, erase.

use super::super::{Filter, InboxError, Replayed};
use super::call::values;
use super::find::fitting;
use super::handle::Handle;
use super::row::{column, put};

/// So many in a transaction, for others wait for it.
const CHUNK: usize = 256;
const MOST: i32 = 256;

pub(super) const AGAIN: &str = "SELECT inbox.again_5($1, $2, $3, $4, $5)";
pub(super) const DROP_BODIES: &str = "SELECT dropped, last FROM inbox.drop_bodies_1($1, $2, $3)";
pub(super) const DROP_KEYS: &str = "SELECT bodies, keys FROM inbox.drop_keys_4($1, $2)";
/// Of so many events, since a call has no time for all, and the number of the last. It stands in the text: a server that does not
/// know it takes it for a tenth of all, and reads whole tables.
const OVER: &str = "
SELECT count(*) FILTER (WHERE (is_key OR is_body) AND EXISTS (SELECT 1 FROM inbox.bodies AS b WHERE b.id = part.id)),
    count(*) FILTER (WHERE is_key), max(id)
FROM (SELECT t.id, t.state IN (2, 5) AND t.until <= $2 AS is_key, t.state = 2 AND t.ended < $1 AND e.received < $1 AS is_body
    FROM inbox.events AS e JOIN inbox.turns AS t ON t.id = e.id
    WHERE e.id > $3 AND t.id > $3 ORDER BY t.id LIMIT 10000) AS part";
pub(super) const ERASE: &str = "SELECT inbox.erase_5($1, $2, $3)";
const ERASABLE: &str = "SELECT count(*) FROM inbox.events AS e JOIN inbox.turns AS t ON t.id = e.id WHERE e.readable = $1 \
                        AND (t.state <> 2 OR t.reason IS DISTINCT FROM 'erased' \
                        OR EXISTS (SELECT 1 FROM inbox.bodies AS b WHERE b.id = e.id))";

pub(super) async fn replay(
    inbox: &Handle,
    filter: &Filter,
    most: usize,
    by: &str,
    now: i64,
) -> Result<Replayed, InboxError> {
    let (matches, found) = fitting(inbox, filter, most).await?;
    let mut replayed: u64 = 0;
    for chunk in found.chunks(CHUNK) {
        let (ids, fences): (Vec<i64>, Vec<i64>) = chunk.iter().copied().unzip();
        let due = now.saturating_add(inbox.skew().offset());
        let row = inbox.ask_one(AGAIN, values![ids, fences, put(by), now, due]).await?;
        replayed = replayed.saturating_add(count(column(&row, 0)?));
        inbox.bell().ring();
    }
    Ok(Replayed { matches, replayed })
}

/// Bodies first, and then events with their keys.
pub(super) async fn purge(inbox: &Handle, before: i64, now: i64) -> Result<(u64, u64), InboxError> {
    let (mut bodies, mut keys): (u64, u64) = (0, 0);
    let mut after = Some(i64::MIN);
    while let Some(from) = after {
        let row = inbox.ask_one(DROP_BODIES, values![from, before, MOST]).await?;
        bodies = bodies.saturating_add(count(column(&row, 0)?));
        after = column(&row, 1)?;
    }
    loop {
        let row = inbox.ask_one(DROP_KEYS, values![now, MOST]).await?;
        let dropped = count(column(&row, 1)?);
        bodies = bodies.saturating_add(count(column(&row, 0)?));
        keys = keys.saturating_add(dropped);
        if dropped == 0 {
            return Ok((bodies, keys));
        }
    }
}

/// How many bodies and keys are over.
pub(super) async fn purgeable(inbox: &Handle, before: i64, now: i64) -> Result<(u64, u64), InboxError> {
    let (mut bodies, mut keys): (u64, u64) = (0, 0);
    let mut after = Some(i64::MIN);
    while let Some(from) = after {
        let row = inbox.ask_one(OVER, values![before, now, from]).await?;
        bodies = bodies.saturating_add(count(column(&row, 0)?));
        keys = keys.saturating_add(count(column(&row, 1)?));
        after = column(&row, 2)?;
    }
    Ok((bodies, keys))
}

pub(super) async fn erase(inbox: &Handle, key: &str, now: i64) -> Result<u64, InboxError> {
    let due = now.saturating_add(inbox.skew().offset());
    let row = inbox.ask_one(ERASE, values![put(key), now, due]).await?;
    inbox.bell().ring();
    Ok(count(column(&row, 0)?))
}

/// How many events of this key say something.
pub(super) async fn erasable(inbox: &Handle, key: &str) -> Result<u64, InboxError> {
    Ok(count(column(&inbox.ask_one(ERASABLE, values![put(key)]).await?, 0)?))
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
