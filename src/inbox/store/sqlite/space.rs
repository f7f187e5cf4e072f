//! How large the store is, and how much room its disk has.

use std::path::Path;

use rusqlite::Connection;

/// Bytes of the store, those of its log among them, and free bytes of its disk.
pub(super) fn measure(connection: &Connection, path: &Path) -> rusqlite::Result<(u64, u64)> {
    let mut statement = connection.prepare_cached(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )?;
    let pages: i64 = statement.query_row([], |row| row.get(0))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = std::fs::metadata(log).map_or(0, |log| log.len());
    Ok((u64::try_from(pages).unwrap_or(0).saturating_add(log), free(path)))
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
