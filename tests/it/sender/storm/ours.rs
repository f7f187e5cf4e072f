//! Our own receivers under a storm, in process: one, two on one store, and whoever forgets too soon.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::{Instant, timeout};
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{AnyEvent, AnyProvider};
use tower_webhook::secret::Secret;
use tower_webhook::sender::storm::{Mark, Report, Route, Writer};
use tower_webhook::sender::{Answer, Broken, DeliveryProfile, Handling, InProcess, Ledger, NoAnswer, Transport};
use tower_webhook::{MemoryStore, Outcome, Received, Receiver};

use super::storm;
use super::wrong::NOW;

const HEX: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

/// The providers, with who writes for each, and how it delivers.
fn providers() -> Vec<(&'static str, AnyProvider, Writer, DeliveryProfile)> {
    let secret = || Secret::utf8("sim-bc-notification-key-32-chars").unwrap();
    let hex = || Secret::hex(HEX).unwrap();
    let standard = StandardWebhooks::new(hex()).unwrap();
    vec![
        ("/aella", AnyProvider::new(Aella::new(secret()).unwrap()), Writer::Aella, DeliveryProfile::aella()),
        ("/aella-2", AnyProvider::new(Aella::new(secret()).unwrap()), Writer::Aella, DeliveryProfile::aella()),
        ("/opp", AnyProvider::new(Opp::new(hex()).unwrap()), Writer::Opp, DeliveryProfile::opp()),
        ("/sibs", AnyProvider::new(Sibs::new(hex()).unwrap()), Writer::Sibs, DeliveryProfile::sibs()),
        (
            "/bank",
            AnyProvider::new(BankingCircle::new(secret()).unwrap()),
            Writer::BankingCircle,
            DeliveryProfile::banking_circle(),
        ),
        ("/standard", AnyProvider::new(standard), Writer::StandardWebhooks, DeliveryProfile::standard_webhooks()),
    ]
}

fn routes() -> Vec<Route> {
    let route = |(path, provider, writer, profile): (&str, AnyProvider, Writer, DeliveryProfile)| {
        Route::new(path, path.parse().unwrap(), provider, profile, writer)
    };
    providers().into_iter().map(route).collect()
}

/// Receivers of all providers in one process.
#[derive(Clone)]
struct Ours(Arc<dyn Fn(Request<Bytes>) -> Exchange + Send + Sync>);

type Exchange = std::pin::Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

impl Ours {
    fn new(store: &MemoryStore, ledger: &Ledger) -> Self {
        Self::whose_clock(store, ledger, |_| Duration::ZERO)
    }

    /// Whose clock is behind by so much, so long after the beginning.
    fn whose_clock(store: &MemoryStore, ledger: &Ledger, behind: fn(Duration) -> Duration) -> Self {
        Self::made(store, ledger, behind, handle)
    }

    fn made<F: Future<Output = Outcome> + Send + 'static>(
        store: &MemoryStore,
        ledger: &Ledger,
        behind: fn(Duration) -> Duration,
        handle: fn(Ledger, Received<AnyEvent>) -> F,
    ) -> Self {
        let began = Instant::now();
        let services: Vec<_> = providers()
            .into_iter()
            .map(|(path, provider, ..)| {
                let now = move || Some::<Timestamp>(NOW + began.elapsed() - behind(began.elapsed()));
                let receiver = Receiver::new(path, provider).clock(now).dedupe(store.clone());
                let ledger = ledger.clone();
                let handler = move |event: Received<AnyEvent>| handle(ledger.clone(), event);
                (path, InProcess::new(receiver.handle(handler)))
            })
            .collect();
        Self(Arc::new(move |request| {
            let service = services.iter().find(|(path, _)| *path == request.uri().path()).unwrap().1.clone();
            Box::pin(async move { service.exchange(request).await })
        }))
    }
}

async fn handle(ledger: Ledger, event: Received<AnyEvent>) -> Outcome {
    let mark = Mark::find(event.delivery().key().as_str().as_bytes()).map(Mark::number);
    let call = ledger.called_by(event.delivery().receiver(), mark, event.fence().map(|fence| fence.get()));
    let call = call.with(event.delivery().raw());
    match call.handling() {
        Handling::FailsAtFirst | Handling::Poison => {
            call.failed();
            return Outcome::failed("the run wants it to");
        }
        Handling::Slow => tokio::time::sleep(Duration::from_secs(1)).await,
        _ => tokio::task::yield_now().await,
    }
    call.done();
    Outcome::Done
}

