//! What a receiver judges by the head alone.

use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use crate::error::{Rejection, RejectionKind};
use crate::gate::HeadCheck as _;
use crate::layers::{BasicAuthLayer, RateLimitLayer, SourceIpLayer};
use crate::provider::Profile;

/// What a receiver judges by the head: address, how often, credentials, method, content type.
#[derive(Clone, Debug)]
pub(super) struct ReceiverHead {
    pub(super) sources: Option<SourceIpLayer>,
    pub(super) rate: Option<RateLimitLayer>,
    pub(super) basic: Option<BasicAuthLayer>,
    /// Whether somebody further in looks for [`Authenticated`](crate::gate::Authenticated).
    pub(super) leaves_evidence: bool,
    methods: Vec<Method>,
    content_types: Vec<&'static str>,
}

impl ReceiverHead {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            sources: None,
            rate: None,
            basic: None,
            leaves_evidence: true,
            methods: profile.methods.clone(),
            content_types: profile.content_types.clone(),
        }
    }

    /// In this order.
    pub(super) fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        if let Some(sources) = &self.sources {
            sources.check(head)?;
        }
        if let Some(rate) = &self.rate {
            rate.check(head)?;
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
        if self.content_types.is_empty() {
            return Ok(());
        }
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
        let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if self.content_types.iter().any(|known| essence.eq_ignore_ascii_case(known.as_bytes())) {
            return Ok(());
        }
        Err(Rejection::new(RejectionKind::ContentTypeUnsupported, "the provider does not use this content type"))
    }
}
