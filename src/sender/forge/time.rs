//! Deliveries of another time, and proofs of another delivery.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::provider::{Message, Provider};
use crate::scheme::{Scheme, SealError, Sealing};

/// The message as it was sealed so long before this time. `None`: the provider's scheme proves no time, or takes one of that age,
/// so that there is nothing to refuse.
///
/// # Errors
///
/// As [`Provider::seal`], and where there is no such time.
pub fn stale<P: Provider>(
    provider: &P,
    message: Message,
    with: &Sealing<'_>,
    age: Duration,
) -> Result<Option<Request<Bytes>>, SealError> {
    if provider.scheme().tolerance().is_none_or(|tolerance| age <= tolerance.max_past()) {
        return Ok(None);
    }
    let then = with.now.checked_sub(age).map_err(|_| SealError::Unencodable)?;
    provider.seal(message, &Sealing::new(then, with.entropy)).map(Some)
}

/// The message as it will be sealed so long after this time, which nobody honest can know. `None` as for [`stale`].
///
/// # Errors
///
/// As [`stale`].
pub fn early<P: Provider>(
    provider: &P,
    message: Message,
    with: &Sealing<'_>,
    ahead: Duration,
) -> Result<Option<Request<Bytes>>, SealError> {
    if provider.scheme().tolerance().is_none_or(|tolerance| ahead <= tolerance.max_future()) {
        return Ok(None);
    }
    let then = with.now.checked_add(ahead).map_err(|_| SealError::Unencodable)?;
    provider.seal(message, &Sealing::new(then, with.entropy)).map(Some)
}

/// What is just about not taken any more.
const BEYOND: Duration = Duration::from_secs(60);

/// [`stale`] by a minute.
pub(crate) fn just_stale<P: Provider>(
    provider: &P,
    message: Message,
    with: &Sealing<'_>,
) -> Result<Option<Request<Bytes>>, SealError> {
    let Some(tolerance) = provider.scheme().tolerance() else { return Ok(None) };
    stale(provider, message, with, tolerance.max_past().saturating_add(BEYOND))
}

/// [`early`] by a minute.
pub(crate) fn just_early<P: Provider>(
    provider: &P,
    message: Message,
    with: &Sealing<'_>,
) -> Result<Option<Request<Bytes>>, SealError> {
    let Some(tolerance) = provider.scheme().tolerance() else { return Ok(None) };
    early(provider, message, with, tolerance.max_future().saturating_add(BEYOND))
}

/// The head of one delivery, with all that proves it, over the body of another. `None`: the scheme does not cover the body, or
/// both have the same.
#[must_use]
pub fn spliced(head: &Request<Bytes>, body: &Request<Bytes>, scheme: &dyn Scheme) -> Option<Request<Bytes>> {
    let differs = scheme.covers_body() && head.body() != body.body();
    differs.then(|| head.clone().map(|_| body.body().clone()))
}
