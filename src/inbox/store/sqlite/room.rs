//! Whether there is room for more: not over a quota, and after that not until there is room again to speak of.

use super::super::NewEvent;
use super::task::Write;

/// Whether all of them may be stored.
pub(super) fn is_there(write: &mut Write<'_>, events: &[NewEvent]) -> bool {
    if write.is_full && !is_low(write) {
        return false;
    }
    let rows = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let bytes = events.iter().map(|event| u64::try_from(event.payload.len()).unwrap_or(u64::MAX));
    let fits = fits(write, rows, bytes.fold(write.brought, u64::saturating_add));
    write.is_full = !fits;
    fits
}

/// Whether there is room for one event more. To ask changes nothing.
pub(super) fn is_left(write: &Write<'_>) -> bool {
    if write.is_full { is_low(write) } else { fits(write, 1, write.brought) }
}

fn fits(write: &Write<'_>, rows: u64, bytes: u64) -> bool {
    let (taken, free) = write.space;
    write.ledger.unfinished().saturating_add(rows) <= write.quota.rows
        && taken.saturating_add(bytes) <= write.quota.bytes
        && free.saturating_sub(bytes) >= write.quota.free_disk
}

fn is_low(write: &Write<'_>) -> bool {
    let low = write.quota.low();
    let (taken, free) = write.space;
    write.ledger.unfinished() <= low.rows
        && taken.saturating_add(write.brought) <= low.bytes
        && free.saturating_sub(write.brought) >= low.free_disk
}
