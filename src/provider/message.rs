//! The sender's side: a message, and how most providers seal it.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::profile::Profile;
use crate::scheme::{Scheme, SealError, Sealing};

/// A message to be sealed and sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The plaintext body.
    pub body: Bytes,
    /// The content type, where it is not the profile's first.
    pub content_type: Option<HeaderValue>,
    /// The idempotency key, for providers that send one in a header.
    pub idempotency_key: Option<String>,
    /// Further headers. A scheme that signs one of them finds it here.
    pub headers: HeaderMap,
    /// The method, where it is not the profile's first.
    pub method: Option<Method>,
    /// Where it is sent, where that is not the webhook's own address.
    pub target: Option<Uri>,
}

/// Without what it says: headers may be credentials.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("length", &self.body.len())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

impl Message {
    /// A message with this body.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            content_type: None,
            idempotency_key: None,
            headers: HeaderMap::new(),
            method: None,
            target: None,
        }
    }

    /// With another content type than the profile's first.
    #[must_use]
    pub fn content_type(mut self, value: HeaderValue) -> Self {
        self.content_type = Some(value);
        self
    }

    /// With a further header, before it is sealed.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// By another method than the profile's first.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// To another address than the webhook's own, such as one whose placeholders were filled in.
    #[must_use]
    pub fn target(mut self, target: Uri) -> Self {
        self.target = Some(target);
        self
    }

    /// With an idempotency key.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// Seals a message as most providers do: with its own method and content type or the profile's first, and the message's headers in
/// place before the scheme signs. [`Provider::seal`](super::Provider::seal) does just this, unless a provider has more to
/// add.
///
/// # Errors
///
/// [`SealError`] as the scheme has it.
pub fn seal(
    scheme: &dyn Scheme,
    profile: &Profile,
    message: Message,
    with: &Sealing<'_>,
) -> Result<Request<Bytes>, SealError> {
    let mut request = Request::new(Bytes::new());
    *request.headers_mut() = message.headers;
    *request.method_mut() = message.method.or_else(|| profile.methods.first().cloned()).unwrap_or(Method::POST);
    if let Some(target) = message.target {
        *request.uri_mut() = target;
    }
    let content_type =
        message.content_type.or_else(|| profile.content_types.first().copied().map(HeaderValue::from_static));
    if let Some(content_type) = content_type {
        request.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    *request.body_mut() = scheme.seal(message.body, request.headers_mut(), with)?;
    Ok(request)
}
