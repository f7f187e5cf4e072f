//! The router, and a server that lets what is in hand finish.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;
use tower_webhook::delivery::Drain;
use tower_webhook::idempotency::RedisStore;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::Lookup;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, Receiver};

use crate::shop::{Shop, on_shop};
use crate::{Ledger, booked, on_mambu};

pub struct Secrets {
    /// Two accounts at one bank, each with a key of its own.
    pub bank_north: Secret,
    pub bank_south: Secret,
    pub mambu: Credentials,
    pub shop: Secret,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub async fn app(secrets: Secrets, store: &RedisStore, ledger: Ledger, drain: &Drain) -> Result<Router, BoxError> {
    let north = Receiver::new("bank-north", BankingCircle::new(secrets.bank_north)?).drain(drain);
    let south = Receiver::new("bank-south", BankingCircle::new(secrets.bank_south)?).drain(drain);
    let basic = BasicAuthLayer::new([secrets.mambu])?;
    let mambu = Receiver::new("mambu", mambu()?).basic_auth(&basic).drain(drain);
    let shop = Receiver::new("shop", Shop::new(secrets.shop)?).drain(drain);
    for identity in [north.identity(), south.identity(), mambu.identity(), shop.identity()] {
        store.enroll(&identity).await?;
    }

    let bank = Router::new()
        .route("/north", post(booked).layer(north.dedupe(store.clone()).layer()))
        .route("/south", post(booked).layer(south.dedupe(store.clone()).layer()));
    let hooks = Router::new()
        .nest("/bank", bank)
        .route_service("/mambu", mambu.dedupe(store.clone()).handle_with(ledger.clone(), on_mambu))
        .route_service("/shop", shop.dedupe(store.clone()).handle_batch_with(ledger.clone(), on_shop));
    Ok(Router::new()
        .route("/health", get(|| async { "ok" }))
        .nest("/hooks", hooks)
        .fallback(|| async { (StatusCode::NOT_FOUND, "no such hook") })
        .layer(TraceLayer::new_for_http())
        .with_state(ledger))
}

fn mambu() -> Result<Mambu, ConfigError> {
    Ok(Mambu::new().event_at(Lookup::json("/event")?))
}

/// When to stop, and how long to wait for what is in hand.
pub struct Stop<F> {
    pub signal: F,
    pub patience: Duration,
}

pub async fn serve<F>(listener: TcpListener, app: Router, drain: Drain, stop: Stop<F>) -> std::io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let drained = async move {
        stop.signal.await;
        if let Err(left) = drain.finish_within(stop.patience).await {
            eprintln!("{left}");
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(drained).await
}
