//! When no key fits: small changes of the delivery and of the configuration, until the code that listens opens it.
//!
//! First one change, then two at once: of the body and the headers, of the key and the scheme, or of one on each side.
//! All of them are tried at most once, and their number and the bytes they cost are bounded.

mod bodies;
mod change;
mod elsewhere;
mod headers;
mod json;
mod keys;
mod schemes;
mod written;

use bytes::Bytes;
use tower_webhook::RejectionKind;
use tower_webhook::config::Endpoint;
use tower_webhook::provider::Provider as _;

use self::change::{Setting, Variant};
use super::case::Case;
use super::report::Why;

pub(super) use keys::validity;

const MAX_TRIES: usize = 10_000;
/// How much may be hashed or decrypted in all.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// What the search has found.
pub(super) struct Outcome {
    pub(super) why: Option<Why>,
    /// The opened body, where its time was in order too and it is this provider's.
    pub(super) plaintext: Option<Bytes>,
    pub(super) tried: usize,
    /// Why not every variation was tried. `None` when all were.
    pub(super) left: Option<&'static str>,
}

pub(super) fn run(case: &Case<'_>) -> Outcome {
    let mut search = Search { case, tried: 0, bytes: 0, stopped: false, is_whole: true };
    let found = search.all();
    let (why, plaintext) = match found {
        Some((why, plaintext)) => (Some(why), plaintext),
        None => (None, None),
    };
    let left = match search {
        Search { stopped: true, .. } => Some("more would take too long"),
        Search { is_whole: false, .. } => Some("indented, the JSON would be too long to be tried"),
        _ => None,
    };
    Outcome { why, plaintext, tried: search.tried, left }
}

type Found = (Why, Option<Bytes>);

struct Search<'a> {
    case: &'a Case<'a>,
    tried: usize,
    bytes: usize,
    stopped: bool,
    /// Whether no variation was too long to be made.
    is_whole: bool,
}

impl Search<'_> {
    fn all(&mut self) -> Option<Found> {
        let case = self.case;
        let mut headers = elsewhere::variants(case);
        headers.extend(headers::variants(case));
        let (bodies, is_whole) = bodies::variants(case);
        self.is_whole = is_whole;
        let schemes = schemes::settings(case);
        let keys = keys::settings(case);

        let elsewhere =
            [keys::out_of_time(case), schemes::other_endpoints(case)].into_iter().flatten().collect::<Vec<_>>();

        let one = self.settings(&elsewhere);
        let one = one.or_else(|| self.variants(&headers)).or_else(|| self.variants(&bodies));
        let one = one.or_else(|| self.settings(&schemes)).or_else(|| self.settings(&keys));
        if one.is_some() {
            return one;
        }
        for body in bodies.iter().filter(|body| body.headers.is_none()) {
            for head in &headers {
                let both =
                    Variant { why: head.why.and(&body.why), headers: head.headers.clone(), body: body.body.clone() };
                if let Some(found) = self.attempt(case.endpoint, &both, None) {
                    return Some(found);
                }
            }
        }
        let plain: Vec<&Variant> = headers.iter().chain(&bodies).collect();
        for setting in elsewhere.iter().chain(&schemes).chain(&keys) {
            for variant in &plain {
                if let Some(found) = self.attempt(&setting.endpoint, variant, Some(&setting.why)) {
                    return Some(found);
                }
            }
        }
        self.settings(&keys::under(case, &schemes))
    }

    fn variants(&mut self, variants: &[Variant]) -> Option<Found> {
        variants.iter().find_map(|variant| self.attempt(self.case.endpoint, variant, None))
    }

    fn settings(&mut self, settings: &[Setting]) -> Option<Found> {
        settings.iter().find_map(|setting| {
            let unchanged = Variant { why: setting.why.clone(), headers: None, body: None };
            self.attempt(&setting.endpoint, &unchanged, None)
        })
    }

    /// Opens a variation. One whose time alone is wrong fits.
    fn attempt(&mut self, endpoint: &Endpoint, variant: &Variant, also: Option<&Why>) -> Option<Found> {
        let request = self.case.request;
        let headers = variant.headers.as_ref().unwrap_or(self.case.headers());
        let body = variant.body.as_ref().unwrap_or(&request.body);
        self.stopped |= self.tried == MAX_TRIES || self.bytes > MAX_BYTES;
        let scheme = endpoint.provider.scheme();
        if self.stopped || !scheme.proves_sender() {
            return None;
        }
        self.tried += 1;
        self.bytes = self.bytes.saturating_add(body.len());
        let plaintext = match scheme.open(headers, body.clone(), self.case.at) {
            // Another provider's text is not for this one to decode.
            Ok(opened) => {
                Some(opened.plaintext).filter(|_| endpoint.provider_name() == self.case.endpoint.provider_name())
            }
            Err(no) if no.kind() == RejectionKind::TimestampOutside => None,
            Err(_) => return None,
        };
        let why = also.map_or_else(|| variant.why.clone(), |also| variant.why.and(also));
        Some((why, plaintext))
    }
}
