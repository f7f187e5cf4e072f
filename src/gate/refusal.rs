//! A rejection as an answer: a status, the headers that belong to it, and nothing that tells the causes apart.

use std::time::Duration;

use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::error::Rejection;

/// Answers with a rejection as all of this crate does: its status and headers and no body; the log is told once, and the
/// rejection rides in the extensions.
#[must_use]
pub fn refusal<B: Default>(rejection: Rejection) -> Response<B> {
    crate::trace::refused(&rejection);
    let mut response = Response::new(B::default());
    *response.status_mut() = rejection.status();
    let headers = response.headers_mut();
    if let Some(after) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
    if let Some((name, value)) = rejection.header() {
        headers.insert(name, value.clone());
    }
    // There may be an unread rest of the body in the connection, so that nothing else can follow.
    if matches!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.extensions_mut().insert(rejection);
    response
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use http::header::ALLOW;

    use super::*;
    use crate::error::RejectionKind;

    #[test]
    fn retry_after_is_in_whole_seconds_and_never_too_early() {
        for (millis, expected) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2"), (30_000, "30")] {
            let rejection = Rejection::new(RejectionKind::InFlight, "").with_retry_after(Duration::from_millis(millis));
            assert_eq!(refusal::<()>(rejection).headers()[RETRY_AFTER], expected, "{millis} ms");
        }
        let longest = Rejection::new(RejectionKind::InFlight, "").with_retry_after(Duration::MAX);
        assert_eq!(refusal::<()>(longest).headers()[RETRY_AFTER], u64::MAX.to_string());
    }

    #[test]
    fn every_kind_answers_its_status_with_no_header_of_the_cause() {
        for kind in RejectionKind::ALL {
            let response = refusal::<()>(Rejection::new(*kind, "cause"));
            assert_eq!(response.status(), kind.status(), "{kind}");
            assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), *kind);
            let closes = matches!(kind.status().as_u16(), 408 | 413);
            assert_eq!(response.headers().len(), usize::from(closes), "{kind}");
            assert_eq!(response.headers().contains_key(CONNECTION), closes, "{kind}");
        }
    }

    #[test]
    fn a_header_that_the_status_asks_for_is_sent() {
        let rejection = Rejection::new(RejectionKind::MethodNotAllowed, "")
            .with_header(ALLOW, HeaderValue::from_static("POST"))
            .with_retry_after(Duration::from_secs(1));
        assert_eq!(refusal::<()>(rejection).headers()[ALLOW], "POST");
    }
}
