//! `listen`: serves all endpoints of the file, until a signal drains it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_layer::Layer as _;
use tower_service::Service;
use tower_webhook::gate::{Body, BodyBudget, PeerAddr, answer_early};
use tower_webhook::idempotency::{Drain, Repeats, UnprotectedRuns};
use tower_webhook::{ConfigError, Receiver, Rejection};

use crate::config::{Config, Endpoint};
use crate::deliver::Deliver;
use crate::forward::Upstream;
use crate::lines::{self, Duplicate, Listening, Refused};
use crate::names::NamesTaken;
use crate::store::AnyStore;

/// More connections than this wait to be accepted.
const MOST_CONNECTIONS: usize = 4096;
/// The time for the head of a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// What the library lets a handler take.
const HANDLER_LIMIT: Duration = Duration::from_secs(5 * 60);
/// How much of an unknown path is printed.
const MOST_PATH: usize = 256;

type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Route = Box<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

/// What holds for the bodies of all endpoints.
struct Bodies {
    deadline: Duration,
    budget: BodyBudget,
}

/// All endpoints, and the handles that drain them.
struct Routes {
    by_path: HashMap<String, Route>,
    drains: Vec<Drain>,
    unprotected: UnprotectedRuns,
}

pub(crate) fn run(config: Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed("the runtime cannot be started", &error),
    };
    match runtime.block_on(serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<NamesTaken>() {
            Ok(taken) => {
                eprintln!("tower-webhook: {taken}");
                ExitCode::from(2)
            }
            Err(error) => failed("listen", &error),
        },
    }
}

fn failed(what: &str, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("tower-webhook: {what}: {error}");
    ExitCode::FAILURE
}

async fn serve(config: Config) -> std::io::Result<()> {
    let mut stop = Stop::new()?;
    let listener = TcpListener::bind(config.listen).await?;
    let grace = config.drain;
    let store = AnyStore::open(config.dedupe.keys, &config.endpoints, &config.tenant).await?;
    let bodies = Bodies { deadline: config.body_deadline, budget: config.body_budget };
    let routes = Routes::new(config.endpoints, &config.tenant, &bodies, config.dedupe.lease, &store);
    let routes = Arc::new(routes.map_err(std::io::Error::other)?);
    lines::print(&Listening { listening: listener.local_addr()?.to_string() })?;

    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            () = stop.wait() => break,
            (permit, accepted) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let connection = graceful.watch(connection(Arc::clone(&routes), stream, peer));
                    tokio::spawn(async move {
                        // A connection that breaks is the peer's affair: nothing of it is left here.
                        let _ = connection.await;
                        drop(permit);
                    });
                }
                // Out of descriptors, most likely: the next may be better.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
        }
    }
    drop(listener);
    let drained = async {
        graceful.shutdown().await;
        for drain in &routes.drains {
            drain.begin();
            drain.finished().await;
        }
    };
    if tokio::time::timeout(grace, drained).await.is_err() {
        eprintln!("tower-webhook: still in hand after {} s: left, their leases end by themselves", grace.as_secs());
    }
    match routes.unprotected.count() {
        0 => {}
        count => eprintln!("tower-webhook: warning: {count} events ran without protection against repeats"),
    }
    Ok(())
}

/// SIGTERM or SIGINT.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn connection(
    routes: Arc<Routes>,
    stream: TcpStream,
    peer: SocketAddr,
) -> hyper::server::conn::http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>,
> {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddr(peer));
        let routes = Arc::clone(&routes);
        async move { Ok::<_, Infallible>(routes.answer(request).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
}

impl Routes {
    fn new(
        endpoints: Vec<Endpoint>,
        tenant: &str,
        bodies: &Bodies,
        lease: Option<Duration>,
        store: &AnyStore,
    ) -> Result<Self, ConfigError> {
        let mut routes = Self { by_path: HashMap::new(), drains: Vec::new(), unprotected: UnprotectedRuns::default() };
        for endpoint in endpoints {
            let path = endpoint.path.clone();
            let runs = endpoint.runs_unprotected.then_some(&routes.unprotected);
            let (route, drain) = route(endpoint, tenant, bodies, lease, runs, store.clone())?;
            routes.by_path.insert(path, route);
            routes.drains.push(drain);
        }
        Ok(routes)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if let Some(route) = self.by_path.get(request.uri().path()) {
            return route(request).await;
        }
        let path: String = request.uri().path().chars().take(MOST_PATH).collect();
        let _ = lines::print(&Refused::no_endpoint(&path));
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        answer_early(request, response).await
    }
}

fn route(
    endpoint: Endpoint,
    tenant: &str,
    bodies: &Bodies,
    lease: Option<Duration>,
    runs: Option<&UnprotectedRuns>,
    store: AnyStore,
) -> Result<(Route, Drain), ConfigError> {
    let path: Arc<str> = endpoint.path.into();
    let limit = handler_limit(endpoint.forward.as_ref().map(|forward| forward.timeout));
    let deliver = Deliver {
        endpoint: Arc::clone(&path),
        provider: endpoint.provider_name.into(),
        upstream: endpoint.forward.map(Upstream::new),
    };
    let mut receiver = Receiver::new(endpoint.name, endpoint.provider)
        .max_body(endpoint.max_body)
        .body_deadline(bodies.deadline)
        .body_budget(&bodies.budget);
    if let Some(layer) = &endpoint.basic_auth {
        receiver = receiver.basic_auth(layer);
    }
    if let Some(layer) = &endpoint.sources {
        receiver = receiver.sources(layer);
    }
    let receiver = receiver.settings(|mut settings| {
        settings = settings.tenant(tenant).on_mismatch(endpoint.on_mismatch).handler_limit(limit);
        if let Some(retention) = endpoint.retention {
            settings = settings.retention(retention);
        }
        if let Some(lease) = lease {
            settings = settings.lease(lease);
        }
        if let Some(runs) = runs {
            settings = settings.dangerous_run_unprotected(runs);
        }
        settings
    })?;
    let drain = receiver.drain();
    let service = receiver.dedupe(store).layer().layer(deliver);
    let route = move |request: Request<Incoming>| {
        let (mut service, path) = (service.clone(), Arc::clone(&path));
        Box::pin(async move {
            let Ok(()) = poll_fn(|cx| Service::<Request<Incoming>>::poll_ready(&mut service, cx)).await;
            let Ok(response) = service.call(request).await;
            say(&path, &response);
            response
        }) as Answer
    };
    Ok((Box::new(route), drain))
}

/// An upstream that may take longer than the library lets a handler take gets its time, and a moment to be answered for.
fn handler_limit(upstream: Option<Duration>) -> Duration {
    upstream.unwrap_or_default().saturating_add(Duration::from_secs(10)).max(HANDLER_LIMIT)
}

/// One line for each repeat and for a refusal. Events that were handled have been said by then.
fn say(endpoint: &str, response: &Response<Body>) {
    for key in response.extensions().get::<Repeats>().map(Repeats::keys).unwrap_or_default() {
        let _ = lines::print(&Duplicate::new(endpoint, key.as_str()));
    }
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        let _ = lines::print(&Refused::new(endpoint, response.status().as_u16(), rejection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_gets_the_time_that_the_file_gives_it() {
        for (upstream, limit) in [(None, 300), (Some(10), 300), (Some(290), 300), (Some(291), 301), (Some(3600), 3610)]
        {
            let limit = Duration::from_secs(limit);
            assert_eq!(handler_limit(upstream.map(Duration::from_secs)), limit, "{upstream:?}");
        }
        assert_eq!(handler_limit(Some(Duration::MAX)), Duration::MAX);
    }
}
