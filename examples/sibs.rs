//! SIBS Gateway: encrypted notifications in Base64, whose answer repeats their id.
//!
//! `cargo run --example sibs` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `SIBS_KEY=… cargo run --example sibs -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use tower_webhook::delivery::Drain;
use tower_webhook::event::Project as _;
use tower_webhook::provider::sibs::{Event, Sibs};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

fn sibs(key: &str) -> Result<Sibs, ConfigError> {
    Sibs::new(Secret::base64(key)?)
}

async fn on_event(received: Received<Event>) {
    match received.event() {
        Event::Payment(payment) => match payment.payment_status.as_deref() {
            Some("Success") => println!("{:?} is paid: {:?}", payment.transaction_id, payment.amount),
            Some("Declined") => println!("{:?} is declined", payment.transaction_id),
            status => println!("{:?} is not done: {status:?}", payment.transaction_id),
        },
        Event::Test(_) => println!("the connection is tested"),
        other => println!("{} is new here", other.name()),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("SIBS_KEY", "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=");
    let drain = Drain::new();
    let receiver = Receiver::new("sibs", sibs(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/sibs", receiver.handle(on_event));
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/sibs", &sibs(&key)?, events::sibs::payment(), 200).await?;
        let stranger = sibs("IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=")?;
        serve::deliver(address, "/sibs", &stranger, events::sibs::payment(), 401).await
    })
    .await
}
