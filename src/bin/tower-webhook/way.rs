//! The client of one peer: in clear or by TLS, as its address says, and never the one for the other.

use std::time::Duration;

use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Builder, Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_webhook::config::TlsClient;
use tower_webhook::gate::Body;

use crate::used::{Past, Remembering};

/// So often a peer of HTTP/2 is asked whether it is there, and for so long its word is waited for.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_DEADLINE: Duration = Duration::from_secs(5);
/// A connection in clear that is idle for so long is asked by TCP whether its peer is there.
const PROBED: Duration = Duration::from_secs(90);
/// The longest headers of an answer over HTTP/2, in bytes.
const MAX_HEADERS: u32 = 16 * 1024;

#[derive(Clone)]
pub(crate) enum Way {
    /// HTTP/1.1.
    Clear(Clients<HttpConnector>),
    /// HTTP/2 or 1.1, whichever the peer takes.
    Tls(Clients<HttpsConnector<HttpConnector>>),
}

impl Way {
    /// By TLS, where this is how.
    pub(crate) fn of(tls: Option<&TlsClient>) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        let Some(tls) = tls else {
            let mut connector = HttpConnector::new();
            connector.set_keepalive(Some(PROBED));
            return Self::Clear(Clients::new(builder, connector));
        };
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.config.as_ref().clone()).https_only();
        builder
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_DEADLINE)
            .http2_max_header_list_size(MAX_HEADERS);
        Self::Tls(Clients::new(builder, https.enable_all_versions().build()))
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        match self {
            Self::Clear(clients) => clients.request(request).await,
            Self::Tls(clients) => clients.request(request).await,
        }
    }
}

/// One whose connections are used again, and one that makes a new one each time.
#[derive(Clone)]
pub(crate) struct Clients<C> {
    kept: Client<Remembering<C>, Body>,
    fresh: Client<Remembering<C>, Body>,
}

impl<C: Clone> Clients<C>
where
    Remembering<C>: Connect + Clone + Send + Sync + 'static,
{
    fn new(mut builder: Builder, connector: C) -> Self {
        let kept = builder.build(Remembering(connector.clone()));
        Self { kept, fresh: builder.pool_max_idle_per_host(0).build(Remembering(connector)) }
    }

    /// A peer may close a connection that rests while a request is on its way: then it has another try, one, by a new
    /// connection. Should the peer have had the first all the same, key and fence stand in the request, by which it
    /// recognises the repeat.
    async fn request(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        match self.kept.request(request.clone()).await {
            Err(error) if was_stale(&error) => self.fresh.request(request).await,
            answered => answered,
        }
    }
}

/// Whether it was over before anything came of an answer, on a connection that had been used before. Over HTTP/2 a peer
/// that closes says which requests it has not begun, and the client tries those again by itself.
fn was_stale(error: &Error) -> bool {
    let Some(connected) = error.connect_info().filter(|connected| !connected.is_negotiated_h2()) else { return false };
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Past>().is_some_and(Past::is_stale)
}
