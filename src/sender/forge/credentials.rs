//! Deliveries without the credentials that go with them, or with others.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};

/// `storm:not-the-password`
const WRONG: HeaderValue = HeaderValue::from_static("Basic c3Rvcm06bm90LXRoZS1wYXNzd29yZA==");

/// Without its credentials. `None`: it has none.
pub(crate) fn without_credentials(sealed: &Request<Bytes>) -> Option<Request<Bytes>> {
    let mut request = sealed.clone();
    request.headers_mut().remove(AUTHORIZATION)?;
    Some(request)
}

/// With Basic credentials that nobody has, in place of its own. `None`: it has none.
pub(crate) fn with_wrong_password(sealed: &Request<Bytes>) -> Option<Request<Bytes>> {
    let mut request = without_credentials(sealed)?;
    request.headers_mut().insert(AUTHORIZATION, WRONG);
    Some(request)
}
