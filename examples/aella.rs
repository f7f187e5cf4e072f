//! Aella: signed JSON, one event a delivery.
//!
//! `cargo run --example aella` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `AELLA_SECRET=… cargo run --example aella -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use tower_webhook::delivery::Drain;
use tower_webhook::event::Project as _;
use tower_webhook::provider::aella::{Aella, Event};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

fn aella(secret: &str) -> Result<Aella, ConfigError> {
    Aella::new(Secret::utf8(secret)?)
}

async fn on_event(received: Received<Event>) {
    match received.event() {
        Event::TransferCompleted(transfer) => println!("{} went out: {:?}", transfer.id, transfer.amount),
        Event::InwardsCompleted(transfer) => println!("{} came in: {:?}", transfer.id, transfer.amount),
        Event::Unknown { name, data } => println!("{name} is new here: {data}"),
        other => println!("{} needs nothing", other.name()),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("AELLA_SECRET", "ae_sk_test_example");
    let drain = Drain::new();
    let receiver = Receiver::new("aella", aella(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/aella", receiver.handle(on_event));
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/aella", &aella(&key)?, events::aella::transfer(), 200).await?;
        serve::deliver(address, "/aella", &aella("ae_sk_test_of_a_stranger")?, events::aella::transfer(), 401).await
    })
    .await
}
