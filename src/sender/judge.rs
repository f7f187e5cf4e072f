//! What a provider makes of an answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, StatusCode};

use super::notification::Came;
use super::profile::DeliveryProfile;
use super::transport::{Answer, NoAnswer};
use crate::provider::{Acknowledgement, Delivered, Message, Provider};

pub(crate) fn judge(
    profile: &DeliveryProfile,
    expected: Option<&Acknowledgement>,
    answer: Result<Answer, NoAnswer>,
) -> Came {
    let Answer { status, body, .. } = match answer {
        Ok(answer) => answer,
        Err(no_answer) => return Came::Nothing(no_answer),
    };
    let counts = match profile.delivered {
        Delivered::OkOnly => status == StatusCode::OK,
        Delivered::AnySuccess => status.is_success(),
    };
    match (counts, expected) {
        (false, _) => Came::Refused(status),
        (true, Some(expected)) if !says_the_same(&body, &expected.body) => Came::Unacknowledged(status),
        (true, _) => Came::Delivered(status),
    }
}

/// What the answer has to say, where the provider reads it.
pub(crate) fn expected<P: Provider>(
    profile: &DeliveryProfile,
    provider: &P,
    request: &Request<Bytes>,
    message: &Message,
) -> Option<Acknowledgement> {
    if !profile.reads_acknowledgement {
        return None;
    }
    let events = provider.decode(request.headers(), message.body.clone()).ok()?;
    provider.acknowledge(&events)
}

/// Whole seconds. A date is no wait that a sender under another clock could keep.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// As JSON, where both are.
fn says_the_same(answer: &[u8], expected: &[u8]) -> bool {
    let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    answer == expected || value(answer).is_some_and(|answer| Some(answer) == value(expected))
}
