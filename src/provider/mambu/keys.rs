//! What tells one notification from another: Mambu's header, members of the body, or the body itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

use crate::encoding::Encoding;
use crate::error::{Rejection, RejectionKind};
use crate::provider::{EventKey, Lookup};
use crate::scheme::sole;

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-notifications-idempotency-key");

/// A UUID has 36 bytes. The format is not published, so that there is room for more.
const LONGEST: usize = 255;

/// What becomes of a delivery without `x-notifications-idempotency-key`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyPolicy {
    /// It is refused with [`KeyMissing`](RejectionKind::KeyMissing). The default.
    #[default]
    Require,
    /// It is keyed by the SHA-256 of its body, byte for byte, for a tenant in which the feature is off. Mambu sends the
    /// bytes of the first try again.
    ///
    /// # Security
    ///
    /// Two notifications of two facts with the same body, such as two deposits under a template that renders no
    /// transaction id, are then one: the second is acknowledged and never handled. Put something that is never the same
    /// twice into the template, such as `{TRANSACTION_ID}`, before choosing this.
    OrBodyDigest,
}

/// How keys are made.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    pub(super) policy: KeyPolicy,
    pub(super) in_body: Vec<Lookup>,
}

impl Keys {
    /// The body's key before the header's, and the header is looked at all the same.
    pub(super) fn key(&self, headers: &HeaderMap, body: &Bytes) -> Result<EventKey, Rejection> {
        let header = self.header(headers)?;
        Ok(self.body(body).or(header).unwrap_or_else(|| digest(body)))
    }

    fn header(&self, headers: &HeaderMap) -> Result<Option<EventKey>, Rejection> {
        match sole(headers, &HEADER) {
            Ok(value) => readable(value).map(|text| Some(EventKey::of(&[text]))),
            Err(no) if no.kind() != RejectionKind::SignatureMissing => Err(no),
            Err(_) if self.policy == KeyPolicy::OrBodyDigest => Ok(None),
            Err(no) => Err(Rejection::new(RejectionKind::KeyMissing, no.detail().to_owned())),
        }
    }

    /// All of the members, or nothing: half a key is the key of other notifications too. The first part keeps it apart
    /// from what a header can say.
    fn body(&self, body: &Bytes) -> Option<EventKey> {
        if self.in_body.is_empty() {
            return None;
        }
        let headers = HeaderMap::new();
        let found: Vec<String> =
            self.in_body.iter().map(|place| place.find_distinct(&headers, body)).collect::<Option<_>>()?;
        let parts: Vec<&str> = ["body"].into_iter().chain(found.iter().map(String::as_str)).collect();
        Some(EventKey::of(&parts))
    }
}

fn readable(value: &[u8]) -> Result<&str, Rejection> {
    let plain = value.len() <= LONGEST && value.iter().all(u8::is_ascii_graphic);
    plain.then(|| std::str::from_utf8(value).ok()).flatten().ok_or_else(|| {
        let detail = format!("{HEADER} is longer than {LONGEST} bytes or not visible ASCII");
        Rejection::new(RejectionKind::HeaderMalformed, detail)
    })
}

fn digest(body: &Bytes) -> EventKey {
    EventKey::of(&["sha256", &Encoding::Hex.encode(&Sha256::digest(body))])
}
