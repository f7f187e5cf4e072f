//! One change of a delivery or of its endpoint, and why that would be right.

use bytes::Bytes;
use http::HeaderMap;
use tower_webhook::config::Endpoint;

use crate::explain::report::Why;

/// What is changed; the rest stays.
pub(super) struct Change {
    pub(super) why: Why,
    pub(super) headers: Option<HeaderMap>,
    pub(super) body: Option<Bytes>,
    pub(super) endpoint: Option<Endpoint>,
}

impl Change {
    pub(super) fn body(why: Why, body: impl Into<Bytes>) -> Self {
        Self { why, headers: None, body: Some(body.into()), endpoint: None }
    }

    pub(super) fn headers(why: Why, headers: HeaderMap) -> Self {
        Self { why, headers: Some(headers), body: None, endpoint: None }
    }

    pub(super) fn endpoint(why: Why, endpoint: Endpoint) -> Self {
        Self { why, headers: None, body: None, endpoint: Some(endpoint) }
    }
}
