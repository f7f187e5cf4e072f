//! Handing an opened event to an upstream, whose status decides the answer.
//!
//! It is told by headers that come from here alone: `tower-webhook-receiver`, `-provider`, `-event`, `-key`, and, where
//! the event was claimed, `-fence`, and where it comes out of an inbox, `-attempt`. In their values `%`, what is not visible ASCII, and a space at either end are written
//! `%XX`, so that two names or keys that differ are two values that differ.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{self, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::config::{Config, Endpoint, Forward};
use tower_webhook::event::Project as _;
use tower_webhook::gate::{Body, reject};
use tower_webhook::inbox::Verdict;
use tower_webhook::observe::TraceParent;
use tower_webhook::provider::{AnyEvent, AnyProvider, Provider as _};
use tower_webhook::{Received, Rejection, RejectionKind};

use super::verdict;
use super::voice::Voice;
use crate::way::Way;

/// The longest answer of an upstream that is passed on, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
const RETRY_IN: Duration = Duration::from_secs(5);
/// What W3C's trace context is told by.
const TRACE: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// The way to one upstream.
#[derive(Clone)]
pub(super) struct Upstream {
    forward: Forward,
    provider: AnyProvider,
    way: Way,
    endpoint: Arc<str>,
    /// Whether a proxy of ours has a say in where a delivery comes from.
    has_proxies: bool,
    /// For so long a stored event rests, whatever the upstream says.
    least_rest: Duration,
    voice: Voice,
    was_slow: Arc<AtomicBool>,
}

impl Upstream {
    /// Of this endpoint, where it has one.
    pub(super) fn of(config: &Config, endpoint: &Endpoint, voice: &Voice) -> Option<Self> {
        let forward = endpoint.forward.clone()?;
        let sources = endpoint.spec.sources.as_ref().map(|sources| sources.trusted_proxies);
        let rate_limit = endpoint.spec.rate_limit.as_ref().map(|rate_limit| rate_limit.trusted_proxies);
        Some(Self {
            way: Way::of(forward.tls.as_ref()),
            forward,
            provider: endpoint.provider.clone(),
            endpoint: endpoint.path().into(),
            has_proxies: sources.or(rate_limit).is_some_and(|hops| hops > 0),
            least_rest: config.inbox.as_ref().map_or(Duration::ZERO, |inbox| inbox.retry.base),
            voice: voice.clone(),
            was_slow: Arc::default(),
        })
    }

    /// Posts one event. Down, slow or broken is 503, and the event is tried again.
    pub(super) async fn send(
        &self,
        provider: &str,
        head: &http::request::Parts,
        event: &Received<AnyEvent>,
    ) -> Response<Body> {
        let request = self.request(provider, head, event);
        self.exchange(request).await.map_or_else(reject, |response| answer(response, self.forward.pass_gone))
    }

