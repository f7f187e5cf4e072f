//! Whether the receiver is up: each time that it goes down is noted in the ledger.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::sender::ledger::Ledger;
use crate::sender::transport::{Answer, NoAnswer, Transport};

/// So often at least something is heard of a receiver, or it is looked whether it takes connections. None starts in less.
const LOOK: Duration = Duration::from_millis(10);

/// A way to a receiver, and what is known of who is there.
pub(super) struct Watched<T> {
    pub(super) target: T,
    ledger: Ledger,
    state: Mutex<State>,
}

struct State {
    /// When something was last heard of it, or looked for.
    seen: Instant,
    /// Since when nobody is there.
    down: Option<Instant>,
}

impl<T: Transport> Watched<T> {
    /// Nobody is there until something is heard.
    pub(super) fn new(target: T, ledger: &Ledger) -> Self {
        let now = Instant::now();
        Self { target, ledger: ledger.clone(), state: Mutex::new(State { seen: now, down: Some(now) }) }
    }

    /// What was answered to a request that began then. `is_usual`: whoever is up answers it.
    pub(super) fn heard(&self, began: Instant, answer: &Result<Answer, NoAnswer>, is_usual: bool) {
        match answer {
            Ok(_) => self.saw(began, true),
            Err(NoAnswer::Unreachable) => self.saw(began, false),
            Err(NoAnswer::Broken) if is_usual => self.saw(began, false),
            Err(_) => {}
        }
    }

    /// Whether it was up, as was asked then.
    fn saw(&self, asked: Instant, is_up: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen = Instant::now();
        match (state.down, is_up) {
            // What was asked before may have been answered before as well.
            (Some(since), true) if asked >= since => state.down = None,
            (None, false) => {
                state.down = Some(state.seen);
                self.ledger.went_down();
            }
            _ => {}
        }
    }

    fn is_quiet(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).seen.elapsed() >= LOOK
    }
}

/// Looks for each receiver of which nothing is heard, for ever, where that matters and somebody can tell.
pub(super) async fn watch<T: Transport>(targets: &[Watched<T>], ledger: &Ledger) {
    while ledger.stores_first() {
        for watched in targets.iter().filter(|watched| watched.is_quiet()) {
            let asked = Instant::now();
            let Some(is_there) = watched.target.is_there().await else { return };
            watched.saw(asked, is_there);
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use bytes::Bytes;
    use http::{Request, StatusCode};

    use super::*;
    use crate::provider::mambu::Mambu;
    use crate::sender::DeliveryProfile;
    use crate::sender::storm::{Report, Route, Storm, Writer};

    /// What it does and answers to the request of this number.
    type Act = Arc<dyn Fn(&Fake, u64) -> Result<StatusCode, NoAnswer> + Send + Sync>;

    /// A receiver with an inbox, which tells this ledger of what is done.
    #[derive(Clone)]
    struct Fake {
        ledger: Ledger,
        is_up: Arc<AtomicBool>,
        requests: Arc<AtomicU64>,
        act: Act,
    }

    impl Fake {
        fn handle(&self, number: u64, fence: u64) {
            self.ledger.called(Some(number), Some(fence)).done();
        }
    }

    impl Transport for Fake {
        async fn exchange(&self, _: Request<Bytes>) -> Result<Answer, NoAnswer> {
            (self.act)(self, self.requests.fetch_add(1, Ordering::Relaxed)).map(Answer::of)
        }

        async fn is_there(&self) -> Option<bool> {
            Some(self.is_up.load(Ordering::Relaxed))
        }
    }

    /// Two events.
    async fn run(act: impl Fn(&Fake, u64) -> Result<StatusCode, NoAnswer> + Send + Sync + 'static) -> Report {
        let (ledger, is_up) = (Ledger::of_an_inbox(), Arc::new(AtomicBool::new(true)));
        let fake = Fake { ledger: ledger.clone(), is_up, requests: Arc::default(), act: Arc::new(act) };
        let path = "/mambu".parse().unwrap();
        let route = Route::new("mambu", path, Mambu::new(), DeliveryProfile::mambu(), Writer::Mambu);
        Storm::new([route], fake).ledger(&ledger).events(2).heal(Duration::from_secs(600)).run().await
    }

    fn called_again(report: &Report) -> (u64, u64) {
        (report.called_again, report.handled_twice)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_may_be_called_again_when_a_request_has_seen_it_down() {
        for (down, expected) in [
            (None, (0, 1)),
            (Some(NoAnswer::TimedOut), (0, 1)),
            (Some(NoAnswer::Unreachable), (1, 0)),
            (Some(NoAnswer::Broken), (1, 0)),
        ] {
            let report = run(move |fake, request| match (request, down) {
                (0, _) => {
                    fake.handle(0, 1);
                    Ok(StatusCode::OK)
                }
                (1, Some(down)) => Err(down),
                (1, None) | (2, Some(_)) => {
                    fake.handle(0, 2);
                    fake.handle(1, 1);
                    Ok(StatusCode::OK)
                }
                _ => Ok(StatusCode::OK),
            })
            .await;
            assert_eq!(called_again(&report), expected, "{down:?}: {report}");
        }
    }

    /// Every sender has come to its end, and only who looks can see it.
    #[tokio::test(start_paused = true)]
    async fn a_receiver_is_looked_for_while_nothing_is_sent() {
        for (goes_down, expected) in [(false, (0, 1)), (true, (1, 0))] {
            let report = run(move |fake, request| {
                let fake = fake.clone();
                if request == 1 {
                    tokio::spawn(async move {
                        sleep(Duration::from_secs(1)).await;
                        fake.handle(0, 1);
                        fake.is_up.store(!goes_down, Ordering::Relaxed);
                        sleep(2 * LOOK).await;
                        fake.is_up.store(true, Ordering::Relaxed);
                        sleep(2 * LOOK).await;
                        fake.handle(0, 2);
                        fake.handle(1, 1);
                    });
                }
                Ok(StatusCode::OK)
            })
            .await;
            assert_eq!(called_again(&report), expected, "{report}");
        }
    }
}
