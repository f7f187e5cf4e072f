//! Keys under a run: wrong for an hour and then mended, and changed over while deliveries come.

mod changed;
mod wrong;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::{Instant, sleep};
use tower_webhook::clock::Timestamp;
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{AnyEvent, AnyProvider};
use tower_webhook::secret::{Key, KeyRing, KeySwap, Secret};
use tower_webhook::sender::storm::{Mark, Route, Writer};
use tower_webhook::sender::{Answer, DeliveryProfile, Handling, InProcess, Ledger, NoAnswer, Transport};
use tower_webhook::{MemoryStore, Outcome, Received, Receiver, RejectionKind};

use super::wrong::NOW;

const HOUR: Duration = Duration::from_hours(1);

fn key(number: u8) -> Key {
    Key::new(format!("key-{number}"), Secret::utf8(char::from(b'a' + number % 26).to_string().repeat(32)).unwrap())
}

fn ring<const N: usize>(keys: [u8; N]) -> KeyRing {
    KeyRing::new(keys.map(key)).unwrap()
}

/// All with the same keys, which may be replaced.
fn providers(keys: &KeySwap) -> Vec<(&'static str, AnyProvider, Writer, DeliveryProfile)> {
    let any = AnyProvider::new(Aella::new(keys.ring()).unwrap());
    let opp = AnyProvider::new(Opp::new(keys.ring()).unwrap());
    let bank = AnyProvider::new(BankingCircle::new(keys.ring()).unwrap());
    let standard = AnyProvider::new(StandardWebhooks::new(keys.ring()).unwrap());
    vec![
        ("/aella", any, Writer::Aella, DeliveryProfile::aella()),
        ("/opp", opp, Writer::Opp, DeliveryProfile::opp()),
        ("/sibs", AnyProvider::new(Sibs::new(keys.ring()).unwrap()), Writer::Sibs, DeliveryProfile::sibs()),
        ("/bank", bank, Writer::BankingCircle, DeliveryProfile::banking_circle()),
        ("/standard", standard, Writer::StandardWebhooks, DeliveryProfile::standard_webhooks()),
    ]
}

fn routes(keys: &KeySwap) -> Vec<Route> {
    let route = |(path, provider, writer, profile): (&str, AnyProvider, Writer, DeliveryProfile)| {
        Route::new(path, path.parse().unwrap(), provider, profile, writer)
    };
    providers(keys).into_iter().map(route).collect()
}

/// What people would be called for: deliveries whose proof does not fit.
#[derive(Clone, Default)]
struct Alarms(Arc<AtomicU64>);

impl Observer for Alarms {
    fn observe(&self, fact: &Fact<'_>, _: &About<'_>) {
        if matches!(fact, Fact::Rejected(rejection) if rejection.kind() == RejectionKind::SignatureMismatch) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Receivers of all providers in one process.
#[derive(Clone)]
struct Ours {
    services: Arc<dyn Fn(Request<Bytes>) -> Exchange + Send + Sync>,
    alarms: Alarms,
}

type Exchange = std::pin::Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

impl Ours {
    /// Whose handlers take so long.
    fn new(keys: &KeySwap, ledger: &Ledger, takes: Duration) -> Self {
        let (began, store, alarms) = (Instant::now(), MemoryStore::new(100_000), Alarms::default());
        let now = move || Some::<Timestamp>(NOW + began.elapsed());
        let services: Vec<_> = providers(keys)
            .into_iter()
            .map(|(path, provider, ..)| {
                let receiver = Receiver::new(path, provider).clock(now).observer(alarms.clone());
                let ledger = ledger.clone();
                let handler = move |event: Received<AnyEvent>| handle(ledger.clone(), event, takes);
                (path, InProcess::new(receiver.dedupe(store.clone()).handle(handler)))
            })
            .collect();
        let services = Arc::new(move |request: Request<Bytes>| -> Exchange {
            let service = services.iter().find(|(path, _)| *path == request.uri().path()).unwrap().1.clone();
            Box::pin(async move { service.exchange(request).await })
        });
        Self { services, alarms }
    }
}

impl Transport for Ours {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        (self.services)(request).await
    }
}

async fn handle(ledger: Ledger, event: Received<AnyEvent>, takes: Duration) -> Outcome {
    let mark = Mark::find(event.delivery().key().as_str().as_bytes()).map(Mark::number);
    let call = ledger.called_by(event.delivery().receiver(), mark, event.fence().map(|fence| fence.get()));
    let call = call.with(event.delivery().raw());
    if call.handling() == Handling::FailsAtFirst {
        call.failed();
        return Outcome::failed("the run wants it to");
    }
    sleep(takes).await;
    call.done();
    Outcome::Done
}
