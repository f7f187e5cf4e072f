//! Any sender whose deliveries a scheme can prove, by configuration alone: here an HMAC of the body in one header.
//! `custom_provider.rs` has one with a provider type of its own.
//!
//! `cargo run --example custom` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `SHOP_SECRET=… cargo run --example custom -- 127.0.0.1:3000` serves until Ctrl-C.

use axum::Router;
use axum::http::HeaderName;
use serde::Deserialize;
use tower_webhook::delivery::Drain;
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::custom::{Custom, Event};
use tower_webhook::provider::{Lookup, Message};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, Rejection, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

const ORDER: &str = r#"{"id":"e-1","type":"order.paid","order":"o-7"}"#;

#[derive(Deserialize)]
struct OrderPaid {
    order: String,
}

/// What the body says tells events apart and names them: all of it is signed.
fn shop(secret: &str) -> Result<Custom, ConfigError> {
    let signed = Signed::new(HeaderName::from_static("x-shop-signature"), Encoding::Hex).prefix("sha256=");
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(secret)?)?;
    Ok(Custom::new(scheme, [Lookup::json("/id")?])?.event_from(Lookup::json("/type")?))
}

async fn on_event(received: Received<Event>) -> Result<(), Rejection> {
    let event = received.event();
    match event.name.as_deref() {
        Some("order.paid") => println!("order {} is paid", event.json::<OrderPaid>()?.order),
        Some(name) => println!("{name} is new here: {} bytes", event.body.len()),
        None => println!("an event without a name"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let key = serve::secret("SHOP_SECRET", "correct horse battery staple");
    let drain = Drain::new();
    let receiver = Receiver::new("shop", shop(&key)?).drain(&drain).dedupe(MemoryStore::new(1_000_000));
    let app = Router::new().route_service("/shop", receiver.handle(on_event));
    serve::run(app, drain, async |address| {
        serve::deliver(address, "/shop", &shop(&key)?, Message::new(ORDER), 200).await?;
        serve::deliver(address, "/shop", &shop("wrong horse battery staple")?, Message::new(ORDER), 401).await
    })
    .await
}
