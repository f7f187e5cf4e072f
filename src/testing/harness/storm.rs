//! Many events with faults, into the app in this process.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Request};

use super::Harness;
use super::app::App;
use super::book::Book;
use super::line::in_short;
use super::party::Party;
use super::shelf::Seen;
use crate::delivery::{Ended, Witness};
use crate::sender::storm::{Faults, Mark, Report, Route, Storm, Writer};
use crate::sender::{Answer, Ledger, NoAnswer, Transport};

impl Harness {
    /// Runs a [`Storm`] into the app: so many events of all the harness's providers whose events this crate can write, with these
    /// faults, drawn from this seed. Whether handlers fail is the app's own business. What was broken is said in the end with the
    /// rest.
    ///
    /// It takes as long as it takes; under a paused clock, no time. For schemes that sign a time the app's clock and the
    /// harness's have to be a [`TokioClock`](crate::testing::TokioClock) then.
    ///
    /// ```
    /// # use tower_webhook::provider::aella::{Aella, Event};
    /// # use tower_webhook::testing::Harness;
    /// # use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let provider = || Aella::new(Secret::utf8("ae_sk_test_example")?);
    /// # let receiver = Receiver::new("aella-ng", provider()?).dedupe(MemoryStore::new(10_000));
    /// # let app = receiver.handle(|_: Received<Event>| async {});
    /// let harness = Harness::start(app).provider("/aella", provider()?);
    /// harness.storm(300, "duplicates=0.2,bad=0.2".parse()?, 7).await;
    /// assert_eq!(harness.verify()?.tally.accepted, 300);
    /// # Ok(()) }
    /// ```
    pub async fn storm(&self, events: u64, faults: Faults, seed: u64) -> Report {
        let routes: Vec<_> = self.parties.iter().filter_map(route).collect();
        if routes.is_empty() {
            self.fails("there is no provider whose events could be written for a storm");
        }
        let ledger = Ledger::new();
        let replay = format!("Harness::storm({events}, {:?}.parse()?, {seed})", faults.to_string());
        let (app, extensions) = (self.line.app.clone(), self.line.extensions.clone());
        let target = Target { app, extensions, ledger: ledger.clone(), book: Arc::clone(&self.line.book) };
        let storm = Storm::new(routes, target).ledger(&ledger).events(events).faults(faults).seed(seed);
        let mut report = storm.starting_at(self.now()).run().await;
        report.replay = replay;
        self.line.book.stormed(&report);
        report
    }
}

fn route(party: &Party) -> Option<Route> {
    let writer = Writer::of(party.profile.name)?;
    let name = party.path.to_string();
    let route = Route::new(name, party.path.clone(), party.provider.clone(), party.profile.clone(), writer);
    Some(match &party.credentials {
        Some(credentials) => route.credentials(credentials.clone()),
        None => route,
    })
}

/// The app, and who looks on for the storm's ledger.
struct Target {
    app: App,
    extensions: Extensions,
    ledger: Ledger,
    /// What is stored is found by who watches a worker.
    book: Arc<Book>,
}

impl Transport for Target {
    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let (ledger, stored, book) = (self.ledger.clone(), self.ledger.clone(), Arc::clone(&self.book));
        let witness = Witness::new(move |delivery| {
            called(&ledger, delivery.key().as_str(), delivery.fence().map(NonZeroU64::get))
        });
        let witness = witness.and_of_stored(move |key, readable| {
            if let Some(mark) = Mark::find(readable.as_bytes()) {
                stored.stored(mark.number());
            }
            let (ledger, readable) = (stored.clone(), readable.to_owned());
            let seen: Seen = Arc::new(move |fence| called(&ledger, &readable, Some(fence)));
            book.shelf.put(*key, None, false, seen);
        });
        request.extensions_mut().extend(self.extensions.clone());
        request.extensions_mut().insert(witness);
        in_short(&self.app.call(request).await)
    }
}

/// A handler is called for the event of this key.
fn called(ledger: &Ledger, key: &str, fence: Option<u64>) -> Ended {
    let call = ledger.called(Mark::find(key.as_bytes()).map(Mark::number), fence);
    Box::new(|is_done| if is_done { call.done() } else { call.failed() })
}
