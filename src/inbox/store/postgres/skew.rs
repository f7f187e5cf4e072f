//! How far this host's clock is from the database's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio_postgres::GenericClient;

use super::row::micros;
use crate::clock::Clock;

/// What is less is as likely the way there and back.
const COUNTS: i64 = 250_000;

const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

pub(super) struct Skew {
    clock: Arc<dyn Clock>,
    /// Microseconds to add to a time of ours.
    offset: AtomicI64,
}

impl Skew {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, offset: AtomicI64::new(0) }
    }

    /// Asks the database for its time. What cannot be measured stays as it was.
    pub(super) async fn measure(&self, client: &impl GenericClient) -> Result<(), tokio_postgres::Error> {
        let Some(before) = self.clock.now() else { return Ok(()) };
        let row = client.query_one(NOW, &[]).await?;
        let (Some(after), Ok(there)) = (self.clock.now(), row.try_get::<_, i64>(0)) else { return Ok(()) };
        self.offset.store(offset(micros(before), there, micros(after)), Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

/// From our times before and after the other was read. A clock that was set meanwhile measures nothing.
fn offset(before: i64, there: i64, after: i64) -> i64 {
    let way = after.saturating_sub(before);
    if !(0..COUNTS).contains(&way) {
        return 0;
    }
    let offset = there.saturating_sub(before.saturating_add(way / 2));
    if offset.unsigned_abs() < COUNTS.unsigned_abs() { 0 } else { offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_counts_from_a_quarter_of_a_second_on() {
        assert_eq!(offset(1_000_000, 1_000_500, 1_001_000), 0);
        assert_eq!(offset(1_000_000, 1_250_499, 1_001_000), 0);
        assert_eq!(offset(1_000_000, 1_250_500, 1_001_000), 250_000);
        assert_eq!(offset(9_000_000, 1_000_500, 9_001_000), -8_000_000);
    }

    #[test]
    fn what_was_read_across_a_jump_counts_for_nothing() {
        assert_eq!(offset(9_000_000, 1_000_000, 1_000_500), 0);
        assert_eq!(offset(1_000_000, 9_000_000, 9_000_500), 0);
    }
}
