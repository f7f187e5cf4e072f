//! The program's configuration file, served by an application with handlers of its own.
//!
//! `cargo run --example configured --features config` writes a file with three endpoints, serves it on a free port, sends each of
//! them a good, a repeated and a forged delivery, and ends. `… -- receiver.toml` serves that file until Ctrl-C and lets what is
//! in hand finish.

use std::collections::BTreeMap;
use std::future::IntoFuture as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Extensions;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::config::{self, Config, SecretSource};
use tower_webhook::delivery::Drain;
use tower_webhook::event::Project as _;
use tower_webhook::idempotency::AnyStore;
use tower_webhook::provider::{AnyEvent, Message};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, Outcome, Received};

#[path = "support/play.rs"]
mod play;

use play::BoxError;

const FILE: &str = r#"
tenant = "merchant-1"

[[endpoint]]
path = "/aella"
provider = "aella"
keys = [{ id = "2026-11", value = "correct horse battery staple" }]

[[endpoint]]
path = "/aella-sandbox"
name = "sandbox"
provider = "aella"
keys = [{ id = "test", value = "ae_sk_test_of_the_sandbox" }]
sources = ["127.0.0.0/8"]

[[endpoint]]
path = "/hub"
provider = "custom"
keys = [{ id = "k", value = "It's a Secret to Everybody" }]
scheme = { mac = "hmac-sha256", header = "x-hub-signature-256", prefix = "sha256=" }
key = { json = "/id" }
event = { json = "/event" }
"#;

/// What was handled, by the receiver's name.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl Ledger {
    /// The handler of every endpoint: its receiver's name says whose event it is.
    async fn on_event(self, event: Received<AnyEvent>) -> Outcome {
        let (delivery, name) = (event.delivery(), event.event().name());
        println!("{} {name} {}: {:?}", delivery.receiver(), delivery.key(), event.shared());
        let mut handled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handled.entry(delivery.receiver().to_owned()).or_default().push(name.to_owned());
        Outcome::Done
    }

    fn handled(&self, receiver: &str) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(receiver).cloned().unwrap_or_default()
    }
}

fn connected(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

fn app(config: &Config, ledger: &Ledger, drain: &Drain) -> Result<Router, ConfigError> {
    let mut app = Router::new();
    for endpoint in &config.endpoints {
        let receiver = config.receiver(endpoint)?.drain(drain);
        let store = config.dedupe.store.clone();
        let service = receiver.dedupe(store).handle_with(ledger.clone(), Ledger::on_event);
        app = app.route_service(endpoint.path(), service);
    }
    Ok(app)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let given = std::env::args().nth(1);
    let now = SystemClock.now().ok_or("the clock failed")?;
    let mut config = match &given {
        Some(path) => config::load_at(Path::new(path), now)?,
        None => config::read_text("configured.toml", FILE)?.build_at(now)?,
    };
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    // Where `sources` are named, this is how axum says who is connected.
    for endpoint in &mut config.endpoints {
        endpoint.sources = endpoint.sources.take().map(|layer| layer.peer(connected));
    }
    // A Redis that others use too is asked what it may promise, and told whose the endpoints' names are.
    if let AnyStore::Redis(redis) = &config.dedupe.store {
        redis.probe().await?.findings().iter().for_each(|finding| eprintln!("dedupe: {}", finding.sentence));
        for endpoint in &config.endpoints {
            redis.enroll(&endpoint.identity(&config.tenant)).await?;
        }
    }
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    for endpoint in &config.endpoints {
        println!("listening on http://{address}{} for {}", endpoint.path(), endpoint.provider_name());
    }

    let ledger = Ledger::default();
    let drain = Drain::new();
    let app = app(&config, &ledger, &drain)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
        drain.begin();
        drain.finished().await;
    };
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(shutdown).into_future());
    match given {
        Some(_) => tokio::signal::ctrl_c().await?,
        None => try_out(address, &config, &ledger).await?,
    }
    drop(stop);
    Ok(server.await??)
}

/// Plays all three senders by the same configuration: each once, once more, and once under a key that is not its own.
async fn try_out(receiver: SocketAddr, config: &Config, ledger: &Ledger) -> Result<(), BoxError> {
    let transfer = events::aella::transfer().message();
    let messages = [transfer.clone(), transfer, Message::new(r#"{"id":"e1","event":"ping"}"#)];
    for (endpoint, message) in config.endpoints.iter().zip(messages) {
        let mut forger = endpoint.spec.clone();
        for key in &mut forger.keys {
            key.secret = SecretSource::value("wrong horse battery staple");
        }
        let path = endpoint.path();
        play::deliver(receiver, path, &endpoint.provider, message.clone(), 200).await?;
        play::deliver(receiver, path, &endpoint.provider, message.clone(), 200).await?;
        play::deliver(receiver, path, &forger.build()?.provider, message, 401).await?;
    }
    for (name, event) in [("/aella", "transfer.completed"), ("sandbox", "transfer.completed"), ("/hub", "ping")] {
        let handled = ledger.handled(name);
        if handled != [event] {
            return Err(format!("{name} has handled {handled:?} in place of {event}, once").into());
        }
    }
    Ok(())
}
