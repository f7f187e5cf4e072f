//! Exactly once: a posting in a table of one's own commits together with the end of its event, in the inbox's own file.
//!
//! `cargo run --example inbox_transaction --features sqlite` has a handler that fails twice after it has written, and shows that
//! the posting is there once. The same handler outside of the transaction posts three times.

use std::time::Duration;

use tower::ServiceExt as _;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{
    Backoff, Handed, InboxHandler, InboxStore as _, SqliteInbox, SqliteTransaction, Worker, rusqlite,
};
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::events;
use tower_webhook::{Received, Receiver, secret::Secret};

#[path = "support/scratch.rs"]
mod scratch;

const LONG: Duration = Duration::from_secs(10);
/// Names that begin with `webhook_` are the inbox's own.
const TABLE: &str = "CREATE TABLE postings (id INTEGER PRIMARY KEY, event TEXT NOT NULL, what TEXT NOT NULL) STRICT";

fn post(to: &SqliteTransaction<'_>, event: &str, what: &str) -> rusqlite::Result<()> {
    to.execute("INSERT INTO postings (event, what) VALUES (?1, ?2)", [event, what]).map(drop)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let within = run("within.db", |inbox| {
        let post = |to: &SqliteTransaction<'_>, event: &Received<aella::Event>| -> Result<(), BoxError> {
            post(to, event.delivery().key().as_str(), &format!("{:?}", event.shared()))?;
            fails_twice(event.delivery().attempt().map_or(0, |attempt| attempt.get()))
        };
        Ok(inbox.in_transaction_of(aella()?, post))
    })
    .await?;
    let outside = run("outside.db", |inbox| {
        let inbox = inbox.clone();
        Ok(move |event: Handed| {
            let inbox = inbox.clone();
            async move {
                let key = event.event.readable_key;
                inbox.transact(LONG, move |to| post(to, &key, "a transfer")).await??;
                fails_twice(event.attempt.into())
            }
        })
    })
    .await?;
    println!(
        "postings of one event whose handler fails twice: {within} within the transaction, {outside} outside of it"
    );
    if (within, outside) == (1, 3) { Ok(()) } else { Err("it is not as it was said".into()) }
}

fn aella() -> Result<Aella, BoxError> {
    Ok(Aella::new(Secret::utf8("correct horse battery staple")?)?)
}

fn fails_twice(attempt: u64) -> Result<(), BoxError> {
    if attempt < 3 { Err("it fails after it has posted".into()) } else { Ok(()) }
}

/// Receives one transfer, has it handled so, and counts the postings.
async fn run<H: InboxHandler>(
    name: &str,
    handler: impl FnOnce(&SqliteInbox) -> Result<H, BoxError>,
) -> Result<i64, BoxError> {
    let scratch = scratch::Scratch::new(name)?;
    let inbox = SqliteInbox::open(scratch.file("inbox.db")).await?;
    inbox.transact(LONG, |to| to.execute_batch(TABLE)).await??;
    let now = || SystemClock.now().ok_or("the clock failed");

    let service = Receiver::new("aella", aella()?).inbox(&inbox);
    let message = events::aella::transfer().into();
    let request = aella()?.seal(message, &Sealing::new(now()?, &OsEntropy))?;
    let status = service.oneshot(request.map(http_body_util::Full::new)).await?.status();
    if !status.is_success() {
        return Err(format!("answered {status}").into());
    }

    let soon = Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(10));
    let worker = Worker::new(inbox.clone(), handler(&inbox)?).retry(soon).start();
    for _ in 0..1_000 {
        if inbox.stats(now()?).await?.done == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    worker.stop().await;
    let count = |from: &SqliteTransaction<'_>| from.query_row("SELECT count(*) FROM postings", [], |row| row.get(0));
    Ok(inbox.transact(LONG, count).await??)
}
