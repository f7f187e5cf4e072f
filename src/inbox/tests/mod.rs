//! A worker under a paused clock, in front of a store in memory.

mod ending;
mod fake;
#[cfg(feature = "sqlite")]
mod in_transaction;
mod losing;
mod piling;
mod retrying;
mod sharing;
mod stopping;
mod unknown;
mod working;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{Accepted, Backoff, Ending, Handed, InboxHandler, InboxStore as _, NewEvent, Running, Worker};
use crate::clock::{Clock, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};
use fake::Fake;

/// A wall clock that goes by tokio's.
fn clock() -> impl Clock {
    let began = Instant::now();
    move || Timestamp::UNIX_EPOCH.checked_add(began.elapsed()).ok()
}

/// Events rest as long as they may, but for a nanosecond.
fn most(out: &mut [u8]) -> Result<(), NoEntropy> {
    out.fill(0xff);
    Ok(())
}

fn event(number: u8) -> NewEvent {
    let mut event =
        NewEvent::new(KeyHash::from_bytes([number; 32]), Fingerprint::from_bytes([0; 16]), "{}", Timestamp::MAX);
    event.readable_key = number.to_string();
    event
}

async fn accept(store: &Fake, events: impl IntoIterator<Item = NewEvent>) -> Vec<Accepted> {
    let now = Timestamp::UNIX_EPOCH;
    store.accept(events.into_iter().collect(), now).await.unwrap()
}

async fn accept_all(store: &Fake, numbers: impl IntoIterator<Item = u8>) {
    accept(store, numbers.into_iter().map(event)).await;
}

/// What happened, in its order.
#[derive(Clone)]
struct Log {
    began: Instant,
    calls: Arc<Mutex<Vec<Call>>>,
    endings: Arc<Mutex<Vec<(i64, Ending)>>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Call {
    id: i64,
    attempt: u32,
    fence: u64,
    /// Since the beginning.
    at: Duration,
}

impl Log {
    fn new() -> Self {
        Self { began: Instant::now(), calls: Arc::default(), endings: Arc::default() }
    }

    fn call(&self, handed: &Handed) {
        let Handed { id, attempt, fence, .. } = handed;
        let call = Call { id: id.0, attempt: *attempt, fence: *fence, at: self.began.elapsed() };
        self.calls.lock().unwrap().push(call);
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<i64> {
        self.calls().into_iter().map(|call| call.id).collect()
    }

    fn endings(&self) -> Vec<(i64, Ending)> {
        self.endings.lock().unwrap().clone()
    }
}

fn worker<H: InboxHandler>(store: &Fake, log: &Log, handler: H) -> Worker<Fake, H> {
    let endings = Arc::clone(&log.endings);
    let told = move |held: &super::Leased, ending: &Ending| endings.lock().unwrap().push((held.id.0, ending.clone()));
    Worker::new(store.clone(), handler).clock(clock()).entropy(most).on_ended(told)
}

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}
