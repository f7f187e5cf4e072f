//! Banking Circle: encrypted batches, handled together, so that one transaction can hold all of a delivery.
//!
//! `cargo run --example banking_circle` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `BANKING_CIRCLE_KEY=… cargo run --example banking_circle -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use tower_webhook::delivery::Drain;
use tower_webhook::provider::banking_circle::{BankingCircle, Detail, Event};
use tower_webhook::sender::events::banking_circle::{batch, incoming_payment_booked};
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

fn banking_circle(key: &str) -> Result<BankingCircle, ConfigError> {
    BankingCircle::new(Secret::utf8(key)?)
}

async fn on_events(all: Vec<Received<Event>>) {
    println!("{} notifications:", all.len());
    for received in &all {
        let event = received.event();
        match &event.detail {
            Detail::IncomingPaymentBooked(booking) | Detail::OutgoingPaymentBooked(booking) => {
                println!("{} is booked: {:?} {:?}", booking.payment_id, booking.amount, booking.currency);
            }
            Detail::OutgoingPaymentRejected(payment) => println!("{} is rejected", payment.payment_id),
            Detail::Unknown { raw } => println!("{} is new here: {} bytes", event.notification_type, raw.len()),
            _ => println!("{} needs nothing", event.notification_type),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("BANKING_CIRCLE_KEY", "sim-bc-notification-key-32-chars");
    let drain = Drain::new();
    let receiver =
        Receiver::new("banking-circle", banking_circle(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/banking-circle", receiver.handle_batch(on_events));
    serve::run(app, drain, async |address| {
        let (booked, new) = (incoming_payment_booked().number(1), incoming_payment_booked().number(2));
        let batch = batch([booked, new.event("SomethingNew")]);
        serve::deliver(address, "/banking-circle", &banking_circle(&key)?, batch.clone(), 200).await?;
        let stranger = banking_circle("another-key-that-has-32-letters!")?;
        serve::deliver(address, "/banking-circle", &stranger, batch, 401).await
    })
    .await
}
