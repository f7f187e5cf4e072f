//! Many events with faults, and the judge of what became of them.
//!
//! A [`Storm`] plays the providers of its [`Route`]s against a receiver: it sends so many events, each by its provider's ladder in
//! compressed time, does to some what real senders, networks and attackers do ([`Faults`], all from one seed), and notes in a
//! [`Ledger`] what was sent, answered and handled. Then the faults stop, and everything has to settle. The
//! [`Report`] says what was lost, handled twice, taken or refused wrongly, and what the providers would have switched off.
//!
//! Whoever handles events tells the ledger: [`Mark::find`] finds in a key or a body which event it is, and
//! [`Call::with`](super::Call::with) holds what was handed over against what was sent.
//!
//! ```
//! use http::Request;
//! use tower_webhook::provider::aella::{self, Aella};
//! use tower_webhook::provider::Message;
//! use tower_webhook::secret::Secret;
//! use tower_webhook::sender::storm::{Mark, Route, Storm, Theme};
//! use tower_webhook::sender::{DeliveryProfile, InProcess, Ledger};
//! use tower_webhook::{MemoryStore, Received, Receiver};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let aella = || Aella::new(Secret::utf8("ae_sk_test_example")?);
//! let write = |themes: &[Theme]| {
//!     let body = format!(r#"{{"event":"transfer.completed","data":{{"id":"{}","amount":1}}}}"#, themes[0].about);
//!     Message::new(body)
//! };
//! let ledger = Ledger::new();
//! let seen = ledger.clone();
//! let receiver = Receiver::new("aella", aella()?).dedupe(MemoryStore::new(10_000));
//! let service = receiver.handle(move |event: Received<aella::Event>| {
//!     let mark = Mark::find(event.delivery().key().as_str().as_bytes()).map(Mark::number);
//!     let call = seen.called(mark, event.fence().map(|fence| fence.get())).with(event.delivery().raw());
//!     async move { call.done() }
//! });
//!
//! let route = Route::new("aella", "/aella".parse()?, aella()?, DeliveryProfile::aella(), write);
//! let storm = Storm::new([route], InProcess::new(service)).ledger(&ledger);
//! let report = storm.events(500).seed(7).faults("duplicates=0.2,bad=0.1".parse()?).run().await;
//! assert!(report.is_happy(), "{report}");
//! assert_eq!((report.events, report.accepted), (500, 500));
//! # Ok(()) }
//! ```

mod author;
mod beside;
mod counts;
mod deliver;
#[cfg(test)]
mod downs;
mod fault;
mod faults;
mod heal;
mod mark;
mod plan;
mod report;
mod route;
mod run;
mod watched;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ledger::Ledger;
use super::transport::Transport;
use plan::Plan;
use run::Run;

pub use author::Writer;
pub use counts::Counts;
pub use fault::{Class, Fault, FaultError, Pick};
pub use faults::Faults;
pub use mark::Mark;
pub use report::Report;
pub use route::{Author, Route, Theme};

/// A run that has not begun.
#[must_use]
pub struct Storm<T> {
    routes: Vec<Route>,
    targets: Vec<T>,
    ledger: Ledger,
    plan: Plan,
    counts: Counts,
}

impl<T: Transport> Storm<T> {
    /// These endpoints, over this transport. 1000 events, without faults, from seed 0.
    pub fn new(routes: impl IntoIterator<Item = Route>, target: T) -> Self {
        Self {
            routes: routes.into_iter().collect(),
            targets: vec![target],
            ledger: Ledger::new(),
            plan: Plan {
                seed: 0,
                stamp: 0,
                events: 1000,
                faults: Faults::none(),
                concurrency: 64,
                compressed: 100,
                heal: Duration::from_secs(60),
                insists: false,
                epoch: Timestamp::UNIX_EPOCH,
            },
            counts: Counts::default(),
        }
    }

    /// A further receiver of the same events, such as a second process on the same store. Tries go to them in turn.
    pub fn also_to(mut self, target: T) -> Self {
        self.targets.push(target);
        self
    }

    /// Noted in this ledger, which whoever handles events notes in too. Default: one of its own.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.ledger = ledger.clone();
        self
    }

    /// So many events. Default: 1000.
    pub fn events(mut self, events: u64) -> Self {
        self.plan.events = events;
        self
    }

    /// Everything that is drawn is drawn from this. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = seed;
        self
    }

    /// With these faults. Default: none.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.plan.faults = faults;
        self
    }

    /// So many requests at once. Default: 64.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.plan.concurrency = requests.clamp(1, 65_536);
        self
    }

    /// Waits between tries are so many times shorter than the provider's. Default: 100. How long a sender waits for an answer is
    /// not.
    pub fn compressed(mut self, times: u32) -> Self {
        self.plan.compressed = times.max(1);
        self
    }

    /// How long the run waits for anything at all to settle. When the last event was sent, it goes on for as long as senders come
    /// to their end and handlers to theirs, such as those of an inbox with a backlog; after so long without either, what is left is
    /// judged as it stands, and after a hundred times as long in any case. Default: 60 seconds.
    pub fn heal(mut self, time: Duration) -> Self {
        self.plan.heal = time;
        self
    }

    /// What is refused comes again by its ladder, whatever the status, as most providers have it: for receivers that are wrong for
    /// a while and then mended. Default: a 4xx but 408, 425 and 429 is a wrong refusal, and final.
    pub fn insisting(mut self) -> Self {
        self.plan.insists = true;
        self
    }

    /// Sealed as if it began at this time. Default: the Unix epoch.
    pub fn starting_at(mut self, epoch: Timestamp) -> Self {
        self.plan.epoch = epoch;
        self
    }

    /// Tells its events from those of other runs, which a store may still know. Default: 0.
    pub fn stamp(mut self, stamp: u32) -> Self {
        self.plan.stamp = stamp;
        self
    }

    /// How far it is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Runs it to its end. It needs a tokio runtime with its timer.
    pub async fn run(self) -> Report {
        let Self { routes, targets, ledger, plan, counts } = self;
        Arc::new(Run::new(routes, targets, ledger, plan, counts)).run().await
    }
}

impl<T> fmt::Debug for Storm<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storm").field("routes", &self.routes).field("plan", &self.plan).finish_non_exhaustive()
    }
}
