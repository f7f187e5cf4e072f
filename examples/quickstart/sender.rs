//! The sender: seals as the provider does, sends over real connections, and comes again when it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::REPLAYED;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::{AnyProvider, Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::{Answer, Tcp, Transport as _};

use crate::common::Who;
use crate::keys::{self, MAMBU_PASSWORD, MAMBU_USER, Which};
use crate::outcome::Answers;
use crate::script::Case;

/// How often a delivery is tried, how long an answer may take, and the longest wait in between.
const TRIES: usize = 5;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A provider with this key.
pub(crate) fn provider(who: Who, which: Which) -> Result<AnyProvider, BoxError> {
    let secret = keys::secret(who, which)?;
    Ok(match who {
        Who::Mambu => AnyProvider::new(Mambu::new()),
        Who::Aella => AnyProvider::new(Aella::new(secret)?),
        Who::Opp => AnyProvider::new(Opp::new(secret)?),
        Who::Bank => AnyProvider::new(BankingCircle::new(secret)?),
    })
}

/// A request that carries this message, as the provider would send it now under this key.
pub(crate) fn seal(who: Who, which: Which, message: Message) -> Result<Request<Bytes>, BoxError> {
    let mut request = provider(who, which)?.seal(message, &Sealing::new(keys::now()?, &OsEntropy))?;
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
pub(crate) struct Sender(Tcp);

impl Sender {
    pub(crate) fn to(to: SocketAddr) -> Result<Self, BoxError> {
        Ok(Self(Tcp::new(to)?))
    }

    /// All copies of a delivery at once, each until it is settled.
    pub(crate) async fn deliver(&self, case: &Case) -> Result<Answers, BoxError> {
        let mut copies = JoinSet::new();
        for _ in 0..case.copies {
            copies.spawn(settle(self.0.clone(), case.request.clone(), case.expected.retries()));
        }
        let mut answers = Answers::default();
        while let Some(answer) = copies.join_next().await {
            let answer = answer??;
            answers.add(answer.status.as_u16(), answer.headers.contains_key(REPLAYED));
        }
        Ok(answers)
    }
}

/// Sends until the answer is another than "come again", or the tries are used up.
async fn settle(to: Tcp, request: Request<Bytes>, retries: bool) -> Result<Answer, BoxError> {
    let mut tried = 1;
    loop {
        let answer = timeout(ANSWER_WITHIN, to.exchange(request.clone())).await??;
        match come_again(&answer) {
            Some(wait) if retries && tried < TRIES => sleep(wait).await,
            _ => return Ok(answer),
        }
        tried += 1;
    }
}

fn come_again(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (answer.status == 503).then_some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
