//! A bounded table of token buckets.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::time::Duration;

/// How much passes: so many at once, and one in each interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// In nanoseconds.
    pub(super) interval: i128,
    pub(super) burst: u32,
}

impl Rate {
    /// The time in which an empty bucket fills.
    fn window(self) -> i128 {
        self.interval * i128::from(self.burst)
    }
}

/// A bucket for each key. What it holds is told by one number: the moment at which it is full again.
///
/// There are two halves. Who is seen is in the young one; when that is full, it becomes the old one, and what was old is
/// forgotten. So those who were seen last are known, as many as half of the table holds at least, and no look at the table
/// takes longer than another. Who is forgotten has a full bucket, as one has who was never seen.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// Of each half.
    capacity: usize,
    young: HashMap<K, i128>,
    old: HashMap<K, i128>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// A table of so many buckets, two at least. It takes its memory when it needs it.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity: (capacity / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// How many buckets there are.
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Takes one token at this moment, in nanoseconds.
    ///
    /// # Errors
    ///
    /// There is none: the time until there is one.
    pub(super) fn take(&mut self, key: K, now: i128, rate: Rate) -> Result<(), Duration> {
        let known = self.young.get(&key).copied().or_else(|| self.old.remove(&key));
        // A clock that was set back must not keep anybody out for longer than an empty bucket does.
        let full = known.unwrap_or(now).clamp(now, now.saturating_add(rate.window()));
        let next = full.saturating_add(rate.interval);
        let late = next - now.saturating_add(rate.window());
        let is_refused = late > 0;
        self.put(key, if is_refused { full } else { next });
        match is_refused {
            true => Err(Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX))),
            false => Ok(()),
        }
    }

    fn put(&mut self, key: K, full: i128) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, full);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i128 = 1_000_000_000;
    const RATE: Rate = Rate { interval: SECOND, burst: 3 };

    #[test]
    fn a_burst_passes_and_then_one_in_each_interval() {
        let mut buckets = Buckets::new(10);
        let mut at = |time: i128| buckets.take("a", time, RATE).map_err(|wait| wait.as_nanos());
        assert_eq!([at(0), at(0), at(0), at(0)], [Ok(()), Ok(()), Ok(()), Err(1_000_000_000)]);
        assert_eq!([at(SECOND - 1), at(SECOND), at(SECOND)], [Err(1), Ok(()), Err(1_000_000_000)]);
        assert_eq!(
            [at(9 * SECOND), at(9 * SECOND), at(9 * SECOND), at(9 * SECOND)].map(|it| it.is_ok()),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_long() {
        let mut buckets = Buckets::new(10);
        let late = 1_000_000 * SECOND;
        for _ in 0..4 {
            let _ = buckets.take("a", late, RATE);
        }
        assert_eq!(buckets.take("a", 0, RATE), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take("a", SECOND, RATE), Ok(()));
    }

    #[test]
    fn a_million_strangers_take_no_more_room_than_there_is_and_who_was_seen_last_is_known() {
        let mut buckets = Buckets::new(1000);
        for stranger in 0..1_000_000_u32 {
            assert_eq!(buckets.take(stranger, 0, RATE), Ok(()));
            assert!(buckets.len() <= 1000, "{}", buckets.len());
        }
        assert!(buckets.len() > 500, "{}", buckets.len());
        let known = (0..1_000_000_u32)
            .rev()
            .take(500)
            .filter(|stranger| buckets.young.contains_key(stranger) || buckets.old.contains_key(stranger));
        assert_eq!(known.count(), 500);
    }

    #[test]
    fn who_comes_again_and_again_is_never_forgotten() {
        let mut buckets = Buckets::new(100);
        for _ in 0..3 {
            assert_eq!(buckets.take(u32::MAX, 0, RATE), Ok(()));
        }
        for stranger in 0..10_000 {
            let _ = buckets.take(stranger, 0, RATE);
            if stranger % 20 == 0 {
                assert!(buckets.take(u32::MAX, 0, RATE).is_err(), "{stranger}");
            }
        }
    }

    proptest! {
        /// Against a bucket that counts its tokens.
        #[test]
        fn it_is_a_bucket(steps in proptest::collection::vec(0..3000_i128, 1..60), burst in 1..5_u32) {
            let rate = Rate { interval: 1000, burst };
            let (mut buckets, mut now) = (Buckets::new(4), 0);
            let (mut tokens, mut since) = (i128::from(burst) * 1000, 0);
            for step in steps {
                now += step;
                tokens = (tokens + now - since).min(i128::from(burst) * 1000);
                since = now;
                let passes = tokens >= 1000;
                tokens -= if passes { 1000 } else { 0 };
                prop_assert_eq!(buckets.take((), now, rate).is_ok(), passes);
            }
        }
    }
}
