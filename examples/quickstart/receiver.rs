//! The receivers of four providers, and a handler for each.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tower_webhook::error::BoxError;
use tower_webhook::event::{Event, Money, Project};
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::Lookup;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::banking_circle::{self, BankingCircle};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::opp::{self, Opp};
use tower_webhook::{Received, Receiver};

use crate::common::Who;
use crate::keys::{self, MAMBU_USER, Which};
use crate::ledger::{Entry, Ledger, LedgerDown};
use crate::server::App;

/// The longest body on Aella's route. Small, so that one byte more is cheap to send.
pub(crate) const AELLA_MAX_BODY: usize = 8 * 1024;

/// Adds a receiver of each provider.
pub(crate) fn add_all(app: App) -> Result<App, BoxError> {
    let password = keys::secret(Who::Mambu, Which::Current)?;
    let basic = BasicAuthLayer::new([Credentials::new(MAMBU_USER, password)?])?;
    let mambu = Receiver::new("mambu", Mambu::new().event_at(Lookup::json("/event")?)).basic_auth(&basic);
    let aella = Receiver::new("aella", Aella::new(keys::ring(Who::Aella)?)?).max_body(AELLA_MAX_BODY);
    let opp = Receiver::new("opp", Opp::new(keys::ring(Who::Opp)?)?);
    let bank = Receiver::new("bank", BankingCircle::new(keys::ring(Who::Bank)?)?);

    let app = app.with(Who::Mambu, mambu, on_mambu).with(Who::Aella, aella, on_aella);
    Ok(app.with(Who::Opp, opp, on_opp).with(Who::Bank, bank, on_bank))
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
