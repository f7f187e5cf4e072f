//! What a repeat is answered with.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::provider::Acknowledgement;

/// The answer that a repeat gets again: status, content type, and a short body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredResponse {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl StoredResponse {
    /// The longest body that is stored, in bytes. A longer one is not.
    pub const MAX_BODY: usize = 4096;

    /// A response to remember. A body over [`MAX_BODY`](Self::MAX_BODY) is left out.
    #[must_use]
    pub fn new(status: StatusCode, content_type: Option<HeaderValue>, body: Bytes) -> Self {
        let body = if body.len() > Self::MAX_BODY { Bytes::new() } else { body };
        Self { status, content_type, body }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The type of the body, where there is one.
    #[must_use]
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.content_type.as_ref()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl From<Acknowledgement> for StoredResponse {
    fn from(acknowledgement: Acknowledgement) -> Self {
        Self::new(acknowledgement.status, acknowledgement.content_type, acknowledgement.body)
    }
}
