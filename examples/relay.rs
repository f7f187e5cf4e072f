//! A relay: the inbox answers the provider, and its worker passes each event on to NATS JetStream, acknowledged there.
//!
//! `cargo run --example relay --features sqlite` starts a `nats-server` of its own, relays one event twice, as after a crash
//! between the acknowledgement and the end of the lease, and finds it in the stream once: the receiver and the event's key are its
//! `Nats-Msg-Id`.
//! `-- nats://127.0.0.1:4222` uses that server, with its stream `webhooks`.
//!
//! The same goes for Kafka: the lane as the record's key, and the readable key in a header for the consumer to recognise a repeat
//! by, since an idempotent producer knows its own retries alone and not those after a restart.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::{self, context::Context, message::PublishMessage, stream};
use tower::ServiceExt as _;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{Filter, Handed, InboxStore as _, SqliteInbox, Verdict, Worker};
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::aella::Aella;
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::events;
use tower_webhook::{Receiver, secret::Secret};

#[path = "support/scratch.rs"]
pub(crate) mod scratch;

/// Within so long the stream knows a repeat by its id. Longer than a lease and the longest rest between two attempts.
const WINDOW: Duration = Duration::from_hours(2);

/// Passes one event on. It is done when the stream has it on disk.
pub(crate) async fn relay(to: Context, event: Handed) -> Verdict {
    let subject = format!("webhooks.{}", event.event.receiver);
    let mut message = PublishMessage::build()
        .message_id(format!("{}|{}", event.event.receiver, event.event.readable_key))
        .header("Webhook-Event", event.event.event.as_str())
        .payload(event.event.payload);
    for (name, value) in &event.event.headers {
        message = message.header(name.as_str(), value.as_str());
    }
    let sent = async { to.send_publish(subject, message).await?.await };
    match sent.await {
        Ok(ack) => {
            println!("relayed in attempt {}: number {}, a repeat: {}", event.attempt, ack.sequence, ack.duplicate);
            Verdict::Done
        }
        Err(error) => Verdict::retry(error.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let scratch = scratch::Scratch::new("relay")?;
    let (server, url) = match std::env::args().nth(1) {
        Some(url) => (None, url),
        None => Server::start(&scratch).map(|(server, url)| (Some(server), url))?,
    };
    let count = twice(&url, &scratch, relay).await?;
    println!("{count} in the stream");
    drop(server);
    if count == 1 { Ok(()) } else { Err("it is not there once".into()) }
}

/// Receives one event, has it relayed twice, and counts what is in the stream.
pub(crate) async fn twice<R, F>(url: &str, scratch: &scratch::Scratch, relay: R) -> Result<u64, BoxError>
where
    R: Fn(Context, Handed) -> F + Send + Sync + 'static,
    F: Future<Output = Verdict> + Send,
{
    let context = jetstream::new(connect(url).await?);
    let stream = context
        .get_or_create_stream(stream::Config {
            name: "webhooks".to_owned(),
            subjects: vec!["webhooks.>".to_owned()],
            duplicate_window: WINDOW,
            ..stream::Config::default()
        })
        .await?;
    let before = stream.get_info().await?.state.messages;

    let inbox = SqliteInbox::open(scratch.file("inbox.db")).await?;
    let aella = Aella::new(Secret::utf8("correct horse battery staple")?)?;
    let request = aella.seal(events::aella::transfer().into(), &Sealing::new(now()?, &OsEntropy))?;
    let service = Receiver::new("aella", aella).inbox(&inbox);
    println!("answered {}", service.oneshot(request.map(http_body_util::Full::new)).await?.status());

    let worker = Worker::new(inbox.clone(), move |event: Handed| relay(context.clone(), event)).start();
    until_done(&inbox).await?;
    inbox.replay(&Filter::default(), 1, false, "the example", now()?).await?;
    until_done(&inbox).await?;
    worker.stop().await;
    Ok(stream.get_info().await?.state.messages - before)
}

fn now() -> Result<tower_webhook::clock::Timestamp, BoxError> {
    Ok(SystemClock.now().ok_or("the clock failed")?)
}

async fn until_done(inbox: &SqliteInbox) -> Result<(), BoxError> {
    for _ in 0..1_000 {
        let stats = inbox.stats(now()?).await?;
        if stats.done == 1 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the worker has not relayed it".into())
}

/// A server that has just been started may not listen yet.
async fn connect(url: &str) -> Result<async_nats::Client, BoxError> {
    let mut tries = 0;
    loop {
        match async_nats::connect(url).await {
            Ok(client) => return Ok(client),
            Err(error) if tries > 50 => return Err(error.into()),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A server of the example's own, which ends with it.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(scratch: &scratch::Scratch) -> Result<(Self, String), BoxError> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("nats-server")
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arg(scratch.file("stream"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("nats-server, from the package of that name: {error}"))?;
        Ok((Self(child), format!("nats://127.0.0.1:{port}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
