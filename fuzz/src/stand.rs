//! Receivers of every provider over one memory store, with secrets that nobody can read out of the binary.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, Request, Response};
use http_body_util::StreamBody;
use tower::util::BoxCloneService;
use tower::{ServiceExt as _, service_fn};
use tower_webhook::clock::{Clock as _, Entropy as _, OsEntropy, SystemClock};
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::{Body, ResponseBody};
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{Lookup, Message, Provider};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Sealing, Signed, StaticToken, Template};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, MemoryStore, Receiver};

use crate::case::{Case, Proof};

type Frames = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<http_body::Frame<Bytes>, Infallible>>>>;
type Service = BoxCloneService<Request<Frames>, Response<ResponseBody>, Infallible>;
type Seal = Box<dyn Fn(Message) -> Option<Request<Bytes>>>;

/// All receivers, and how often a handler was called.
pub struct Stand {
    all: Vec<One>,
    handled: Arc<AtomicUsize>,
}

struct One {
    name: &'static str,
    service: Service,
    seal: Seal,
    /// Whether a flipped bit of the body is always seen.
    covers_body: bool,
}

/// What became of a case.
#[derive(Debug)]
pub struct Seen {
    pub name: &'static str,
    pub status: u16,
    pub handled: usize,
    /// The proof that the request was sent with. Not the one asked for, where the provider's side could not seal.
    pub proof: Proof,
    pub covers_body: bool,
    /// Whether a delivery has several events, of which some may be handled and others not.
    pub batches: bool,
}

impl Stand {
    /// # Errors
    ///
    /// Only when a receiver cannot be built, which is a fault of this file.
    pub fn new() -> Result<Self, ConfigError> {
        let handled = Arc::new(AtomicUsize::new(0));
        let mut stand = Self { all: Vec::new(), handled };
        let secret = random(32)?;
        let key = || Secret::bytes(secret.clone());

        stand.add("aella", true, None, || Aella::new(key()?))?;
        stand.add("opp", true, None, || Opp::new(key()?))?;
        stand.add("sibs", true, None, || Sibs::new(key()?))?;
        stand.add("bank", true, None, || BankingCircle::new(key()?))?;
        stand.add("standard", true, None, || StandardWebhooks::new(key()?))?;
        stand.add("mambu", false, Some(key()?), || Ok(Mambu::new().event_at(Lookup::json("/event")?)))?;
        stand.add("hub", true, None, || {
            let signed = Signed::new(HeaderName::from_static("x-hub-signature-256"), Encoding::Hex).prefix("sha256=");
            let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, key()?)?;
            Custom::new(scheme, [Lookup::header("x-github-delivery")?, Lookup::json("/id")?])
        })?;
        stand.add("template", true, None, || {
            let signed = Signed::new(HeaderName::from_static("x-sign"), Encoding::Base64)
                .template(Template::parse("{header:x-id}.{body}")?)
                .list(' ')
                .prefix("v1,");
            Custom::new(Hmac::new(MacAlgorithm::HmacSha512, signed, key()?)?, [Lookup::header("x-id")?])
        })?;
        stand.add("token", false, None, || {
            let secret = Secret::utf8(Encoding::Hex.encode(&secret))?;
            Custom::new(StaticToken::new(HeaderName::from_static("verif-hash"), secret)?, [Lookup::json("/id")?])
        })?;
        Ok(stand)
    }

    fn add<P: Provider>(
        &mut self,
        name: &'static str,
        covers_body: bool,
        password: Option<Secret>,
        provider: impl Fn() -> Result<P, ConfigError>,
    ) -> Result<(), ConfigError> {
        let mut receiver = Receiver::new(name, provider()?).max_body(256 * 1024);
        let credentials = password.is_some().then(|| random(16)).transpose()?.map(|bytes| Encoding::Hex.encode(&bytes));
        if let Some(text) = &credentials {
            let basic = BasicAuthLayer::new([Credentials::new("fuzz", Secret::utf8(text)?)?])?;
            receiver = receiver.basic_auth(&basic);
        }
        let handled = Arc::clone(&self.handled);
        let inner = service_fn(move |_: Request<Body>| {
            handled.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Infallible>(Response::new(Body::default())) }
        });
        let service = receiver.dedupe(MemoryStore::new(4096)).layer();
        let service = tower::Layer::layer(&service, inner);
        let sender = provider()?;
        let seal = move |message: Message| {
            let now = SystemClock.now()?;
            let mut request = sender.seal(message, &Sealing::new(now, &OsEntropy)).ok()?;
            if let Some(text) = &credentials {
                let pair = Encoding::Base64.encode(format!("fuzz:{text}").as_bytes());
                request.headers_mut().insert(AUTHORIZATION, format!("Basic {pair}").parse().ok()?);
            }
            Some(request)
        };
        self.all.push(One { name, service: service.boxed_clone(), seal: Box::new(seal), covers_body });
        Ok(())
    }

    /// Sends one case and waits for its answer.
    pub async fn send(&self, case: &Case) -> Seen {
        let one = &self.all[usize::from(case.who) % self.all.len()];
        let sealed = if case.proof == Proof::None { None } else { one.sealed(case) };
        let proof = if sealed.is_some() { case.proof } else { Proof::None };
        let request = sealed.unwrap_or_else(|| bare(case));
        let before = self.handled.load(Ordering::Relaxed);
        let Ok(answer) = one.service.clone().oneshot(framed(request)).await;
        Seen {
            name: one.name,
            status: answer.status().as_u16(),
            handled: self.handled.load(Ordering::Relaxed) - before,
            proof,
            covers_body: one.covers_body,
            batches: one.name == "bank",
        }
    }
}

impl One {
    fn sealed(&self, case: &Case) -> Option<Request<Bytes>> {
        let mut message = Message::new(case.body.clone()).idempotency_key("fuzz");
        message.headers = case.headers.clone();
        let mut request = (self.seal)(message)?;
        if case.method != http::Method::GET {
            *request.method_mut() = case.method.clone();
        }
        if case.proof == Proof::Damaged {
            let mut body = request.body().to_vec();
            let at = usize::from(case.who) % body.len().max(1);
            *body.get_mut(at)? ^= 1;
            *request.body_mut() = body.into();
        }
        Some(request)
    }
}

fn bare(case: &Case) -> Request<Bytes> {
    let mut request = Request::new(case.body.clone());
    *request.method_mut() = case.method.clone();
    *request.headers_mut() = case.headers.clone();
    request
}

/// The body in frames of 1000 bytes.
fn framed(request: Request<Bytes>) -> Request<Frames> {
    request.map(|body| {
        let frames: Vec<_> =
            body.chunks(1000).map(|chunk| Ok(http_body::Frame::data(Bytes::copy_from_slice(chunk)))).collect();
        StreamBody::new(futures_util::stream::iter(frames))
    })
}

fn random(length: usize) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = vec![0; length];
    OsEntropy.fill(&mut bytes).map_err(|_| ConfigError::new(ConfigErrorKind::EmptySecret))?;
    Ok(bytes)
}
