//! Servers: each of one thread, on a port of its own.

use std::future::Future;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxStore, PostgresInbox, Running, SqliteInbox, Typed, Worker};
use tower_webhook::provider::aella;
use tower_webhook::{Received, Receiver};

use crate::deliveries;

/// When a handler has begun.
pub(crate) type Told = Instant;

/// Where it serves.
pub(crate) struct Served(pub(crate) SocketAddr);

type Kept = (Router, Option<Running>);

impl Served {
    pub(crate) fn bare() -> Result<Self, BoxError> {
        let app = Router::new().route("/", post(async |body: Bytes| drop(black_box(body))));
        Self::start(async || Ok((app, None)))
    }

    pub(crate) fn sqlite(file: PathBuf, told: Option<Sender<Told>>) -> Result<Self, BoxError> {
        Self::start(async || kept(SqliteInbox::open(file).await?, told))
    }

    pub(crate) fn postgres(url: &str, schema: &'static str, told: Option<Sender<Told>>) -> Result<Self, BoxError> {
        let url = url.to_owned();
        Self::start(async move || kept(PostgresInbox::setup().schema(schema).connect(&url).await?, told))
    }

    /// It serves until this process ends.
    fn start<F>(make: impl FnOnce() -> F + Send + 'static) -> Result<Self, BoxError>
    where
        F: Future<Output = Result<Kept, BoxError>>,
    {
        let (started, starting) = channel();
        let serve = async move || -> Result<(), BoxError> {
            let (app, _worker) = make().await?;
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            started.send(listener.local_addr()?)?;
            Ok(axum::serve(listener, app).await?)
        };
        thread::Builder::new().name("server".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let served = runtime.map_err(BoxError::from).and_then(|runtime| runtime.block_on(serve()));
            served.inspect_err(|error| eprintln!("server: {error}"))
        })?;
        starting.recv().map(Self).map_err(|_| "the server did not start".into())
    }
}

/// A receiver that stores; and a worker, where somebody wants to hear of it.
fn kept<S: InboxStore + Clone>(inbox: S, told: Option<Sender<Told>>) -> Result<Kept, BoxError> {
    let service = Receiver::new("aella", deliveries::aella()?).inbox(&inbox);
    let worker = told.map(|told| {
        let hear = move |event: Received<aella::Event>| {
            let sent = told.send(Instant::now());
            drop(black_box(event));
            async move { sent.map_err(|_| "nobody hears") }
        };
        Ok::<_, BoxError>(Worker::new(inbox, Typed::new(deliveries::aella()?, hear)).start())
    });
    Ok((Router::new().route_service("/", service), worker.transpose()?))
}
