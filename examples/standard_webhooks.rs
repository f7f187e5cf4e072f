//! Standard Webhooks: id, time and body signed together, as many senders do it.
//!
//! `cargo run --example standard_webhooks` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `WEBHOOK_SECRET=… cargo run --example standard_webhooks -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use serde::Deserialize;
use tower_webhook::delivery::Drain;
use tower_webhook::provider::standard_webhooks::{self, Event, StandardWebhooks};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, Rejection};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

/// The sender's own events are the application's to describe.
#[derive(Deserialize)]
struct Paid {
    data: Invoice,
}

#[derive(Deserialize)]
struct Invoice {
    id: String,
    amount: String,
}

fn webhooks(secret: &str) -> Result<StandardWebhooks, ConfigError> {
    StandardWebhooks::new(standard_webhooks::secret(secret)?)
}

async fn on_event(received: Received<Event>) -> Result<(), Rejection> {
    let event = received.event();
    match event.name.as_deref() {
        Some("invoice.paid") => {
            let Paid { data: Invoice { id, amount } } = event.json()?;
            println!("invoice {id} is paid: {amount}");
        }
        Some(name) => println!("{name} is new here: {} bytes", event.body.len()),
        None => println!("an event without a name"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("WEBHOOK_SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let drain = Drain::new();
    let receiver = Receiver::new("invoices", webhooks(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/invoices", receiver.handle(on_event));
    let paid = || events::standard_webhooks::event("invoice.paid").amount("12.50");
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/invoices", &webhooks(&key)?, paid(), 200).await?;
        let stranger = webhooks("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")?;
        serve::deliver(address, "/invoices", &stranger, paid(), 401).await
    })
    .await
}
