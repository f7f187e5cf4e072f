//! A provider that is tried beside the one that decides.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use crate::clock::Clock;
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Exit, Verified};
use crate::layers::{check_head, open};
use crate::observe::Fact;
use crate::provider::Provider;
use crate::scheme::Scheme;

/// Whose proof is tried, whatever its events are.
trait Proves: Send + Sync {
    fn scheme(&self) -> &dyn Scheme;
}

impl<P: Provider> Proves for P {
    fn scheme(&self) -> &dyn Scheme {
        Provider::scheme(self)
    }
}

/// It decides nothing: what it finds is reported.
#[derive(Clone)]
pub(super) struct Candidate(Arc<dyn Proves>);

impl Candidate {
    pub(super) fn new(provider: impl Provider) -> Self {
        Self(Arc::new(provider))
    }

    /// Tries it on a delivery that is proved to say this, or that is refused.
    pub(super) fn compare(
        &self,
        exit: &Exit,
        clock: &dyn Clock,
        (head, body): (&Parts, Bytes),
        decided: Result<&Bytes, &Rejection>,
    ) {
        let scheme = self.0.scheme();
        let name = scheme.name();
        match (self.opened(clock, head, body, decided.ok()), decided) {
            (Ok(verified), _) => {
                let fact = Fact::CandidateFits { scheme: name, is_proved: decided.is_ok() };
                exit.reporter.report(fact, verified.key_id());
            }
            (Err(rejection), Ok(_)) => {
                exit.reporter.report(Fact::CandidateRefuses { scheme: name, rejection: &rejection }, None);
            }
            // Nobody takes it: a stranger's.
            (Err(_), Err(_)) => {}
        }
    }

    /// Takes what proves it out of a head, as nobody's business further in, unless the one that decides looks there too.
    pub(super) fn leave_outside(&self, head: &mut Parts, deciding: &dyn Scheme) {
        for name in self.0.scheme().proof_headers() {
            if !deciding.proof_headers().contains(name) {
                head.headers.remove(name);
            }
        }
    }

    fn opened(
        &self,
        clock: &dyn Clock,
        head: &Parts,
        body: Bytes,
        said: Option<&Bytes>,
    ) -> Result<Verified, Rejection> {
        check_head(self.0.scheme(), head)?;
        let (plaintext, verified) = open(self.0.scheme(), clock, head, body)?;
        match said.is_none_or(|said| *said == plaintext) {
            true => Ok(verified),
            false => Err(Rejection::new(RejectionKind::PayloadMalformed, "it opens the body to something else")),
        }
    }
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Candidate").field(&self.0.scheme().name()).finish()
    }
}
