//! The harness for users: it says nothing of apps that keep their promises, and the right words of those that do not.

mod sound;
mod wrong;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use tower_webhook::provider::aella;
use tower_webhook::testing::Harness;
use tower_webhook::{MemoryStore, Outcome, Received, Receiver};

use crate::deliveries::aella as provider;

/// An app that works.
fn app() -> Router {
    of(Receiver::new("aella", provider()).dedupe(MemoryStore::new(1000)).handle(|_: Received<aella::Event>| async {}))
}

fn of<S>(service: S) -> Router
where
    S: tower::Service<axum::extract::Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send,
{
    Router::new().route_service("/aella", service)
}

fn harness(app: Router) -> Harness {
    Harness::start(app).provider("/aella", provider())
}

/// An app whose handler says no so often, and then works.
fn fails_at_first(times: usize) -> Router {
    let calls = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::new("aella", provider()).dedupe(MemoryStore::new(1000));
    of(receiver.handle(move |_: Received<aella::Event>| {
        let is_down = calls.fetch_add(1, Ordering::Relaxed) < times;
        async move { if is_down { Outcome::failed("down") } else { Outcome::Done } }
    }))
}
