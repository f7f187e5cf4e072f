//! A receiver's checks, in their fixed order: who sends, by the head; then the proof in the head; then the body.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use super::candidate::Candidate;
use super::head::ReceiverHead;
use super::tenants::{Tenant, Tenants};
use crate::clock::Clock;
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Body, BodyCheck, BodyLimits, Compression, Exit, Preparation, Verified};
use crate::layers::{check_head, open};
use crate::observe::Fact;
use crate::provider::Provider;

/// What a receiver does with a request: judges who sends it by the head, looks there for the body's proof, opens the body when
/// it is whole, and leaves evidence.
pub struct ReceiverCheck<P> {
    pub(super) head: ReceiverHead,
    pub(super) provider: Arc<P>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) exit: Arc<Exit>,
    pub(super) limits: BodyLimits,
    pub(super) compression: Compression,
    pub(super) skip_verification: bool,
    pub(super) tenants: Option<Tenants<P>>,
    pub(super) candidate: Option<Candidate>,
}

impl<P: Provider> BodyCheck for ReceiverCheck<P> {
    fn limits(&self) -> BodyLimits {
        self.limits
    }

    fn compression(&self) -> Compression {
        self.compression
    }

    fn prepare(&self, head: &mut Parts) -> Preparation {
        if let Err(rejection) = self.head.check(head) {
            return Preparation::Ready(Err(rejection));
        }
        self.tenants.as_ref().map_or(Preparation::Nothing, |tenants| tenants.prepare(head))
    }

    fn check_ahead(&self, head: &Parts) -> Result<(), Rejection> {
        if self.skip_verification {
            return Ok(());
        }
        let prover = self.looked_up(head)?.unwrap_or(&self.provider);
        check_head(prover.scheme(), head)
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        let Some(candidate) = &self.candidate else { return self.decide(head, body) };
        // What is refused by its head is not tried, whether or not its body had to be waited for.
        self.check_ahead(head)?;
        let decided = self.decide(head, body.clone());
        let said = decided.as_ref().map(Body::bytes);
        candidate.compare(&self.exit, &*self.clock, (head, body), said);
        candidate.leave_outside(head, self.provider.scheme());
        decided
    }
}

impl<P: Provider> ReceiverCheck<P> {
    fn decide(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        if self.skip_verification {
            let now =
                self.clock.now().ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "the clock failed"))?;
            let verified = self.of_tenant(head, Verified::new("unverified", None, now));
            return Ok(Body::proved(body, verified));
        }
        let prover = self.looked_up(head)?.unwrap_or(&self.provider);
        let (plaintext, verified) = open(prover.scheme(), &*self.clock, head, body)?;
        let verified = self.of_tenant(head, verified);
        self.exit.reporter.report(Fact::KeyUsed { scheme: verified.scheme() }, verified.key_id());
        Ok(Body::proved(plaintext, verified))
    }

    /// The provider with the keys of the request's tenant, where keys are looked up.
    fn looked_up<'a>(&self, head: &'a Parts) -> Result<Option<&'a Arc<P>>, Rejection> {
        if self.tenants.is_none() {
            return Ok(None);
        }
        let misassembled = |detail| Err(Rejection::new(RejectionKind::Misassembled, detail));
        match head.extensions.get::<Tenant<P>>() {
            None => misassembled("no keys were looked up"),
            // Credentials are of all tenants together, and a name that no key has proved is anybody's word.
            Some(tenant) if !tenant.provider.scheme().proves_sender() => {
                misassembled("no key proves whose tenant it is")
            }
            Some(tenant) => Ok(Some(&tenant.provider)),
        }
    }

    /// Adds the tenant to the evidence.
    fn of_tenant(&self, head: &mut Parts, verified: Verified) -> Verified {
        let tenant = self.tenants.as_ref().and_then(|_| head.extensions.remove::<Tenant<P>>());
        match tenant {
            Some(tenant) => verified.of_tenant(tenant.name),
            None => verified,
        }
    }
}

impl<P> fmt::Debug for ReceiverCheck<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverCheck").field("limits", &self.limits).finish_non_exhaustive()
    }
}
