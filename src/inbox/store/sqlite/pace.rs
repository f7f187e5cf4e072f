//! How long a group waits for those who are about to join it.

use std::time::{Duration, Instant};

/// A group waits for half as many as were in the last: what the others bring is read while it commits.
const SHARE: usize = 2;
/// It waits for a part of the time that a transaction takes, which is what one fewer saves,
const PART: u32 = 4;
/// and never longer.
const LONGEST: Duration = Duration::from_millis(2);

/// Who was answered a moment ago is likely to ask again. A writer that begins with the first of them writes little, while all
/// the others come, and is late for them. One that waits for all of them lets nobody come while it commits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Last>,
}

/// The last transaction.
#[derive(Clone, Copy, Debug)]
struct Last {
    group: usize,
    took: Duration,
    ended: Instant,
}

impl Pace {
    pub(super) fn ended(&mut self, group: usize, began: Instant) {
        let ended = Instant::now();
        self.last = Some(Last { group, took: ended.saturating_duration_since(began), ended });
    }

    /// How many are expected, and how long they may be waited for. Whoever is alone waits for nobody, nor does who comes later.
    pub(super) fn expected(&self) -> (usize, Duration) {
        match self.last {
            Some(last) if last.group > 1 && last.ended.elapsed() < last.took => {
                (last.group / SHARE, (last.took / PART).min(LONGEST))
            }
            _ => (1, Duration::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(group: usize, took: Duration, since: Duration) -> (usize, Duration) {
        let ended = Instant::now().checked_sub(since).unwrap();
        Pace { last: Some(Last { group, took, ended }) }.expected()
    }

    #[test]
    fn those_who_were_answered_just_now_are_waited_for_and_nobody_else_is() {
        let (minute, second) = (Duration::from_secs(60), Duration::from_secs(1));
        assert_eq!(Pace::default().expected(), (1, Duration::ZERO));
        assert_eq!(after(64, minute, Duration::ZERO), (32, LONGEST));
        assert_eq!(after(1, minute, Duration::ZERO), (1, Duration::ZERO), "who is alone");
        assert_eq!(after(64, second, minute), (1, Duration::ZERO), "who comes later");
    }
}
