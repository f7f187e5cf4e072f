//! One scheme for deliveries under either spelling.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::spelling::{SVIX, WEBHOOK, is_svix};
use crate::error::{Rejection, RejectionKind};
use crate::scheme::{Opened, Proofs, Scheme, SealError, Sealing, Tolerance};
use crate::secret::KeyCheck;

/// Two schemes that differ in the names of their headers alone.
pub(super) struct Either {
    webhook: Box<dyn Scheme>,
    svix: Box<dyn Scheme>,
    proofs: Proofs,
}

impl Either {
    pub(super) fn new(webhook: Box<dyn Scheme>, svix: Box<dyn Scheme>) -> Self {
        let both = webhook.proofs().headers().iter().zip(svix.proofs().headers());
        let proofs = Proofs::new(both.map(|(one, other)| one.clone().alias(other.name.clone())));
        Self { webhook, svix, proofs }
    }

    /// What stands twice under two names is one header that stands twice, unless both are the same.
    fn of(&self, headers: &HeaderMap) -> Result<&dyn Scheme, Rejection> {
        for (one, other) in WEBHOOK.all().into_iter().zip(SVIX.all()) {
            let both = headers.contains_key(one) && headers.contains_key(other);
            if both && !headers.get_all(one).iter().eq(headers.get_all(other)) {
                return Err(Rejection::new(RejectionKind::HeaderRepeated, format!("{one} and {other} differ")));
            }
        }
        Ok(if is_svix(headers) { &*self.svix } else { &*self.webhook })
    }
}

impl Scheme for Either {
    fn name(&self) -> &'static str {
        self.webhook.name()
    }

    fn covers_body(&self) -> bool {
        self.webhook.covers_body()
    }

    fn covers_header(&self, name: &HeaderName) -> bool {
        self.webhook.covers_header(name) || self.svix.covers_header(name)
    }

    fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    fn tolerance(&self) -> Option<&Tolerance> {
        self.webhook.tolerance()
    }

    fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        self.of(headers)?.check_head(headers)
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        self.of(headers)?.open(headers, body, now)
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        self.webhook.seal(plaintext, headers, with)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.webhook.key_checks()
    }
}