    /// Posts one event that was stored before: of its request its type and the trace alone are left.
    pub(super) async fn send_stored(&self, provider: &str, event: &Received<AnyEvent>) -> Verdict {
        let (mut head, ()) = Request::post("/").body(()).unwrap_or_default().into_parts();
        let delivery = event.delivery();
        let sent_as = delivery.header(&CONTENT_TYPE).cloned();
        head.headers.insert(CONTENT_TYPE, sent_as.unwrap_or_else(|| verdict::content_type(delivery.raw())));
        let trace = TRACE.into_iter().filter_map(|name| Some((delivery.header(&name)?.clone(), name)));
        head.headers.extend(trace.map(|(value, name)| (name, value)));
        let mut request = self.request(provider, &head, event);
        if let Some(attempt) = event.delivery().attempt() {
            request.headers_mut().insert("tower-webhook-attempt", HeaderValue::from(attempt.get()));
        }
        match self.exchange(request).await {
            Ok(response) => verdict::of(response.status(), response.headers(), SystemClock.now(), self.least_rest),
            Err(rejection) => verdict::unanswered(&rejection),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Body>, Rejection> {
        let exchange = async {
            let response = self.way.request(request).await.map_err(|error| unanswered(&error))?;
            let (head, body) = response.into_parts();
            let body = read(body).await?;
            Ok(Response::from_parts(head, body))
        };
        tokio::time::timeout(self.forward.timeout, exchange).await.unwrap_or_else(|elapsed| {
            self.warn_of_slowness();
            Err(down("the upstream did not answer in time", &elapsed))
        })
    }

    /// Once: whoever is slow is slow often.
    fn warn_of_slowness(&self) {
        if !self.was_slow.swap(true, Ordering::Relaxed) {
            let (endpoint, timeout) = (&self.endpoint, self.forward.timeout);
            self.voice.warn(format_args!(
                "warning: {endpoint}: the upstream did not answer within {timeout:?}. It may still be at work when it \
                 is sent the event again: then with the same tower-webhook-key and a higher tower-webhook-fence. Raise \
                 forward_timeout if it needs longer; this is not said again"
            ));
        }
    }

    fn request(&self, provider: &str, head: &http::request::Parts, event: &Received<AnyEvent>) -> Request<Body> {
        let delivery = event.delivery();
        let mut request = Request::new(Body::from(delivery.raw().clone()));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = self.forward.to.clone();
        *request.headers_mut() = self.passing(&head.headers);
        let headers = request.headers_mut();
        // An empty body too says how long it is (RFC 9110, section 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from(delivery.raw().len()));
        if let Some(content_type) = self.provider.event_content_type() {
            headers.insert(CONTENT_TYPE, content_type);
        }
        headers.insert("tower-webhook-receiver", value(delivery.receiver()));
        headers.insert("tower-webhook-provider", value(provider));
        headers.insert("tower-webhook-event", value(event.event().name()));
        headers.insert("tower-webhook-key", value(delivery.key().as_str()));
        if let Some(fence) = event.fence() {
            headers.insert("tower-webhook-fence", HeaderValue::from(fence.get()));
        }
        request
    }

    /// The sender's headers without those of the connection, the proofs, a trace that cannot be read, and whatever claims to
    /// be ours or a proxy's where there is none, in the spelling of servers too that take `_` for `-`.
    fn passing(&self, from: &HeaderMap) -> HeaderMap {
        let named = from.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let named: Vec<HeaderName> =
            named.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
        let proofs = self.provider.scheme().proof_headers();
        let stays = |name: &HeaderName| {
            let as_taken = name.as_str().replace('_', "-");
            !OURS_ALONE.contains(name)
                && !named.contains(name)
                && !proofs.contains(name)
                && !as_taken.starts_with("tower-webhook-")
                && !as_taken.starts_with("proxy-")
                && (self.has_proxies || !is_of_a_proxy(&as_taken))
        };
        let mut to = HeaderMap::new();
        for (name, value) in from.iter().filter(|(name, _)| stays(name)) {
            to.append(name, value.clone());
        }
        if TraceParent::of(&to).is_none() {
            TRACE.iter().for_each(|name| drop(to.remove(name)));
        }
        to
    }
}

/// Headers of one connection (RFC 9110, section 7.6.1), of the body that was opened, of an answer that is read here, or
/// secret by their nature.
const OURS_ALONE: [HeaderName; 15] = [
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether a proxy tells by it from where a request comes. Whoever sends without one says there what they like.
fn is_of_a_proxy(name: &str) -> bool {
    name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-real-ip")
}

/// Text as a header value: what is not visible ASCII, `%`, and a space at either end, as `%XX`. A space inside stays.
/// No two texts have the same value.
fn value(text: &str) -> HeaderValue {
    let inside = text.len() - text.trim_start_matches(' ').len()..text.trim_end_matches(' ').len();
    let mut encoded = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b' ' if inside.contains(&at) => encoded.push(' '),
            b'%' | 0..=b' ' | 0x7f.. => encoded.push_str(&format!("%{byte:02X}")),
            _ => encoded.push(byte.into()),
        }
    }
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Where a connection was made, the upstream may have had the event.
fn unanswered(error: &hyper_util::client::legacy::Error) -> Rejection {
    let detail = match error.is_connect() {
        true => "the upstream cannot be reached",
        false => "the upstream was reached, and did not answer",
    };
    // Its own words are the name of a step.
    down(detail, error.source().unwrap_or(error))
}

fn down(detail: &'static str, error: &(dyn Error + 'static)) -> Rejection {
    Rejection::new(RejectionKind::HandlerRetry, detail).retry_in(RETRY_IN).caused_by(causes(error))
}

/// An error with what caused it, down to the first. Some say themselves what their cause says.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said = String::new();
    for error in successors(Some(error), |error| (*error).source()).map(ToString::to_string) {
        if !said.ends_with(&error) {
            said = if said.is_empty() { error } else { format!("{said}: {error}") };
        }
    }
    said
}

/// Reads an answer up to its limit. A longer one is passed on without its body.
async fn read(body: hyper::body::Incoming) -> Result<Body, Rejection> {
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(all) => Ok(Body::from(all.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(Body::default()),
        Err(error) => Err(down("the upstream's answer broke off", &*error)),
    }
}

/// The upstream's status, body and type; nothing else of its answer. A status that ends nothing is 502, and so is 410,
/// for which some senders switch the whole endpoint off, unless it is to be passed.
fn answer(upstream: Response<Body>, passes_gone: bool) -> Response<Body> {
    let (head, body) = upstream.into_parts();
    let status = head.status;
    let mut response = if status.is_success() {
        Response::new(body)
    } else {
        let detail = format!("the upstream answered {}", status.as_u16());
        reject(Rejection::new(RejectionKind::HandlerFailed, detail))
    };
    let is_final = status.is_success() || status.is_client_error() || status.is_server_error();
    let passes = is_final && (status != StatusCode::GONE || passes_gone);
    *response.status_mut() = if passes { status } else { StatusCode::BAD_GATEWAY };
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
