//! The Open Payment Platform: encrypted notifications, in hexadecimal.
//!
//! `cargo run --example opp` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `OPP_KEY=… cargo run --example opp -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use tower_webhook::delivery::Drain;
use tower_webhook::event::Project as _;
use tower_webhook::provider::opp::{Event, Opp};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

fn opp(key: &str) -> Result<Opp, ConfigError> {
    Opp::new(Secret::hex(key)?)
}

async fn on_event(received: Received<Event>) {
    match received.event() {
        Event::Payment(payment) => println!("payment {:?}: {:?}", payment.id, payment.result),
        Event::Registration(registration) => println!("card {:?}: {:?}", registration.id, registration.action),
        Event::Test(test) => println!("the webhook is tested: {:?}", test.action),
        Event::Unknown { name, raw } => println!("{name} is new here: {} bytes", raw.len()),
        other => println!("{} needs nothing", other.name()),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("OPP_KEY", "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f");
    let drain = Drain::new();
    let receiver = Receiver::new("opp", opp(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/opp", receiver.handle(on_event));
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/opp", &opp(&key)?, events::opp::payment(), 200).await?;
        let stranger = opp(&"22".repeat(32))?;
        serve::deliver(address, "/opp", &stranger, events::opp::payment(), 401).await
    })
    .await
}
