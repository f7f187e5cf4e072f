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

    /// Asks the database for its time. What cannot be measured stays as it was, and the answer is false.
    pub(super) async fn measure(&self, client: &impl GenericClient) -> Result<bool, tokio_postgres::Error> {
        // Before, since it is a way there and back of its own.
        let statement = client.prepare(NOW).await?;
        let Some(before) = self.clock.now() else { return Ok(false) };
        let row = client.query_one(&statement, &[]).await?;
        let (Some(after), Ok(there)) = (self.clock.now(), row.try_get::<_, i64>(0)) else { return Ok(false) };
        Ok(self.note(micros(before), there, micros(after)))
    }

    fn note(&self, before: i64, there: i64, after: i64) -> bool {
        let measured = offset(before, there, after);
        if let Some(offset) = measured {
            self.offset.store(offset, Ordering::Relaxed);
        }
        measured.is_some()
    }

    pub(super) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

/// From our times before and after the other was read. `None`: the way was too long, or the clock was set meanwhile.
fn offset(before: i64, there: i64, after: i64) -> Option<i64> {
    let way = after.saturating_sub(before);
    if !(0..COUNTS).contains(&way) {
        return None;
    }
    let offset = there.saturating_sub(before.saturating_add(way / 2));
    Some(if offset.unsigned_abs() < COUNTS.unsigned_abs() { 0 } else { offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_counts_from_a_quarter_of_a_second_on() {
        assert_eq!(offset(1_000_000, 1_000_500, 1_001_000), Some(0));
        assert_eq!(offset(1_000_000, 1_250_499, 1_001_000), Some(0));
        assert_eq!(offset(1_000_000, 1_250_500, 1_001_000), Some(250_000));
        assert_eq!(offset(9_000_000, 1_000_500, 9_001_000), Some(-8_000_000));
    }

    #[test]
    fn what_was_read_across_a_jump_measures_nothing() {
        assert_eq!(offset(9_000_000, 1_000_000, 1_000_500), None);
        assert_eq!(offset(1_000_000, 9_000_000, 9_000_500), None);
    }

    #[test]
    fn a_way_that_was_too_long_leaves_what_was_measured_before() {
        let skew = Skew::new(Arc::new(crate::clock::SystemClock));
        assert!(skew.note(1_000_000, 121_000_500, 1_001_000));
        assert_eq!(skew.offset(), 120_000_000);
        assert!(!skew.note(2_000_000, 122_100_000, 2_250_000));
        assert_eq!(skew.offset(), 120_000_000);
        // Its twin is a microsecond shorter.
        assert!(skew.note(2_000_000, 2_124_999, 2_249_999));
        assert_eq!(skew.offset(), 0);
    }
}
