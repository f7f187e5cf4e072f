//! How many there are, without counting what is much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Row;

use super::super::{InboxError, Quota, Stats};
use super::asking::Asking;
use super::call::values;
use super::row::column;

/// How often quotas are compared with what is there, and how often while one is reached.
const LOOK: Duration = Duration::from_secs(10);
const LOOK_WHEN_FULL: Duration = Duration::from_secs(1);

/// Up to so many are counted one by one. Of more the number is what the server last estimated of the index.
const COUNTED: u64 = 100_000;

/// Each count reads one small index that has nothing else in it; the estimate is made by `VACUUM` and `ANALYZE`.
pub(super) const COUNTS: &str = "
SELECT
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE due IS NOT NULL AND state = 0 LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE lane IS NOT NULL AND state = 0 AND due IS NULL LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE due IS NOT NULL AND state = 1 LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE state = 2 LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE state = 3 AND state >= 3 LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE state = 4 AND state >= 3 LIMIT $1) AS part),
    (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE state = 5 AND state >= 3 LIMIT $1) AS part),
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'inbox.turns_due'::regclass),
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'inbox.turns_waiting'::regclass),
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'inbox.turns_held'::regclass),
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'inbox.turns_done'::regclass),
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'inbox.turns_aside'::regclass),
    (SELECT min(due) FROM inbox.turns WHERE due IS NOT NULL)";
const BYTES: &str = "
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE oid IN ('inbox.events'::regclass, 'inbox.bodies'::regclass, 'inbox.turns'::regclass, 'inbox.steps'::regclass)";

/// What is there, and the first time at which something is due.
pub(super) fn stats(row: &Row) -> Result<(Stats, Option<i64>), InboxError> {
    let count = |place| Ok::<_, InboxError>(u64::try_from(column::<i64>(row, place)?).unwrap_or(0));
    let whole = |place, estimate| match count(place)? {
        counted if counted >= COUNTED => Ok::<_, InboxError>(count(estimate)?.max(counted)),
        counted => Ok(counted),
    };
    let mut aside = [count(4)?, count(5)?, count(6)?];
    // One index has them all: what it has beyond the counts is of the first that was not counted to its end.
    let more = count(11)?.saturating_sub(aside.iter().sum());
    if let Some(first) = aside.iter_mut().find(|counted| **counted >= COUNTED) {
        *first = first.saturating_add(more);
    }
    let [dead, parked, quarantined] = aside;
    let (running, done) = (whole(2, 9)?, whole(3, 10)?);
    let due = match count(0)? {
        // What is held has a time too, in the same index.
        counted if counted >= COUNTED => count(7)?.saturating_sub(running).max(counted),
        counted => counted,
    };
    let ready = due.saturating_add(whole(1, 8)?);
    let stats = Stats { ready, running, done, dead, parked, quarantined, oldest_age: 0.0 };
    Ok((stats, column(row, 12)?))
}

pub(super) fn values() -> super::call::Values {
    values![i64::try_from(COUNTED).unwrap_or(i64::MAX)]
}

/// Looks from time to time whether a quota is reached. One that was is not left until there is room again to speak of.
pub(super) async fn watch(asking: Asking, quota: Quota, is_full: Arc<AtomicBool>) {
    loop {
        let was_full = is_full.load(Ordering::Relaxed);
        let is_so = is_reached(&asking, &quota, was_full).await.unwrap_or(was_full);
        is_full.store(is_so, Ordering::Relaxed);
        sleep(if is_so { LOOK_WHEN_FULL } else { LOOK }).await;
    }
}

async fn is_reached(asking: &Asking, quota: &Quota, was_full: bool) -> Result<bool, InboxError> {
    let counted = asking.ask(COUNTS, values()).await?;
    let sized = asking.ask(BYTES, Vec::new()).await?;
    let (Some(counted), Some(sized)) = (counted.first(), sized.first()) else { return Ok(was_full) };
    let (stats, _) = stats(counted)?;
    let open = [stats.ready, stats.running, stats.dead, stats.parked, stats.quarantined];
    let rows = open.into_iter().fold(0, u64::saturating_add);
    let bytes = u64::try_from(column::<i64>(sized, 0)?).unwrap_or(0);
    let low = quota.low();
    Ok(match was_full {
        false => rows >= quota.rows || bytes >= quota.bytes,
        true => rows > low.rows || bytes > low.bytes,
    })
}
