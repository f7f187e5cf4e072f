//! What a provider reads when its delivery is done.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

/// What a provider is sent when its delivery is done.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// A 2xx.
    pub status: StatusCode,
    /// The type of the body, where there is one.
    pub content_type: Option<HeaderValue>,
    /// Mostly empty.
    pub body: Bytes,
}

impl Acknowledgement {
    /// A 200 with this body.
    #[must_use]
    pub fn new(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { content_type: Some(content_type), body: body.into(), ..Self::default() }
    }
}

/// An empty 200.
impl Default for Acknowledgement {
    fn default() -> Self {
        Self { status: StatusCode::OK, content_type: None, body: Bytes::new() }
    }
}
