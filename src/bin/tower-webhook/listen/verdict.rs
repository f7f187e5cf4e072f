//! What an upstream's answer means for an event that is stored, and can come again.

use std::time::Duration;

use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use serde::de::IgnoredAny;
use tower_webhook::Rejection;
use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::Verdict;

/// By which an upstream says, on a 4xx, that no further attempt helps, and why.
const DEAD: HeaderName = HeaderName::from_static("tower-webhook-dead");
/// No event rests for longer at an upstream's word.
const LONGEST_REST: Duration = Duration::from_hours(7 * 24);

/// 2xx ends it; `tower-webhook-dead` on a 4xx ends it too; 429 and 503 may say when to come again; anything else comes
/// again by the back-off. At its word none rests for less than `least`, lest its attempts be used up in no time.
pub(super) fn of(status: StatusCode, headers: &HeaderMap, now: Option<Timestamp>, least: Duration) -> Verdict {
    if status.is_success() {
        return Verdict::Done;
    }
    let answered = || format!("the upstream answered {}", status.as_u16());
    if status.is_client_error()
        && let Some(reason) = headers.get(DEAD)
    {
        let reason = String::from_utf8_lossy(reason.as_bytes()).trim().to_owned();
        return Verdict::dead(if reason.is_empty() { answered() } else { reason });
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Verdict::Retry { after: rest(headers, now).map(|rest| rest.max(least)), reason: answered() }
        }
        _ => Verdict::retry(answered()),
    }
}

/// It was not answered at all.
pub(super) fn unanswered(rejection: &Rejection) -> Verdict {
    match std::error::Error::source(rejection) {
        Some(source) => Verdict::retry(format!("{}: {source}", rejection.detail())),
        None => Verdict::retry(rejection.detail()),
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
fn rest(headers: &HeaderMap, now: Option<Timestamp>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = match is_number {
        // Where it is no number of ours it is a large one.
        true => text.parse().map_or(LONGEST_REST, Duration::from_secs),
        false => {
            let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(then.duration_since(now?)).unwrap_or_default()
        }
    };
    Some(rest.min(LONGEST_REST))
}

/// What a body is whose sender's word for it was not kept.
pub(super) fn content_type(body: &[u8]) -> HeaderValue {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    HeaderValue::from_static(if is_json { "application/json" } else { "application/octet-stream" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(HeaderName, &'static str)]) -> Verdict {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        of(StatusCode::from_u16(status).unwrap(), &headers, Some(now), Duration::from_secs(1))
    }

    #[test]
    fn a_success_ends_it_and_so_does_a_dead_header_on_a_4xx_alone() {
        for status in [200, 202, 204, 299] {
            assert_eq!(judged(status, &[(DEAD, "no")]), Verdict::Done, "{status}");
        }
        for status in [400, 404, 410, 422, 429] {
            assert_eq!(judged(status, &[(DEAD, " no such account ")]), Verdict::dead("no such account"), "{status}");
        }
        assert_eq!(judged(422, &[(DEAD, "")]), Verdict::dead("the upstream answered 422"));
        for status in [302, 500, 503] {
            let reason = format!("the upstream answered {status}");
            assert_eq!(judged(status, &[(DEAD, "no")]), Verdict::retry(reason), "{status}");
        }
    }

    #[test]
    fn what_is_asked_for_later_by_429_and_503_comes_then_and_all_else_by_the_back_off() {
        for (status, after, rest) in [
            (429, "2", Some(2)),
            (503, "0", Some(1)),
            (429, "1", Some(1)),
            (503, "Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            (503, "Sun, 06 Nov 1994 08:49:00 GMT", Some(1)),
            (503, "99999999999999999999999", Some(7 * 24 * 3600)),
            (503, "soon", None),
            (503, "-1", None),
            (503, "", None),
            (500, "2", None),
            (404, "2", None),
            (301, "2", None),
        ] {
            let reason = format!("the upstream answered {status}");
            let expected = Verdict::Retry { after: rest.map(Duration::from_secs), reason };
            assert_eq!(judged(status, &[(RETRY_AFTER, after)]), expected, "{status} {after:?}");
        }
        assert_eq!(judged(503, &[]), Verdict::retry("the upstream answered 503"));
    }

    #[test]
    fn a_body_is_json_or_bytes() {
        for (body, word) in [("{\"a\":1}", "application/json"), ("a=b", "application/octet-stream")] {
            assert_eq!(content_type(body.as_bytes()), word, "{body}");
        }
    }
}
