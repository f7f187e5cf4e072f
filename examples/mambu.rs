//! Mambu: nothing is signed, so that a static header of the template proves the sender. `axum.rs` has it behind Basic auth.
//!
//! `cargo run --example mambu` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `MAMBU_API_KEY=… cargo run --example mambu -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use axum::http::HeaderName;
use tower_webhook::delivery::Drain;
use tower_webhook::json::Pointer;
use tower_webhook::provider::Lookup;
use tower_webhook::provider::mambu::{Event, EventName, KeyPolicy, Mambu};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

/// The template says what happened and to which transaction: with both as the key, a resend by hand is a repeat too.
fn mambu(api_key: &str) -> Result<Mambu, ConfigError> {
    let mambu = Mambu::static_header(HeaderName::from_static("x-api-key"), Secret::utf8(api_key)?)?;
    let key = [Pointer::new("/event")?, Pointer::new("/transactionId")?];
    Ok(mambu.event_at(Lookup::json("/event")?).key_from_body(key).key_policy(KeyPolicy::OrBodyDigest))
}

async fn on_event(received: Received<Event>) -> Result<(), BoxError> {
    let event = received.event();
    match &event.name {
        Some(EventName::LoanDisbursement) => println!("a loan was paid out: {}", event.text()?),
        Some(EventName::SavingsDeposit) => println!("a deposit came in: {}", event.text()?),
        Some(EventName::Other(name)) => println!("{name} is new here: {}", event.text()?),
        Some(other) => println!("{other} needs nothing"),
        None => println!("the template does not say what happened"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("MAMBU_API_KEY", "correct horse battery staple");
    let drain = Drain::new();
    let receiver = Receiver::new("mambu", mambu(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/mambu", receiver.handle(on_event));
    let loan = || events::mambu::json("LOAN_DISBURSEMENT");
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/mambu", &mambu(&key)?, loan(), 200).await?;
        serve::deliver(address, "/mambu", &mambu("wrong horse battery staple")?, loan(), 401).await
    })
    .await
}
