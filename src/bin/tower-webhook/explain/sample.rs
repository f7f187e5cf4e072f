//! What a right delivery looks like: sealed by the same provider, looked at for its shape, and thrown away.
//!
//! So no provider has to be known here: which headers there are, how they are encoded, where the time stands and how
//! far it may be off is asked of the code that seals and opens.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Request};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::config::Endpoint;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::Sealing;

use super::judge::Case;
use super::words;

const BODY: &str = "{}";
/// The library takes no longer tolerance.
const LONGEST: u64 = 30 * 24 * 3600;

/// The shape of a right delivery.
pub(super) struct Sample {
    /// The headers that carry proofs, each with the value of the sample.
    pub(super) proofs: Vec<(HeaderName, String)>,
    pub(super) time: Option<TimePlace>,
}

/// Where the time stands, how it is written, and how far it may be off. In seconds.
pub(super) struct TimePlace {
    pub(super) header: HeaderName,
    pub(super) param: Option<String>,
    pub(super) in_milliseconds: bool,
    pub(super) past: u64,
    pub(super) future: u64,
}

impl Sample {
    pub(super) fn of(case: &Case<'_>, ageless: &Endpoint) -> Self {
        let (at, headers) = (case.at, &case.request.head.headers);
        let Some(sealed) = seal(ageless, headers, at) else { return Self { proofs: Vec::new(), time: None } };
        let texts: Vec<(HeaderName, String)> = sealed
            .headers()
            .iter()
            .filter(|(name, value)| headers.get(*name) != Some(value))
            .filter_map(|(name, value)| Some((name.clone(), value.to_str().ok()?.to_owned())))
            .collect();
        let time =
            texts.iter().find_map(|(name, text)| place(name, text, at)).map(|(header, param, in_milliseconds)| {
                let reach = |past| reach(ageless, &sealed, at, past);
                TimePlace { header, param, in_milliseconds, past: reach(true), future: reach(false) }
            });
        let is_proof = |name: &HeaderName| case.endpoint.provider.scheme().proof_headers().contains(name);
        Self { proofs: texts.into_iter().filter(|(name, _)| is_proof(name)).collect(), time }
    }
}

/// The same endpoint with keys that never begin or end.
pub(super) fn ageless(endpoint: &Endpoint) -> Option<Endpoint> {
    let mut spec = endpoint.spec.clone();
    for key in &mut spec.keys {
        (key.not_before, key.not_after) = (None, None);
    }
    spec.build().ok()
}

/// By the scheme alone where it can, over the signed headers that are there; else as the provider would.
fn seal(endpoint: &Endpoint, given: &HeaderMap, at: Timestamp) -> Option<Request<Bytes>> {
    let sealing = Sealing::new(at, &OsEntropy);
    let mut headers = given.clone();
    for name in [AUTHORIZATION, CONTENT_TYPE, CONTENT_LENGTH].iter().chain(endpoint.provider.scheme().proof_headers()) {
        headers.remove(name);
    }
    match endpoint.provider.scheme().seal(BODY.into(), &mut headers, &sealing) {
        Ok(body) => {
            let mut request = Request::new(body);
            *request.headers_mut() = headers;
            Some(request)
        }
        Err(_) => endpoint.provider.seal(Message::new(BODY).idempotency_key("sample"), &sealing).ok(),
    }
}

/// Whether this header says the time, as a whole or as one of its parameters.
fn place(name: &HeaderName, text: &str, at: Timestamp) -> Option<(HeaderName, Option<String>, bool)> {
    let units = [(at.as_second(), false), (at.as_millisecond(), true)];
    units.into_iter().find_map(|(number, in_milliseconds)| {
        let number = number.to_string();
        if text == number {
            return Some((name.clone(), None, in_milliseconds));
        }
        let (before, _) = text.split_once(&format!("={number}"))?;
        let start =
            before.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map_or(0, |at| at + 1);
        Some((name.clone(), before.get(start..).map(str::to_owned), in_milliseconds))
    })
}

/// The furthest that the sample's time may lie in the past or the future, found by asking.
fn reach(endpoint: &Endpoint, sealed: &Request<Bytes>, at: Timestamp, past: bool) -> u64 {
    let opens = |seconds: u64| {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let seconds = if past { at.as_second().checked_add(seconds) } else { at.as_second().checked_sub(seconds) };
        let Some(now) = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) else { return false };
        endpoint.provider.scheme().open(sealed.headers(), sealed.body().clone(), now).is_ok()
    };
    let (mut fits, mut fits_not) = (0, LONGEST + 2);
    while fits_not - fits > 1 {
        let middle = fits.midpoint(fits_not);
        if opens(middle) { fits = middle } else { fits_not = middle }
    }
    fits
}

impl TimePlace {
    /// The text in this place of a delivery.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<String> {
        let text = headers.get(&self.header)?.to_str().ok()?.trim();
        let Some(param) = &self.param else { return Some(text.to_owned()) };
        let between = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '=' | '_' | '-' | '+' | '/');
        let mut items = text.split(between).filter_map(|item| item.split_once('='));
        items.find(|(name, _)| name == param).map(|(_, value)| value.to_owned())
    }

    /// How far the time may be off on this side.
    pub(super) fn reach(&self, past: bool) -> u64 {
        if past { self.past } else { self.future }
    }

    /// The tolerance in words.
    pub(super) fn tolerance(&self) -> String {
        format!("{} back and {} ahead are taken", words::span(self.past), words::span(self.future))
    }
}
