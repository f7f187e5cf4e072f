//! A rejection as an answer: a status, the headers that belong to it, and nothing that tells the causes apart.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use http::header::{HeaderValue, RETRY_AFTER};

use super::rest::Rest;
use crate::error::Rejection;

/// Answers with a rejection as all of this crate does: its status and headers and no body; the log is told once, and the
/// rejection rides in the extensions.
///
/// Where the request's body is not read to its end, give it to the peer by [`answer_early`](super::answer_early).
#[must_use]
pub fn reject<B: Default>(rejection: Rejection) -> Response<B> {
    crate::observe::log::rejected(&rejection);
    let mut response = Response::new(B::default());
    *response.status_mut() = rejection.status();
    let headers = response.headers_mut();
    if let Some(after) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
    for (name, value) in rejection.headers() {
        headers.append(name, value.clone());
    }
    response.extensions_mut().insert(rejection);
    response
}

/// A rejection, and what has to be waited for before it is answered.
pub(super) struct Refused {
    pub(super) rejection: Rejection,
    pub(super) rest: Rest,
}

impl Refused {
    /// It answers once.
    pub(super) fn poll<R: Default>(&mut self, cx: &mut Context<'_>) -> Poll<Response<R>> {
        Pin::new(&mut self.rest).poll(cx).map(|after| after.mark(reject(self.rejection.clone())))
    }
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
            let rejection = Rejection::new(RejectionKind::InFlight, "").retry_in(Duration::from_millis(millis));
            assert_eq!(reject::<()>(rejection).headers()[RETRY_AFTER], expected, "{millis} ms");
        }
        let longest = Rejection::new(RejectionKind::InFlight, "").retry_in(Duration::MAX);
        assert_eq!(reject::<()>(longest).headers()[RETRY_AFTER], u64::MAX.to_string());
    }

    #[test]
    fn every_kind_answers_its_status_with_no_header_of_the_cause() {
        for kind in RejectionKind::ALL {
            let response = reject::<()>(Rejection::new(*kind, "cause"));
            assert_eq!(response.status(), kind.status(), "{kind}");
            assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), *kind);
            assert!(response.headers().is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_header_that_the_status_asks_for_is_sent() {
        let rejection = Rejection::new(RejectionKind::MethodNotAllowed, "")
            .header(ALLOW, HeaderValue::from_static("POST"))
            .retry_in(Duration::from_secs(1));
        assert_eq!(reject::<()>(rejection).headers()[ALLOW], "POST");
    }
}
