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
use tower_webhook::provider::Provider as _;

use self::change::Change;
use super::case::Case;
use super::report::Why;

pub(super) use keys::validity;

const MAX_TRIES: usize = 10_000;
/// How much may be hashed or decrypted in all.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// What the search has found.
pub(super) struct Outcome {
    pub(super) found: Option<Found>,
    pub(super) tried: usize,
    /// Why not every variation was tried. `None` when all were.
    pub(super) left: Option<&'static str>,
}

/// A variation that fits.
pub(super) struct Found {
    pub(super) why: Why,
    /// The opened body, where its time was in order too and it is this provider's.
    pub(super) plaintext: Option<Bytes>,
}

pub(super) fn run(case: &Case<'_>) -> Outcome {
    let mut search = Search { case, tried: 0, bytes: 0, stopped: false, is_whole: true };
    let found = search.all();
    let left = match search {
        Search { stopped: true, .. } => Some("more would take too long"),
        Search { is_whole: false, .. } => Some("indented, the JSON would be too long to be tried"),
        _ => None,
    };
    Outcome { found, tried: search.tried, left }
}

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
        let mut headers = elsewhere::changes(case);
        headers.extend(headers::changes(case));
        let (bodies, is_whole) = bodies::changes(case);
        self.is_whole = is_whole;
        let (schemes, keys) = (schemes::changes(case), keys::under(case, &case.endpoint.spec));
        let mut others = keys::out_of_time(case);
        others.extend(schemes::other_endpoints(case));

        let one = others.iter().chain(&headers).chain(&bodies).chain(&schemes).chain(&keys);
        let of_delivery = headers.iter().chain(&bodies);
        let of_endpoint = others.iter().chain(&schemes).chain(&keys);
        self.first(one.map(|one| [one]))
            .or_else(|| self.first(pairs(bodies.iter().filter(|body| body.headers.is_none()), headers.iter())))
            .or_else(|| self.first(pairs(of_endpoint, of_delivery)))
            .or_else(|| {
                let specs = schemes.iter().filter_map(|scheme| Some((scheme, &scheme.endpoint.as_ref()?.spec)));
                let mut keys = specs.map(|(scheme, spec)| (scheme, keys::under(case, spec)));
                keys.find_map(|(scheme, keys)| self.first(keys.iter().map(|key| [key, scheme])))
            })
    }

    fn first<'c, const N: usize>(&mut self, mut all: impl Iterator<Item = [&'c Change; N]>) -> Option<Found> {
        all.find_map(|changes| self.attempt(&changes))
    }

    /// Opens a variation. One whose time alone is wrong fits.
    fn attempt(&mut self, changes: &[&Change]) -> Option<Found> {
        let case = self.case;
        let headers = changes.iter().find_map(|change| change.headers.as_ref()).unwrap_or(case.headers());
        let body = changes.iter().find_map(|change| change.body.as_ref()).unwrap_or(&case.request.body);
        let endpoint = changes.iter().find_map(|change| change.endpoint.as_ref()).unwrap_or(case.endpoint);
        let scheme = endpoint.provider.scheme();
        self.stopped |= self.tried == MAX_TRIES || self.bytes > MAX_BYTES;
        if self.stopped || !scheme.proves_sender() {
            return None;
        }
        self.tried += 1;
        self.bytes = self.bytes.saturating_add(body.len());
        let plaintext = match scheme.open(headers, body.clone(), case.at) {
            // Another provider's text is not for this one to decode.
            Ok(opened) => Some(opened.plaintext).filter(|_| endpoint.provider_name() == case.endpoint.provider_name()),
            Err(no) if no.kind() == RejectionKind::TimestampOutside => None,
            Err(_) => return None,
        };
        let why = changes.iter().map(|change| change.why.clone()).reduce(|one, other| one.and(&other))?;
        Some(Found { why, plaintext })
    }
}

/// Each of the one kind with each of the other.
fn pairs<'c>(
    outer: impl Iterator<Item = &'c Change>,
    inner: impl Iterator<Item = &'c Change> + Clone,
) -> impl Iterator<Item = [&'c Change; 2]> {
    outer.flat_map(move |outer| inner.clone().map(move |inner| [inner, outer]))
}
