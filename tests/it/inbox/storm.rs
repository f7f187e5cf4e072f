//! A storm against receivers in front of one inbox, with a worker behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;
use tower_webhook::Receiver;
use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{Backoff, Handed, InboxHandler, Verdict, Worker};
use tower_webhook::provider::AnyProvider;
use tower_webhook::sender::storm::{Mark, Report, Route, Storm, Writer};
use tower_webhook::sender::{Answer, DeliveryProfile, Handling, InProcess, Ledger, NoAnswer, Transport};

use super::Inbox;
use crate::deliveries::{aella, bank, now};

type Exchange = std::pin::Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

/// Receivers of two providers, in front of one inbox.
struct Ours(Arc<dyn Fn(Request<Bytes>) -> Exchange + Send + Sync>);

impl Transport for Ours {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        (self.0)(request).await
    }
}

fn providers() -> [(&'static str, AnyProvider, Writer, DeliveryProfile); 2] {
    [
        ("/aella", AnyProvider::new(aella()), Writer::Aella, DeliveryProfile::aella()),
        ("/bank", AnyProvider::new(bank()), Writer::BankingCircle, DeliveryProfile::banking_circle()),
    ]
}

fn clock() -> impl Fn() -> Option<Timestamp> + Clone + Send + Sync + 'static {
    let began = Instant::now();
    move || Some(now() + began.elapsed())
}

fn ours(inbox: &Inbox) -> Ours {
    let service = |(path, provider, ..): (&'static str, AnyProvider, Writer, DeliveryProfile)| {
        (path, InProcess::new(Receiver::new(path, provider).clock(clock()).inbox(inbox)))
    };
    let services = providers().map(service);
    Ours(Arc::new(move |request| {
        let service = services.iter().find(|(path, _)| *path == request.uri().path()).unwrap().1.clone();
        Box::pin(async move { service.exchange(request).await })
    }))
}

/// Tells the ledger of each call.
async fn handle(ledger: Ledger, handed: Handed) -> Verdict {
    let mark = Mark::find(handed.event.readable_key.as_bytes()).map(Mark::number);
    let call = ledger.called_by(&handed.event.receiver, mark, Some(handed.fence)).with(&handed.event.payload);
    match call.handling() {
        Handling::FailsAtFirst | Handling::Poison => {
            call.failed();
            return Verdict::retry("the run wants it to");
        }
        Handling::Slow => tokio::time::sleep(Duration::from_secs(1)).await,
        _ => tokio::task::yield_now().await,
    }
    call.done();
    Verdict::Done
}

async fn run(ledger: &Ledger, inbox: &Inbox, handler: impl InboxHandler) -> Report {
    let routes = providers()
        .map(|(path, provider, writer, profile)| Route::new(path, path.parse().unwrap(), provider, profile, writer));
    let backoff = Backoff::default().cap(Duration::from_secs(30)).attempts(10);
    let worker = Worker::new(inbox.clone(), handler).clock(clock()).retry(backoff).start();
    let storm = Storm::new(routes, ours(inbox)).ledger(ledger).heal(Duration::from_secs(3600)).starting_at(now());
    let faults = "duplicates=0.2,order=0.1,bad=0.15,bodies=0.05,handlers=0.2,load=0.05".parse().unwrap();
    let report = storm.events(300).seed(5).faults(faults).run().await;
    worker.stop().await;
    report
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_nothing_handled_twice() {
    let (ledger, inbox) = (Ledger::of_an_inbox(), Inbox::open().await);
    let told = ledger.clone();
    let report = run(&ledger, &inbox, move |handed| handle(told.clone(), handed)).await;
    assert!(report.is_happy(), "{report}");
    assert!(report.events == 300 && report.refused > 10 && report.called_again > 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_forgets_is_caught() {
    let (ledger, inbox) = (Ledger::of_an_inbox(), Inbox::open().await);
    let (told, count) = (ledger.clone(), AtomicU64::new(0));
    let report = run(&ledger, &inbox, move |handed| {
        let (ledger, is_forgotten) = (told.clone(), count.fetch_add(1, Ordering::SeqCst) % 50 == 7);
        async move { if is_forgotten { Verdict::Done } else { handle(ledger, handed).await } }
    })
    .await;
    assert!(report.lost > 0 && report.handled_twice == 0, "{report}");
}
