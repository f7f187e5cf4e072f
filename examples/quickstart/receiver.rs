//! The receiver: four providers on one axum router, a handler for each, and one store of keys.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_webhook::event::{Event, Money, Project};
use tower_webhook::idempotency::Drain;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::banking_circle::{self, BankingCircle};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::opp::{self, Opp};
use tower_webhook::provider::{Lookup, Provider};
use tower_webhook::{MemoryStore, Received, Receiver, Rejection};

use crate::client::BoxError;
use crate::common::Who;
use crate::keys::{self, MAMBU_USER, Which};
use crate::ledger::{Entry, Ledger, LedgerDown};
use crate::sabotage::Sabotage;

/// The longest body on Aella's route. Small, so that one byte more is cheap to send.
pub(crate) const AELLA_MAX_BODY: usize = 8 * 1024;

fn app(ledger: &Ledger, sabotage: Option<Sabotage>) -> Result<App, BoxError> {
    let password = keys::secret(Who::Mambu, Which::Current)?;
    let basic = BasicAuthLayer::new([Credentials::new(MAMBU_USER, password)?])?;
    let mambu = Receiver::new(Mambu::new().event_at(Lookup::json("/event")?)).basic_auth(&basic);
    let aella = Receiver::new(Aella::new(keys::ring(Who::Aella)?)?).max_body(AELLA_MAX_BODY);
    let opp = Receiver::new(Opp::new(keys::ring(Who::Opp)?)?);
    let bank = Receiver::new(BankingCircle::new(keys::ring(Who::Bank)?)?);

    Ok(App::new(ledger, sabotage)
        .with(Who::Mambu, mambu, on_mambu)
        .with(Who::Aella, aella, on_aella)
        .with(Who::Opp, opp, on_opp)
        .with(Who::Bank, bank, on_bank))
}

/// A template's own JSON; nothing has a type here but what its author gave it.
#[derive(Default, Deserialize)]
struct Loan<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    currency: Option<String>,
}

async fn on_mambu(ledger: Ledger, event: Received<mambu::Event>) -> Result<(), LedgerDown> {
    let loan: Loan<'_> = event.json().unwrap_or_default();
    let amount = loan.amount.map(|amount| format!("{amount} {}", loan.currency.unwrap_or_default()));
    ledger.book(entry(Who::Mambu, &event, amount.unwrap_or_else(|| format!("({} bytes)", event.body.len()))))
}

async fn on_aella(ledger: Ledger, event: Received<aella::Event>) -> Result<(), LedgerDown> {
    tokio::time::sleep(Duration::from_millis(20)).await; // As long as a database may take.
    ledger.book(entry(Who::Aella, &event, amount(&event.shared())))
}

async fn on_opp(ledger: Ledger, event: Received<opp::Event>) -> Result<(), LedgerDown> {
    let amount = match event.shared() {
        Event::Payment(payment) => format!("{} {}", payment.class, text(payment.amount)),
        other => amount(&other),
    };
    ledger.book(entry(Who::Opp, &event, amount))
}

async fn on_bank(ledger: Ledger, event: Received<banking_circle::Event>) -> Result<(), LedgerDown> {
    ledger.book(entry(Who::Bank, &event, amount(&event.shared())))
}

fn entry<E: Project>(who: Who, event: &Received<E>, amount: String) -> Entry {
    Entry {
        who,
        key: event.delivery().key().to_string(),
        raw: event.delivery().raw().clone(),
        kind: event.event().name().to_owned(),
        amount,
        fence: event.fence(),
    }
}

fn amount(event: &Event) -> String {
    text(match event {
        Event::Transfer(transfer) => transfer.amount.clone(),
        Event::Mandate(mandate) => mandate.debit.as_ref().and_then(|debit| debit.amount.clone()),
        Event::PaymentBooking(booking) => booking.amount.clone(),
        Event::Payment(payment) => payment.amount.clone(),
        _ => None,
    })
}

fn text(money: Option<Money>) -> String {
    money.map(|money| format!("{} {}", money.amount, money.currency.unwrap_or_default())).unwrap_or_default()
}

/// Receivers on their router, and what it takes to drain them.
struct App {
    router: Router,
    store: MemoryStore,
    drains: Vec<Drain>,
    ledger: Ledger,
    sabotage: Option<Sabotage>,
}

impl App {
    fn new(ledger: &Ledger, sabotage: Option<Sabotage>) -> Self {
        let store = MemoryStore::new(100_000);
        Self { router: Router::new(), store, drains: Vec::new(), ledger: ledger.clone(), sabotage }
    }

    fn with<P, F, Fut>(mut self, who: Who, receiver: Receiver<P>, handle: F) -> Self
    where
        P: Provider,
        F: Fn(Ledger, Received<P::Event>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), LedgerDown>> + Send + 'static,
    {
        self.drains.push(receiver.drain());
        let (ledger, store) = (self.ledger.clone(), self.store.clone());
        let handler = move |event: Received<P::Event>| handle(ledger.clone(), event);
        self.router = match self.sabotage {
            None => self.router.route_service(who.path(), receiver.dedupe(store).handle(handler)),
            Some(sabotage) => sabotage.route(self.router, who, receiver, store, handler),
        };
        self
    }

    /// The router, with every refusal's cause written down: the sender is told a status and nothing more.
    fn finish(self) -> (Router, Vec<Drain>) {
        let ledger = self.ledger;
        let note = move |response: Response| {
            if let Some(rejection) = response.extensions().get::<Rejection>() {
                ledger.refused(rejection.kind());
            }
            std::future::ready(response)
        };
        (self.router.layer(map_response(note)), self.drains)
    }
}

/// A receiver at work on a port of this machine.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    drains: Vec<Drain>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(ledger: &Ledger, sabotage: Option<Sabotage>) -> Result<Self, BoxError> {
        let (router, drains) = app(ledger, sabotage)?.finish();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or_default() };
        let server = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Self { address, drains, stop, server })
    }

    /// What is in hand finishes; what comes new is told to come again.
    pub(crate) async fn drain(&self) {
        self.drains.iter().for_each(Drain::begin);
        for drain in &self.drains {
            drain.finished().await;
        }
    }

    /// Ends the server, after its last answer.
    pub(crate) async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        Ok(self.server.await??)
    }
}
