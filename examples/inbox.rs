//! A durable inbox behind an axum route: the provider is answered when an event is on disk, and a worker handles it later.
//!
//! `cargo run --example inbox --features sqlite` starts on a free port, sends itself a delivery, a repeat of it and a forged one,
//! waits until the worker has handled what was stored, and ends.
//! `cargo run --example inbox --features sqlite -- 127.0.0.1:3000` serves until Ctrl-C, with `inbox.db` in the working directory.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::delivery::Drain;
use tower_webhook::inbox::{InboxStore as _, SqliteInbox, Typed, Worker};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::sender::events;
use tower_webhook::{ConfigError, Received, Receiver, secret::Secret};

#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/serve.rs"]
mod serve;

use serve::BoxError;

/// Runs after the answer. The key makes its effect once: pass it on to where the effect is written.
async fn on_aella(event: Received<aella::Event>) -> Result<(), std::io::Error> {
    let delivery = event.delivery();
    println!("handled {} in attempt {:?}: {:?}", delivery.key(), delivery.attempt(), event.shared());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let scratch = scratch::Scratch::new("inbox")?;
    let place = if std::env::args().nth(1).is_some() { PathBuf::from("inbox.db") } else { scratch.file("inbox.db") };
    let inbox = SqliteInbox::open(place).await?;
    let drain = Drain::new();
    let service = Receiver::new("aella", aella()?).drain(&drain).inbox(&inbox);
    let worker = Worker::new(inbox.clone(), Typed::new(aella()?, on_aella)).concurrency(4).start();
    serve::run(Router::new().route_service("/aella", service), drain, async |receiver| try_out(receiver, &inbox).await)
        .await?;
    // What is in hand finishes. What is not waits on disk for the next start.
    worker.stop().await;
    Ok(())
}

fn aella() -> Result<Aella, ConfigError> {
    Aella::new(Secret::utf8(serve::secret("AELLA_SECRET", "correct horse battery staple"))?)
}

/// Plays Aella: a delivery, its repeat, and one of somebody who does not know the secret.
async fn try_out(receiver: SocketAddr, inbox: &SqliteInbox) -> Result<(), BoxError> {
    let stranger = Aella::new(Secret::utf8("wrong horse battery staple")?)?;
    serve::deliver(receiver, "/aella", &aella()?, events::aella::transfer(), 200).await?;
    serve::deliver(receiver, "/aella", &aella()?, events::aella::transfer(), 200).await?;
    serve::deliver(receiver, "/aella", &stranger, events::aella::transfer(), 401).await?;
    for _ in 0..1_000 {
        let stats = inbox.stats(SystemClock.now().ok_or("the clock failed")?).await?;
        if stats.ready + stats.running == 0 {
            println!("{} done", stats.done);
            return if stats.done == 1 { Ok(()) } else { Err(format!("{stats:?}").into()) };
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the worker has not handled it".into())
}
