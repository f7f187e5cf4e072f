//! Whether the receiver is up: each time that it goes down is noted in the ledger.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::sender::ledger::Ledger;
use crate::sender::transport::{Answer, NoAnswer, Transport};

/// So often at least something is heard of a receiver, or it is looked whether it takes connections. None starts in less.
pub(super) const LOOK: Duration = Duration::from_millis(10);

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
