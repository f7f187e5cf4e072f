//! Stopping without losing what is in hand.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// Drains receivers: what is in hand finishes and is answered, what comes new is answered 503 and comes again.
///
/// One drain serves any number of receivers and layers, by `.drain(&drain)` on each. Call [`begin`](Self::begin) on the signal to stop, keep the server running until [`finished`](Self::finished), then
/// stop it. Clones are one drain.
///
/// A handler that hangs is dropped at [`Settings::handler_limit`](crate::idempotency::Settings::handler_limit), 5 minutes unless it was
/// set, so that a drain ends. One that blocks its thread cannot be dropped: [`finish_within`](Self::finish_within) ends all
/// the same.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<Count>);

impl Drain {
    /// A drain that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every new delivery is answered 503.
    pub fn begin(&self) {
        if self.0.state.fetch_or(BEGUN, Ordering::AcqRel) == 0 {
            self.0.finished.notify_waiters();
        }
    }

    /// Whether [`begin`](Self::begin) was called.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.state.load(Ordering::Acquire) & BEGUN != 0
    }

    /// Completes when draining has begun and nothing is in hand: no delivery, even one whose sender has hung up, and no
    /// answered event that is still to be marked in the store.
    pub async fn finished(&self) {
        // It hears from here on, so that nothing is missed that ends right behind the look.
        let finished = self.0.finished.notified();
        if self.0.state.load(Ordering::Acquire) != BEGUN {
            finished.await;
        }
    }

    /// Begins, and waits until nothing is in hand, but no longer than this. It needs a tokio runtime with its timer.
    ///
    /// What is left hears nothing of it and goes on; its lease is renewed as before, so that nobody else runs it meanwhile. When
    /// the process ends, the lease ends by itself, and the sender's next try runs.
    ///
    /// # Errors
    ///
    /// [`StillInHand`] when something is left.
    pub async fn finish_within(&self, time: Duration) -> Result<(), StillInHand> {
        self.begin();
        if timeout(time, self.finished()).await.is_ok() {
            return Ok(());
        }
        NonZeroUsize::new(self.0.state.load(Ordering::Acquire) / ONE).map_or(Ok(()), |count| Err(StillInHand { count }))
    }

    /// One more is in hand, until this is dropped: by its work, when it is done or dropped.
    pub(crate) fn enter(&self) -> Entered {
        self.0.state.fetch_add(ONE, Ordering::Relaxed);
        Entered(Arc::clone(&self.0))
    }
}

/// In a count's state: whether draining has begun, beside [`ONE`] for each that is in hand.
const BEGUN: usize = 1;
const ONE: usize = 2;

#[derive(Debug, Default)]
struct Count {
    state: AtomicUsize,
    finished: Notify,
}

#[must_use = "what is dropped is not in hand"]
pub(crate) struct Entered(Arc<Count>);

impl Drop for Entered {
    fn drop(&mut self) {
        if self.0.state.fetch_sub(ONE, Ordering::AcqRel) == BEGUN | ONE {
            self.0.finished.notify_waiters();
        }
    }
}

/// What a drain left in hand: deliveries, and answered events that are not yet marked in the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StillInHand {
    count: NonZeroUsize,
}

impl StillInHand {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.get()
    }
}

impl fmt::Display for StillInHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} still in hand", self.count)
    }
}

impl std::error::Error for StillInHand {}

#[cfg(test)]
mod tests {
    use std::hint::spin_loop;
    use std::thread;

    use futures_util::FutureExt as _;
    use tokio_test::{assert_pending, assert_ready, task};

    use super::*;

    #[test]
    fn it_is_finished_once_it_has_begun_and_the_last_work_is_dropped() {
        let drain = Drain::new();
        let (first, second) = (drain.enter(), drain.clone().enter());
        let mut finished = task::spawn(drain.finished());
        assert_pending!(finished.poll());
        drop(first);
        drain.begin();
        assert_pending!(finished.poll(), "one is still in hand");
        drop(second);
        assert!(finished.is_woken());
        assert_ready!(finished.poll());
        drain.finished().now_or_never().expect("and it stays finished");
    }

    #[test]
    fn with_nothing_in_hand_to_begin_is_to_finish() {
        let drain = Drain::new();
        drop(drain.enter());
        let mut finished = task::spawn(drain.finished());
        assert_pending!(finished.poll(), "nothing is in hand, but it has not begun");
        drain.begin();
        assert!(finished.is_woken());
        assert_ready!(finished.poll());
    }

    #[test]
    fn who_begins_to_wait_while_the_last_work_ends_is_woken() {
        const ROUNDS: usize = 20_000;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let drains: Vec<_> = (0..ROUNDS).map(|_| Drain::new()).collect();
        let works: Vec<_> = drains.iter().map(Drain::enter).collect();
        drains.iter().for_each(Drain::begin);
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for (round, work) in works.into_iter().enumerate() {
                    while begun.load(Ordering::Acquire) <= round {
                        thread::yield_now();
                    }
                    // So that over the rounds it ends at every point of what the other does.
                    (0..round % 100).for_each(|_| spin_loop());
                    drop(work);
                }
            });
            for (round, drain) in drains.iter().enumerate() {
                begun.fetch_add(1, Ordering::Release);
                let finished = runtime.block_on(async { timeout(Duration::from_secs(20), drain.finished()).await });
                begun.fetch_max(if finished.is_err() { ROUNDS } else { 0 }, Ordering::Release);
                assert!(finished.is_ok(), "nobody was woken in round {round}");
            }
        });
    }
}
