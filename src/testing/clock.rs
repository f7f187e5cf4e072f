//! A wall clock that a test can pause.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::clock::Clock;

/// A wall clock that goes by tokio's, and so stands still and jumps with it under a paused clock. Copies are one clock.
///
/// Given to the app and to its [`Harness`](super::Harness), it lets a provider that signs times run its whole ladder in no time.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::clock::{Clock as _, Timestamp};
/// use tower_webhook::testing::TokioClock;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let clock = TokioClock::starting_at(Timestamp::UNIX_EPOCH);
/// tokio::time::sleep(Duration::from_secs(3600)).await;
/// assert_eq!(clock.now().unwrap().as_second(), 3600);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    start: Timestamp,
    began: Instant,
}

impl TokioClock {
    /// It is this time now.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, began: Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Option<Timestamp> {
        let elapsed = SignedDuration::try_from(self.began.elapsed()).ok()?;
        self.start.checked_add(elapsed).ok()
    }
}
