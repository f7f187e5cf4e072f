//! One axum router for all receivers, with one inbox on disk, on a port of this machine.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_webhook::delivery::Drain;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{self, Accepted, Backoff, Routes, SqliteInbox, Typed, Worker};
use tower_webhook::provider::Provider;
use tower_webhook::{Received, Receiver, Rejection};

use crate::books::{Books, BooksDown};
use crate::common::Who;
use crate::receiver;
use crate::sabotage::Sabotage;
use crate::wire::Line;

/// Receivers on their router, the handlers of what they store, and what it takes to drain them.
pub(crate) struct App {
    router: Router,
    routes: Routes,
    inbox: SqliteInbox,
    drain: Drain,
    books: Books,
    sabotage: Option<Sabotage>,
}

impl App {
    /// Puts a receiver at the provider's path, and a handler behind the inbox for what it stores.
    pub(crate) fn with<P, F, Fut>(mut self, who: Who, receiver: Receiver<P>, decoder: P, handle: F) -> Self
    where
        P: Provider,
        F: Fn(Books, Received<P::Event>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BooksDown>> + Send + 'static,
    {
        let receiver = receiver.drain(&self.drain);
        let books = self.books.clone();
        let handler = move |event: Received<P::Event>| handle(books.clone(), event);
        let router = self.router;
        self.router = match self.sabotage {
            Some(Sabotage::Dedupe) => {
                router.route_service(who.path(), receiver.dangerous_without_dedupe().handle(handler.clone()))
            }
            Some(Sabotage::Verification) if who == Who::Aella => {
                router.route_service(who.path(), receiver.dangerous_skip_verification().inbox(&self.inbox))
            }
            _ => {
                let books = self.books.clone();
                let service = receiver.inbox(&self.inbox).on_accepted(move |event, accepted| {
                    if let Accepted::Quarantined(_) = accepted {
                        books.say(&Line::KeptApart(event.readable_key.clone()));
                    }
                });
                router.route_service(who.path(), service)
            }
        };
        self.routes = self.routes.receiver(who.to_string(), Typed::new(decoder, handler));
        self
    }
}

/// A receiver at work.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    drain: Drain,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
    worker: inbox::Running,
}

impl Running {
    /// With the inbox in this folder. Port 0: any that is free.
    pub(crate) async fn start(
        books: &Books,
        sabotage: Option<Sabotage>,
        folder: &Path,
        port: u16,
    ) -> Result<Self, BoxError> {
        let inbox = SqliteInbox::open(folder.join("inbox.db")).await?;
        let (router, routes, drain) = (Router::new(), Routes::new(), Drain::new());
        let app = App { router, routes, inbox: inbox.clone(), drain, books: books.clone(), sabotage };
        let App { router, routes, drain, .. } = receiver::add_all(app)?;
        let again = Backoff::default().base(Duration::from_millis(50));
        let worker = Worker::new(inbox, routes).concurrency(16).retry(again).start();

        // Every refusal's cause is written down: the sender is told a status and nothing more.
        let books = books.clone();
        let router = router.layer(map_response(move |response: Response| {
            if let Some(rejection) = response.extensions().get::<Rejection>() {
                books.refused(rejection.kind());
            }
            std::future::ready(response)
        }));
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or_default() };
        let server = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Self { address, drain, stop, server, worker })
    }

    /// What is in hand finishes; what comes new is told to come again.
    pub(crate) async fn drain(&self) {
        self.drain.begin();
        self.drain.finished().await;
    }

    /// Ends the server after its last answer, and the worker after its last event.
    pub(crate) async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        let served = self.server.await?;
        self.worker.stop().await;
        Ok(served?)
    }
}
