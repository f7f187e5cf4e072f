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

use crate::books::{Books, BooksDown};
use crate::common::Who;
use crate::keys::{self, MAMBU_USER, Which};
use crate::server::App;
use crate::wire::Entry;

/// The longest body on Aella's route. Small, so that one byte more is cheap to send.
pub(crate) const AELLA_MAX_BODY: usize = 8 * 1024;

type BoxResult<T> = Result<T, BoxError>;

/// Adds a receiver of each provider.
pub(crate) fn add_all(app: App) -> Result<App, BoxError> {
    let password = keys::secret(Who::Mambu, Which::Current)?;
    let basic = BasicAuthLayer::new([Credentials::new(MAMBU_USER, password)?])?;
    let mambu = || BoxResult::Ok(Mambu::new().event_at(Lookup::json("/event")?));
    let aella = || BoxResult::Ok(Aella::new(keys::ring(Who::Aella)?)?);
    let opp = || BoxResult::Ok(Opp::new(keys::ring(Who::Opp)?)?);
    let bank = || BoxResult::Ok(BankingCircle::new(keys::ring(Who::Bank)?)?);

    // Once to receive and store, and once to decode what was stored.
    let app = app.with(Who::Mambu, Receiver::new("mambu", mambu()?).basic_auth(&basic), mambu()?, on_mambu);
    let app = app.with(Who::Aella, Receiver::new("aella", aella()?).max_body(AELLA_MAX_BODY), aella()?, on_aella);
    let app = app.with(Who::Opp, Receiver::new("opp", opp()?), opp()?, on_opp);
    Ok(app.with(Who::Bank, Receiver::new("bank", bank()?), bank()?, on_bank))
}

/// A template's own JSON; nothing has a type here but what its author gave it.
#[derive(Default, Deserialize)]
struct Loan<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    currency: Option<String>,
}

async fn on_mambu(books: Books, event: Received<mambu::Event>) -> Result<(), BooksDown> {
    let loan: Loan<'_> = event.json().unwrap_or_default();
    let amount = loan.amount.map(|amount| format!("{amount} {}", loan.currency.unwrap_or_default()));
    books.book(entry(Who::Mambu, &event, amount.unwrap_or_else(|| format!("({} bytes)", event.body.len()))))
}

async fn on_aella(books: Books, event: Received<aella::Event>) -> Result<(), BooksDown> {
    books.book(entry(Who::Aella, &event, amount(&event.shared())))?;
    // As long as what comes after the booking may take: killed in between, the event comes again.
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

async fn on_opp(books: Books, event: Received<opp::Event>) -> Result<(), BooksDown> {
    let amount = match event.shared() {
        Event::Payment(payment) => format!("{} {}", payment.class, text(payment.amount)),
        other => amount(&other),
    };
    books.book(entry(Who::Opp, &event, amount))
}

async fn on_bank(books: Books, event: Received<banking_circle::Event>) -> Result<(), BooksDown> {
    books.book(entry(Who::Bank, &event, amount(&event.shared())))
}

fn entry<E: Project>(who: Who, event: &Received<E>, amount: String) -> Entry {
    Entry {
        who,
        key: event.delivery().key().to_string(),
        raw: event.delivery().raw().to_vec(),
        kind: event.event().name().to_owned(),
        amount,
        fence: event.fence(),
        attempt: event.delivery().attempt(),
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
