//! How large the store is, and how much room its disk has.

use std::path::Path;

use rusqlite::Connection;

/// Bytes of the store, those of its log among them, and free bytes of its disk.
pub(super) fn measure(connection: &Connection, path: &Path) -> rusqlite::Result<(u64, u64)> {
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
