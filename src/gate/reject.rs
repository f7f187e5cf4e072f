//! A rejection as an answer: a status, the headers that belong to it, and nothing that tells the causes apart.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use http::header::{HeaderValue, RETRY_AFTER};
use tokio::time::Instant;

use super::response_body::ResponseBody;
use super::rest::Rest;
use crate::error::Rejection;
use crate::observe::{Fact, Reporter};

/// The answer to a rejected delivery: the status and headers of the rejection and no body; the rejection rides in the
/// extensions. It reports to nobody.
///
/// Where the request's body is not read to its end, give it to the peer by [`answer_early`](super::answer_early).
#[must_use]
#[cold]
pub fn reject<B: Default>(rejection: Rejection) -> Response<B> {
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

/// Shapes the answers to rejected deliveries, for a sender or a gateway that wants a body or a header of its own.
///
/// # Security
///
/// The peer of a rejected delivery may be anybody. What the answer says beyond its status should depend on nothing that
/// tells a wrong key from a wrong signature; [`Rejection::detail`] is for the log.
pub trait Responder: Send + Sync + 'static {
    /// Takes the answer as it would be sent, with the status and headers of the rejection and no body, and returns the one
    /// to send. A status of success is not taken: it is replaced by the rejection's, since the sender would forget the
    /// event.
    fn respond(&self, rejection: &Rejection, answer: Response<ResponseBody>) -> Response<ResponseBody>;
}

/// The way out for rejections: reported once, and shaped where somebody wants to.
#[derive(Clone)]
pub(crate) struct Exit {
    pub(crate) reporter: Reporter,
    pub(crate) responder: Option<Arc<dyn Responder>>,
    /// How long the provider waits for an answer, where that is known.
    pub(crate) answer_within: Option<Duration>,
}

impl Exit {
    /// Of a layer that stands alone.
    pub(crate) fn alone() -> Self {
        Self { reporter: Reporter::alone(), responder: None, answer_within: None }
    }

    /// When a delivery came, where anybody wants to know how long it takes.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.reporter.is_heard().then(Instant::now)
    }

    /// It was answered.
    pub(super) fn answered(&self, begun: Option<Instant>) {
        if let Some(begun) = begun {
            let (after, within) = (begun.elapsed(), self.answer_within);
            self.reporter.report(Fact::Answered { after, within }, None);
        }
    }

    /// Answers a delivery none of whose events ran.
    #[cold]
    pub(crate) fn reject(&self, rejection: Rejection, key_id: Option<&str>) -> Response<ResponseBody> {
        self.reporter.report(Fact::Rejected(&rejection), key_id);
        self.answer(rejection)
    }

    /// The same for what has been reported.
    #[cold]
    pub(crate) fn answer(&self, rejection: Rejection) -> Response<ResponseBody> {
        let receiver = self.reporter.receiver();
        let named = if receiver.is_empty() { rejection } else { rejection.received_by(Arc::clone(receiver)) };
        let Some(responder) = &self.responder else { return reject(named) };
        let mut answer = responder.respond(&named, reject(named.clone()));
        if answer.status().is_success() {
            *answer.status_mut() = named.status();
        }
        answer.extensions_mut().insert(named);
        answer
    }
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exit").field("reporter", &self.reporter).finish_non_exhaustive()
    }
}

/// A rejection, and what has to be waited for before it is answered.
pub(super) struct Rejected {
    pub(super) rejection: Rejection,
    pub(super) rest: Rest,
}

impl Rejected {
    /// It answers once.
    pub(super) fn poll(&mut self, exit: &Exit, cx: &mut Context<'_>) -> Poll<Response<ResponseBody>> {
        Pin::new(&mut self.rest).poll(cx).map(|after| after.mark(exit.reject(self.rejection.clone(), None)))
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
