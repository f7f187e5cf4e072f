//! How a whole body is opened: by its check, and where it is compressed before that or behind it.

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;

use super::budget::Hold;
use super::collect::overloaded;
use super::{Body, BodyCheck, Compression};
use crate::error::{Rejection, RejectionKind};
use crate::fail_point::reach;

/// On how many bytes there is work to do.
pub(super) fn work(check: &impl BodyCheck, headers: &HeaderMap, body: &Bytes) -> usize {
    let compression = check.compression();
    match compression.applies(headers) {
        true => compression.longest(body.len(), check.limits().max_bytes),
        false => body.len(),
    }
}

/// A whole body, as its check and its compression have it.
pub(super) fn open(check: &impl BodyCheck, head: &mut Parts, body: Bytes, hold: &mut Hold) -> Result<Body, Rejection> {
    let compression = check.compression();
    let body = match compression.applies(&head.headers) {
        true => open_compressed(check, compression, head, body, hold)?,
        false => check.check(head, body)?,
    };
    reach!(Opened);
    Ok(body)
}

/// What comes out is counted beside what came: both are there.
fn open_compressed(
    check: &impl BodyCheck,
    compression: Compression,
    head: &mut Parts,
    body: Bytes,
    hold: &mut Hold,
) -> Result<Body, Rejection> {
    let most = check.limits().max_bytes;
    let body = compression.before(body, most)?;
    let body = check.check(head, body)?;
    let body = compression.after(&mut head.headers, body, most)?;
    if !hold.may_grow(body.len()) {
        let detail = "longer, beside what it was compressed to, than the budget of bytes in flight";
        return Err(Rejection::new(RejectionKind::BodyTooLarge, detail));
    }
    if hold.grow(body.len()) { Ok(body) } else { Err(overloaded()) }
}
