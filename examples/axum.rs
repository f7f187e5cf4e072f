//! Two receivers on an axum router: one as a service with a handler, one as a layer in front of a route.
//!
//! `cargo run --example axum` starts on a free port, sends itself a good and a forged delivery, and ends.
//! `cargo run --example axum -- 127.0.0.1:3000` serves until Ctrl-C and lets what is in hand finish.

use std::net::SocketAddr;

use axum::{Router, routing::post};
use tower_webhook::delivery::Drain;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::Lookup;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, MemoryStore, Outcome, Received, Receiver, secret::Secret};

#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

/// The handler of a service: its outcome makes the answer.
async fn on_aella(event: Received<aella::Event>) -> Outcome {
    println!("aella {}: {:?}", event.delivery().key(), event.shared());
    Outcome::Done
}

/// A handler behind a layer: its response is the answer, and a 2xx completes the event.
async fn on_mambu(event: Received<mambu::Event>) {
    println!("mambu {}: {:?}", event.delivery().key(), event.name);
}

fn app(aella_secret: Secret, mambu_password: Secret, drain: &Drain) -> Result<Router, ConfigError> {
    let store = MemoryStore::new(1_000_000);
    let aella = Receiver::new("aella", Aella::new(aella_secret)?).drain(drain);
    let basic = BasicAuthLayer::new([Credentials::new("mambu", mambu_password)?])?;
    let mambu = Receiver::new("mambu", Mambu::new().event_at(Lookup::json("/event")?)).basic_auth(&basic).drain(drain);
    Ok(Router::new()
        // Around this route alone: a layer of the router would ask for a password on every path.
        .route("/mambu", post(on_mambu).put(on_mambu).patch(on_mambu).layer(mambu.dedupe(store.clone()).layer()))
        .route_service("/aella", aella.dedupe(store).handle(on_aella)))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let drain = Drain::new();
    let app = app(secret("AELLA_SECRET")?, secret("MAMBU_PASSWORD")?, &drain)?;
    serve::run(app, drain, try_out).await
}

/// From the environment, or an example that anybody can read here.
fn secret(variable: &str) -> Result<Secret, ConfigError> {
    Secret::utf8(serve::secret(variable, "correct horse battery staple"))
}

/// Plays Aella: one good delivery, and one of somebody who does not know the secret.
async fn try_out(receiver: SocketAddr) -> Result<(), BoxError> {
    let stranger = Aella::new(Secret::utf8("wrong horse battery staple")?)?;
    serve::deliver(receiver, "/aella", &Aella::new(secret("AELLA_SECRET")?)?, events::aella::transfer(), 200).await?;
    serve::deliver(receiver, "/aella", &stranger, events::aella::transfer(), 401).await
}
