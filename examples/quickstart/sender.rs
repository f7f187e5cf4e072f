//! The sender: seals as the provider does, sends over real connections, and comes again when it is told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use tokio::task::JoinSet;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::idempotency::REPLAYED;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::Sealing;

use crate::client::{BoxError, send};
use crate::common::Who;
use crate::keys::{self, MAMBU_PASSWORD, MAMBU_USER, Which};
use crate::outcome::Answers;
use crate::script::Case;

/// How often a delivery is tried, and the longest wait in between.
const TRIES: usize = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A request that carries this message, as the provider would send it now under this key.
pub(crate) fn seal(who: Who, which: Which, message: Message) -> Result<Request<Bytes>, BoxError> {
    let with = Sealing::new(keys::now()?, &OsEntropy);
    let secret = || keys::secret(who, which);
    let mut request = match who {
        Who::Mambu => Mambu::new().seal(message, &with)?,
        Who::Aella => Aella::new(secret()?)?.seal(message, &with)?,
        Who::Opp => Opp::new(secret()?)?.seal(message, &with)?,
        Who::Bank => BankingCircle::new(secret()?)?.seal(message, &with)?,
    };
    if who == Who::Mambu {
        request.headers_mut().insert(AUTHORIZATION, basic(MAMBU_USER, MAMBU_PASSWORD)?);
    }
    *request.uri_mut() = who.path().parse()?;
    Ok(request)
}

/// Basic credentials, which belong to a subscription and not to a message.
pub(crate) fn basic(user: &str, password: &str) -> Result<HeaderValue, BoxError> {
    let pair = Encoding::Base64.encode(format!("{user}:{password}").as_bytes());
    Ok(HeaderValue::try_from(format!("Basic {pair}"))?)
}

/// Sends to one receiver.
pub(crate) struct Sender {
    to: SocketAddr,
}

impl Sender {
    pub(crate) fn to(to: SocketAddr) -> Self {
        Self { to }
    }

    /// All copies of a delivery at once, each until it is settled.
    pub(crate) async fn deliver(&self, case: &Case) -> Result<Answers, BoxError> {
        let mut copies = JoinSet::new();
        for _ in 0..case.copies {
            copies.spawn(settle(self.to, case.request.clone(), case.is_chunked, case.expected.retries()));
        }
        let mut answers = Answers::default();
        while let Some(answer) = copies.join_next().await {
            let response = answer??;
            answers.add(response.status().as_u16(), response.headers().contains_key(REPLAYED));
        }
        Ok(answers)
    }
}

/// Sends until the answer is another than "come again", or the tries are used up.
async fn settle(
    to: SocketAddr,
    request: Request<Bytes>,
    is_chunked: bool,
    retries: bool,
) -> Result<Response<Bytes>, BoxError> {
    let mut tried = 1;
    loop {
        let response = send(to, request.clone().map(|body| wire(body, is_chunked))).await?;
        match come_again(&response) {
            Some(wait) if retries && tried < TRIES => tokio::time::sleep(wait).await,
            _ => return Ok(response),
        }
        tried += 1;
    }
}

fn come_again(response: &Response<Bytes>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (response.status() == 503).then_some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// The body as it goes over the wire: with its length, or in chunks of a hundred bytes without one.
fn wire(body: Bytes, is_chunked: bool) -> BoxBody<Bytes, Infallible> {
    if !is_chunked {
        return Full::new(body).boxed();
    }
    let chunks: Vec<_> = body.chunks(100).map(|chunk| Ok(Frame::data(body.slice_ref(chunk)))).collect();
    StreamBody::new(stream::iter(chunks)).boxed()
}