/// Breaks off what is slow, the first time.
async fn handle_in_haste(ledger: Ledger, event: Received<AnyEvent>) -> Outcome {
    let is_first = event.fence().is_some_and(|fence| fence.get() == 1);
    let patience = Duration::from_millis(if is_first { 500 } else { 5000 });
    timeout(patience, handle(ledger, event)).await.unwrap_or_else(|_| Outcome::failed("it takes too long"))
}

impl Transport for Ours {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        (self.0)(request).await
    }
}

/// Everything but connections, of which there are none here.
const EVERYTHING: &str = "duplicates=0.2,keys=0.1,order=0.1,bad=0.15,bodies=0.05,handlers=0.1,load=0.05";

async fn run(ledger: &Ledger, receivers: Vec<Ours>, faults: &str, seed: u64) -> Report {
    let mut receivers = receivers.into_iter();
    let first = storm(routes(), receivers.next().unwrap(), ledger);
    let storm = receivers.fold(first, |storm, receiver| storm.also_to(receiver));
    storm.events(400).seed(seed).faults(faults.parse().unwrap()).run().await
}

#[tokio::test(start_paused = true)]
async fn our_receivers_come_through_all_faults() {
    for seed in [1, 2] {
        let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
        let report = run(&ledger, vec![Ours::new(&store, &ledger)], EVERYTHING, seed).await;
        assert!(report.is_happy(), "seed {seed}: {report}");
        assert!(report.events == 400 && report.refused > 30 && report.called_again > 0, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_receivers_on_one_store_are_one_and_on_two_they_are_not() {
    let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
    let two = vec![Ours::new(&store, &ledger), Ours::new(&store, &ledger)];
    let report = run(&ledger, two, EVERYTHING, 3).await;
    assert!(report.is_happy(), "{report}");

    let ledger = Ledger::new();
    let apart = [(); 2].map(|()| Ours::new(&MemoryStore::new(100_000), &ledger));
    let report = run(&ledger, apart.into(), "lost-answer=0.3", 3).await;
    assert!(ledger.close().count(Broken::HandledTwice) > 0, "{report}");
}

/// Nothing but these three failures explains that a handler is called again.
const EXPLAINED: &str = "duplicates=0.3,keys=0.1,order=0.1,bad=0.1,bodies=0.05,handler-slow=0.1,crowd=0.01,\
                         handler-fails@21,handler-fails@42,handler-fails@84";

#[tokio::test(start_paused = true)]
async fn nothing_is_called_again_without_a_failure() {
    for seed in [5, 6] {
        let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
        let report = run(&ledger, vec![Ours::new(&store, &ledger)], EXPLAINED, seed).await;
        assert!(report.is_happy() && report.called_again == 3, "seed {seed}: {report}");
    }
}

/// It breaks no promise, and the figure alone tells.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_breaks_off_slow_handlers_is_seen_by_what_is_called_again() {
    let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
    let hasty = Ours::made(&store, &ledger, |_| Duration::ZERO, handle_in_haste);
    let report = run(&ledger, vec![hasty], EXPLAINED, 5).await;
    assert!(report.is_happy() && report.called_again > 3, "{report}");
}

/// A ladder's first try may be lost with the clock's step; what is sealed anew is as old as the receiver's clock allows.
#[tokio::test(start_paused = true)]
async fn a_receiver_s_clock_may_step_back_within_the_tolerance_and_no_further() {
    let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
    let a_little =
        Ours::whose_clock(&store, &ledger, |since| Duration::from_secs(if since.is_zero() { 0 } else { 120 }));
    let report = run(&ledger, vec![a_little], "duplicates=0.2,handlers=0.2", 4).await;
    assert!(report.is_happy(), "{report}");

    let (ledger, store) = (Ledger::new(), MemoryStore::new(100_000));
    let far = Ours::whose_clock(&store, &ledger, |_| Duration::from_secs(7200));
    let report = run(&ledger, vec![far], "", 4).await;
    assert!(report.wrongly_refused > 0 && report.lost == 0 && report.handled_twice == 0, "{report}");
    let refused = report.examples.iter().all(|line| line.contains("/standard") && line.contains("401"));
    assert!(refused, "{report}");
}
