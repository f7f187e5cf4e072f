//! What a repeat is answered with.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::provider::Acknowledgement;

/// The answer that a repeat gets again: status, content type, and a short body.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredResponse(Option<Box<Acknowledgement>>); // `None`: an empty 200, as most are

static EMPTY: Bytes = Bytes::new();

impl StoredResponse {
    /// The longest body that is stored, in bytes. A longer one is not.
    pub const MAX_BODY: usize = 4096;

    /// A response to remember. A body over [`MAX_BODY`](Self::MAX_BODY) is left out.
    #[must_use]
    pub fn new(status: StatusCode, content_type: Option<HeaderValue>, body: Bytes) -> Self {
        let body = if body.len() > Self::MAX_BODY { Bytes::new() } else { body };
        let response = Acknowledgement { status, content_type, body };
        Self((response != Acknowledgement::default()).then(|| Box::new(response)))
    }

    /// What is remembered of an event that was done. `None`: an empty 200.
    pub(crate) fn of(remember: Option<Box<Acknowledgement>>) -> Self {
        remember.map_or(Self(None), |remember| Self::from(*remember))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.as_ref().map_or(StatusCode::OK, |response| response.status)
    }

    /// The type of the body, where there is one.
    #[must_use]
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.0.as_ref()?.content_type.as_ref()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.0.as_ref().map_or(&EMPTY, |response| &response.body)
    }
}

impl From<Acknowledgement> for StoredResponse {
    fn from(acknowledgement: Acknowledgement) -> Self {
        Self::new(acknowledgement.status, acknowledgement.content_type, acknowledgement.body)
    }
}
