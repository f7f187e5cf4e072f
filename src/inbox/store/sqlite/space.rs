//! How large the store is, and how much room its disk has.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::Quota;

/// Bytes of a store and free bytes of its disk.
type Sizes = (u64, u64);

/// For so long it is as it was measured, where there is plenty,
const MOMENT: Duration = Duration::from_millis(100);
/// which is more than anybody writes in that time.
const PLENTY: u64 = 256 * 1024 * 1024;

/// What was measured, and when. To measure takes as long as some events do.
#[derive(Debug, Default)]
pub(super) struct Space(Option<(Sizes, Instant)>);

impl Space {
    pub(super) fn at(
        &mut self,
        now: Instant,
        quota: &Quota,
        measure: impl FnOnce() -> rusqlite::Result<Sizes>,
    ) -> rusqlite::Result<Sizes> {
        if let Some((bytes, at)) = self.0
            && now.saturating_duration_since(at) < MOMENT
            && is_plenty(bytes, quota)
        {
            return Ok(bytes);
        }
        let bytes = measure()?;
        self.0 = Some((bytes, now));
        Ok(bytes)
    }
}

/// Far from the low marks too, so that no answer depends on it.
fn is_plenty((taken, free): Sizes, quota: &Quota) -> bool {
    let low = quota.low();
    taken.saturating_add(PLENTY) <= low.bytes && free.saturating_sub(PLENTY) >= low.free_disk
}

/// Bytes of the store, those of its log among them, and free bytes of its disk.
pub(super) fn measure(connection: &Connection, path: &Path) -> rusqlite::Result<Sizes> {
    let ask = |pragma| connection.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    let pages = ask("PRAGMA page_count")?.saturating_sub(ask("PRAGMA freelist_count")?);
    let bytes = pages.saturating_mul(ask("PRAGMA page_size")?);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = std::fs::metadata(log).map_or(0, |log| log.len());
    Ok((u64::try_from(bytes).unwrap_or(0).saturating_add(log), free(path)))
}

/// What cannot be asked does not hold anything up.
#[cfg(unix)]
fn free(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_plenty_of_is_measured_now_and_then_and_what_is_short_each_time() {
        let quota = Quota { rows: 1, bytes: 10 * PLENTY, free_disk: 4 * PLENTY };
        let begin = Instant::now();
        for (bytes, is_plenty) in [
            ((0, u64::MAX), true),
            ((7 * PLENTY, 6 * PLENTY), true),
            ((7 * PLENTY + 1, 6 * PLENTY), false),
            ((7 * PLENTY, 6 * PLENTY - 1), false),
            ((u64::MAX, 0), false),
        ] {
            let mut space = Space::default();
            let mut measured = 0;
            for millis in [0, 1, 99, 100, 199, 200] {
                let now = begin + Duration::from_millis(millis);
                let mut measure = || {
                    measured += 1;
                    Ok(bytes)
                };
                assert_eq!(space.at(now, &quota, &mut measure).unwrap(), bytes);
            }
            assert_eq!(measured, if is_plenty { 3 } else { 6 }, "{bytes:?}");
        }
        let mut space = Space::default();
        assert_eq!(space.at(begin, &quota, || Ok((7 * PLENTY + 1, u64::MAX))).unwrap().0, 7 * PLENTY + 1);
        assert_eq!(space.at(begin, &quota, || Ok((1, u64::MAX))).unwrap().0, 1, "there is room again");
    }
}
