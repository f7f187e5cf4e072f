//! What the sender's side knows of the receiver: the events that handlers have booked, and why deliveries were refused.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::wire::{Entry, Line};

/// How long the receiver may take to handle what it has stored.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to say that nothing comes of a delivery. Of a repeat it says nothing.
const SILENCE: Duration = Duration::from_millis(20);

/// Everything that the receiver has told. A clone is the same ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Seen>>);

/// What the receiver has told since some moment.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) entries: Vec<Entry>,
    pub(crate) refusals: Vec<String>,
}

/// How much stood in the ledger at some moment.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    entries: usize,
    refusals: usize,
}

impl Ledger {
    pub(crate) fn note(&self, line: Line) {
        let mut seen = self.lock();
        match line {
            Line::Booked(entry) => seen.entries.push(entry),
            Line::Refused(why) => seen.refusals.push(why),
            Line::KeptApart(_) => seen.refusals.push("kept apart, for people".into()),
            Line::Listening(_) | Line::Drained => {}
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        let seen = self.lock();
        Mark { entries: seen.entries.len(), refusals: seen.refusals.len() }
    }

    /// What came since then, as soon as so many events are handled, or it was said why none is.
    pub(crate) async fn since(&self, mark: Mark, events: usize) -> Seen {
        let start = Instant::now();
        loop {
            let seen = self.after(mark);
            let keys: HashSet<_> = seen.entries.iter().map(|entry| (entry.who, &entry.key)).collect();
            let (is_enough, patience) = match events {
                0 => (!seen.refusals.is_empty(), SILENCE),
                events => (keys.len() >= events, PATIENCE),
            };
            if is_enough || start.elapsed() > patience {
                return seen;
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    fn after(&self, mark: Mark) -> Seen {
        let seen = self.lock();
        Seen {
            entries: seen.entries.iter().skip(mark.entries).cloned().collect(),
            refusals: seen.refusals.iter().skip(mark.refusals).cloned().collect(),
        }
    }

    /// Everything booked.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
