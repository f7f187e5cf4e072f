//! Requests, made beforehand: every one a new event with its own signature.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderValue};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::{MacAlgorithm, Sealing};
use tower_webhook::secret::Secret;

pub(crate) const USERNAME: &str = "aella";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const KEY: &str = "ae_sk_test_example";
const OPP_KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

/// As printed in the documentation, 0.7 KB.
const TRANSFER: &str = include_str!("../../tests/fixtures/aella/transfer.completed.json");
/// A payment of the same length.
const PAYMENT: &str = include_str!("payment.json");

pub(crate) fn aella() -> Result<Aella, BoxError> {
    Ok(Aella::new(Secret::utf8(KEY)?)?.algorithm(MacAlgorithm::HmacSha256)?)
}

pub(crate) fn opp() -> Result<Opp, BoxError> {
    Ok(Opp::new(Secret::hex(OPP_KEY)?)?)
}

/// The senders' side of both providers.
pub(crate) struct Senders {
    aella: Aella,
    opp: Opp,
    sent: usize,
}

impl Senders {
    pub(crate) fn new() -> Result<Self, BoxError> {
        Ok(Self { aella: aella()?, opp: opp()?, sent: 0 })
    }

    /// So many transfers, none of which was there before.
    pub(crate) fn aella(&mut self, count: usize) -> Result<Vec<Request<Bytes>>, BoxError> {
        let first = self.number(count);
        (first..first + count).map(|number| seal(&self.aella, renamed(TRANSFER, "7b129bdd", number))).collect()
    }

    /// So many transfers of so many bytes and a little more, most of which are a member that nobody knows.
    pub(crate) fn large(&mut self, count: usize, bytes: usize) -> Result<Vec<Request<Bytes>>, BoxError> {
        let text = with_unknown_member(TRANSFER, bytes);
        let first = self.number(count);
        (first..first + count).map(|number| seal(&self.aella, renamed(&text, "7b129bdd", number))).collect()
    }

    /// So many payments, none of which was there before.
    pub(crate) fn opp(&mut self, count: usize) -> Result<Vec<Request<Bytes>>, BoxError> {
        let first = self.number(count);
        (first..first + count).map(|number| seal(&self.opp, renamed(PAYMENT, "8a829449", number))).collect()
    }

    fn number(&mut self, count: usize) -> usize {
        self.sent += count;
        self.sent - count
    }
}

/// The same text with the first eight digits of its id changed.
fn renamed(text: &str, digits: &str, number: usize) -> String {
    text.replacen(digits, &format!("{number:08x}"), 1)
}

/// The same transfer with a member of objects in its data.
fn with_unknown_member(text: &str, bytes: usize) -> String {
    let step = r#"{"at":"2026-11-24T18:22:05.123Z","status":"pending","attempt":7,"fee":10.75,"note":"sent \"again\" to the bank"}"#;
    let steps = vec![step; bytes.saturating_sub(text.len()) / step.len()].join(",");
    text.replacen("\"data\": {", &format!("\"data\": {{\"history\":[{steps}],"), 1)
}

fn seal(provider: &impl Provider, body: String) -> Result<Request<Bytes>, BoxError> {
    let mut request = provider.seal(Message::new(body), &Sealing::new(Timestamp::now(), &OsEntropy))?;
    let credentials = Encoding::Base64.encode(format!("{USERNAME}:{PASSWORD}").as_bytes());
    let length = request.body().len();
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("127.0.0.1"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Basic {credentials}"))?);
    Ok(request)
}
