//! One axum router for all receivers, with one store of keys, on a free port of this machine.

use std::future::IntoFuture as _;
use std::net::SocketAddr;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_webhook::delivery::Drain;
use tower_webhook::error::BoxError;
use tower_webhook::provider::Provider;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection};

use crate::common::Who;
use crate::ledger::{Ledger, LedgerDown};
use crate::receiver;
use crate::sabotage::Sabotage;

/// Receivers on their router, and what it takes to drain them.
pub(crate) struct App {
    router: Router,
    store: MemoryStore,
    drain: Drain,
    ledger: Ledger,
    sabotage: Option<Sabotage>,
}

impl App {
    fn new(ledger: &Ledger, sabotage: Option<Sabotage>) -> Self {
        let store = MemoryStore::new(100_000);
        Self { router: Router::new(), store, drain: Drain::new(), ledger: ledger.clone(), sabotage }
    }

    /// Puts a receiver and its handler at the provider's path.
    pub(crate) fn with<P, F, Fut>(mut self, who: Who, receiver: Receiver<P>, handle: F) -> Self
    where
        P: Provider,
        F: Fn(Ledger, Received<P::Event>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), LedgerDown>> + Send + 'static,
    {
        let receiver = receiver.drain(&self.drain);
        let (ledger, store) = (self.ledger.clone(), self.store.clone());
        let handler = move |event: Received<P::Event>| handle(ledger.clone(), event);
        self.router = match self.sabotage {
            None => self.router.route_service(who.path(), receiver.dedupe(store).handle(handler)),
            Some(sabotage) => sabotage.route(self.router, who, receiver, store, handler),
        };
        self
    }

    /// The router, with every refusal's cause written down: the sender is told a status and nothing more.
    fn finish(self) -> (Router, Drain) {
        let ledger = self.ledger;
        let note = move |response: Response| {
            if let Some(rejection) = response.extensions().get::<Rejection>() {
                ledger.refused(rejection.kind());
            }
            std::future::ready(response)
        };
        (self.router.layer(map_response(note)), self.drain)
    }
}

/// A receiver at work on a port of this machine.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    drain: Drain,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(ledger: &Ledger, sabotage: Option<Sabotage>) -> Result<Self, BoxError> {
        let (router, drain) = receiver::add_all(App::new(ledger, sabotage))?.finish();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or_default() };
        let server = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Self { address, drain, stop, server })
    }

    /// What is in hand finishes; what comes new is told to come again.
    pub(crate) async fn drain(&self) {
        self.drain.begin();
        self.drain.finished().await;
    }

    /// Ends the server, after its last answer.
    pub(crate) async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        Ok(self.server.await??)
    }
}
