//! Tests of your own, with a harness around your app: it sends as the provider does, forges, looks on while events are handled,
//! and complains of each promise that was broken.
//!
//! `cargo run --example testing` runs the test below and prints what it verified, then the same test of an app that forgot its
//! dedupe store, and what the harness says of that. In your crate: `tower-webhook = { .., features = ["testing"] }` among the
//! dev-dependencies, and `#[tokio::test]` in place of `main`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tower_webhook::event::Event;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::testing::harness::{BrokenPromises, Kept};
use tower_webhook::testing::{Harness, events, forge};
use tower_webhook::{ConfigError, MemoryStore, Outcome, Received, Receiver, secret::Secret};

/// What the app does: it credits accounts.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<HashMap<String, String>>>);

async fn credit(ledger: Ledger, event: Received<aella::Event>) -> Outcome {
    let Event::Transfer(transfer) = event.shared() else { return Outcome::Done };
    let Some(amount) = transfer.amount else { return Outcome::failed("a transfer without an amount") };
    let mut entries = ledger.0.lock().unwrap_or_else(PoisonError::into_inner);
    entries.insert(event.delivery().key().to_string(), format!("{amount:?}"));
    Outcome::Done
}

fn aella(secret: &str) -> Result<Aella, ConfigError> {
    Aella::new(Secret::utf8(secret)?)
}

fn app(ledger: Ledger) -> Result<Router, ConfigError> {
    let receiver = Receiver::new("aella-ng", aella("ae_sk_test_example")?).dedupe(MemoryStore::new(1_000_000));
    Ok(Router::new().route_service("/aella", receiver.handle_with(ledger, credit)))
}

fn forgetful(ledger: Ledger) -> Result<Router, ConfigError> {
    let receiver = Receiver::new("aella-ng", aella("ae_sk_test_example")?).dangerous_without_dedupe();
    Ok(Router::new().route_service("/aella", receiver.handle_with(ledger, credit)))
}

/// The test.
async fn transfers_are_credited_once(app: Router) -> Result<Result<Kept, BrokenPromises>, ConfigError> {
    let harness = Harness::start(app).provider("/aella", aella("ae_sk_test_example")?);

    let paid = events::aella::transfer().amount("2500.00");
    harness.send("/aella", paid.clone()).await.accepted().handled_once();
    harness.send_twice("/aella", paid.clone().number(2)).await;
    harness.send_together("/aella", paid.clone().number(3), 10).await;
    harness.forge("/aella", paid.clone(), forge::flipped_bit()).await.refused(401).not_handled();
    harness.forge("/aella", paid.clone(), forge::wrong_key(aella("ae_sk_test_another")?)).await.refused(401);
    harness.forge_all("/aella", paid.number(4)).await.accepted();

    // In a test of yours the harness is dropped here, and panics where a promise was broken.
    Ok(harness.verify())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ledger = Ledger::default();
    println!("{}", transfers_are_credited_once(app(ledger.clone())?).await??);
    let credited = ledger.0.lock().unwrap_or_else(PoisonError::into_inner).len();
    println!("{credited} transfers are in the ledger\n");

    match transfers_are_credited_once(forgetful(Ledger::default())?).await? {
        Err(broken) => println!("without a dedupe store, {broken}"),
        Ok(kept) => return Err(format!("nobody saw that it handles twice: {kept}").into()),
    }
    Ok(())
}
