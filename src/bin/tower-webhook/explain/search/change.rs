//! What is changed, and why that would be right.

use bytes::Bytes;
use http::HeaderMap;
use tower_webhook::config::Endpoint;

use crate::explain::report::Why;

/// The delivery, changed.
pub(super) struct Variant {
    pub(super) why: Why,
    pub(super) headers: Option<HeaderMap>,
    pub(super) body: Option<Bytes>,
}

impl Variant {
    pub(super) fn of_body(why: Why, body: impl Into<Bytes>) -> Self {
        Self { why, headers: None, body: Some(body.into()) }
    }

    pub(super) fn of_headers(why: Why, headers: HeaderMap) -> Self {
        Self { why, headers: Some(headers), body: None }
    }
}

/// The endpoint, changed.
pub(super) struct Setting {
    pub(super) why: Why,
    pub(super) endpoint: Endpoint,
}
