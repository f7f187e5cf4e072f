//! Runs with faults: an honest receiver comes through all of them, and each wrong one is caught.

mod keys;
mod ours;
mod wire;
mod wrong;

use std::time::Duration;

use tower_webhook::sender::storm::{Report, Storm};
use tower_webhook::sender::{Ledger, Transport};

use wrong::Receiver;

/// A run against this receiver, from this seed.
async fn run(receiver: Receiver, ledger: &Ledger, faults: &str, seed: u64) -> Report {
    let routes = receiver.routes();
    storm(routes, receiver, ledger).events(400).seed(seed).faults(faults.parse().unwrap()).run().await
}

fn storm<T: Transport>(
    routes: impl IntoIterator<Item = tower_webhook::sender::storm::Route>,
    target: T,
    ledger: &Ledger,
) -> Storm<T> {
    Storm::new(routes, target).ledger(ledger).heal(Duration::from_secs(24 * 3600)).starting_at(wrong::NOW)
}
