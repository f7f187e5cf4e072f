//! The client of one peer: in clear or by TLS, as its address says, and never the one for the other.

use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_webhook::config::TlsClient;
use tower_webhook::gate::Body;

/// So often a peer of HTTP/2 is asked whether it is there, and for so long its word is waited for.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_DEADLINE: Duration = Duration::from_secs(5);
/// The longest headers of an answer over HTTP/2, in bytes.
const MAX_HEADERS: u32 = 16 * 1024;

#[derive(Clone)]
pub(crate) enum Way {
    /// HTTP/1.1.
    Clear(Client<HttpConnector, Body>),
    /// HTTP/2 or 1.1, whichever the peer takes.
    Tls(Client<HttpsConnector<HttpConnector>, Body>),
}

impl Way {
    /// By TLS, where this is how.
    pub(crate) fn of(tls: Option<&TlsClient>) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        let Some(tls) = tls else { return Self::Clear(builder.build_http()) };
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.config.as_ref().clone()).https_only();
        builder
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_DEADLINE)
            .http2_max_header_list_size(MAX_HEADERS);
        Self::Tls(builder.build(https.enable_all_versions().build()))
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        match self {
            Self::Clear(client) => client.request(request).await,
            Self::Tls(client) => client.request(request).await,
        }
    }
}
