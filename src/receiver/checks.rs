//! The receiver's two checks, in their fixed order: the head, and then the body.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use super::tenants::{Tenant, Tenants};
use crate::clock::Clock;
use crate::error::{Rejection, RejectionKind};
use crate::gate::{BodyCheck, BodyLimits, Exit, HeadCheck, Preparation, Verified};
use crate::layers::{BasicAuthLayer, SourceIpLayer, check_head, open};
use crate::observe::Fact;
use crate::provider::{Profile, Provider};

/// What a receiver judges by the head: address, credentials, method, content type.
#[derive(Clone, Debug)]
pub struct ReceiverHead {
    pub(crate) sources: Option<SourceIpLayer>,
    pub(crate) basic: Option<BasicAuthLayer>,
    /// Whether somebody further in looks for [`Authenticated`](crate::gate::Authenticated).
    pub(crate) leaves_evidence: bool,
    methods: Vec<Method>,
    content_types: Vec<&'static str>,
}

impl ReceiverHead {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            sources: None,
            basic: None,
            leaves_evidence: true,
            methods: profile.methods.clone(),
            content_types: profile.content_types.clone(),
        }
    }

    fn check_method(&self, method: &Method) -> Result<(), Rejection> {
        if self.methods.contains(method) {
            return Ok(());
        }
        let rejection = Rejection::new(RejectionKind::MethodNotAllowed, "the provider does not use this method");
        let allowed: Vec<_> = self.methods.iter().map(Method::as_str).collect();
        match HeaderValue::try_from(allowed.join(", ")) {
            Ok(allowed) => Err(rejection.header(ALLOW, allowed)),
            Err(_) => Err(rejection),
        }
    }

    /// A missing type is taken: the proof is in the bytes. Parameters such as a charset are not looked at.
    fn check_content_type(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
        let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let known = self.content_types.is_empty()
            || self.content_types.iter().any(|known| essence.eq_ignore_ascii_case(known.as_bytes()));
        if known {
            return Ok(());
        }
        Err(Rejection::new(RejectionKind::ContentTypeUnsupported, "the provider does not use this content type"))
    }
}

impl HeadCheck for ReceiverHead {
    fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        if let Some(sources) = &self.sources {
            sources.check(head)?;
        }
        if let Some(basic) = &self.basic {
            if self.leaves_evidence {
                basic.check(head)?;
            } else {
                basic.judge(&mut head.headers)?;
            }
        }
        self.check_method(&head.method)?;
        self.check_content_type(&head.headers)
    }
}

/// What a receiver does with a body: looks for its proof in the head, opens it when it is whole, and leaves evidence.
pub struct ReceiverBody<P> {
    pub(crate) provider: Arc<P>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) exit: Arc<Exit>,
    pub(crate) limits: BodyLimits,
    pub(crate) skip_verification: bool,
    pub(crate) tenants: Option<Tenants<P>>,
}

impl<P: Provider> BodyCheck for ReceiverBody<P> {
    fn limits(&self) -> BodyLimits {
        self.limits
    }

    fn prepare(&self, head: &Parts) -> Preparation {
        self.tenants.as_ref().map_or(Preparation::Nothing, |tenants| tenants.prepare(head))
    }

    fn check_head(&self, head: &Parts) -> Result<(), Rejection> {
        if self.skip_verification {
            return Ok(());
        }
        check_head(self.prover(head)?.scheme(), &*self.clock, head)
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
        if !self.skip_verification {
            let prover = Arc::clone(self.prover(head)?);
            let plaintext = open(prover.scheme(), &*self.clock, head, body)?;
            self.note(head);
            return Ok(plaintext);
        }
        let now = self.clock.now().ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "the clock failed"))?;
        head.extensions.insert(Verified::new("unverified", None, now));
        Ok(body)
    }
}

impl<P: Provider> ReceiverBody<P> {
    /// The provider with the keys that prove this request: the tenant's, where there are tenants, and never others.
    fn prover<'a>(&'a self, head: &'a Parts) -> Result<&'a Arc<P>, Rejection> {
        if self.tenants.is_none() {
            return Ok(&self.provider);
        }
        let tenant = head.extensions.get::<Tenant<P>>().map(|tenant| &tenant.provider);
        tenant.ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "no keys were looked up"))
    }

    /// Adds the tenant to the evidence, and reports the key.
    fn note(&self, head: &mut Parts) {
        let tenant = self.tenants.as_ref().and_then(|_| head.extensions.remove::<Tenant<P>>());
        if let Some(verified) = head.extensions.get_mut::<Verified>() {
            if let Some(tenant) = tenant {
                *verified = verified.clone().of_tenant(tenant.name);
            }
            self.exit.reporter.report(Fact::KeyUsed { scheme: verified.scheme() }, verified.key_id());
        }
    }
}

impl<P> fmt::Debug for ReceiverBody<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBody").field("limits", &self.limits).finish_non_exhaustive()
    }
}
