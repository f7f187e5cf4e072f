//! A tower service as whoever takes events: the only file in which requests are built from events, and outcomes read from
//! responses.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tower_service::Service;

use super::inner::{Answer, Handled, Inner, Job};
use crate::error::{BoxError, Rejection, RejectionKind};
use crate::gate::{Body, ResponseBody, tell_length};
use crate::provider::Acknowledgement;

/// The longest body of an inner answer that is remembered for repeats, in bytes. A longer one is left out for them.
const MAX_REMEMBERED: u64 = 4096;

/// A tower service behind a layer: one request per event, whose body is the event's JSON.
#[derive(Clone)]
pub struct Requests<S>(pub(crate) S);

impl<S: fmt::Debug> fmt::Debug for Requests<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E, S, R> Inner<E> for Requests<S>
where
    E: Clone + Send + Sync + 'static,
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    const TAKES_REQUESTS: bool = true;
    const TAKES_BATCHES: bool = false;

    type Error = S::Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn seats(self, events: usize) -> impl Iterator<Item = Self> + Send {
        // The first event uses up the readiness; a clone that waits for its own must not wait for that one.
        let spare = (events > 1).then(|| self.clone());
        let mut ready = Some(self);
        (0..events).filter_map(move |_| ready.take().or_else(|| spare.clone()))
    }

    async fn handle(self, mut job: Job<E>) -> Handled<Answer<S::Error>> {
        let Self(mut service) = self;
        let acknowledgement = job.acknowledgement.take();
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return broken(error);
        }
        let response = match service.call(request(job)).await {
            Ok(response) => response.map(ResponseBody::new),
            Err(error) => return broken(error),
        };
        if !response.status().is_success() {
            return not_done(response);
        }
        let answered = |response| Answer::Service(Ok(Box::new(response)), None);
        if let Some(remember) = acknowledgement.or_else(|| without_body(&response).map(Box::new)) {
            return Handled::Done { answer: answered(response), remember: Some(remember) };
        }
        match Box::pin(with_body(response)).await {
            Ok((response, remember)) => {
                Handled::Done { answer: answered(response), remember: Some(Box::new(remember)) }
            }
            Err(rejection) => Handled::NotDone { answer: Answer::Rejected(rejection), delay: Duration::ZERO },
        }
    }
}

/// The inner request of one event: the delivery's head, the event's JSON.
fn request<E: Clone + Send + Sync + 'static>(job: Job<E>) -> Request<Body> {
    let Job { received, head, .. } = job;
    let mut request = match head {
        Some(head) => Request::from_parts(*head, ()),
        None => Request::new(()),
    };
    let raw = received.delivery().raw().clone();
    tell_length(request.headers_mut(), raw.len());
    request.extensions_mut().insert(received.delivery().clone());
    request.extensions_mut().insert(received);
    request.map(|()| Body::from(raw))
}

fn broken<E>(error: E) -> Handled<Answer<E>> {
    let why = Rejection::new(RejectionKind::HandlerFailed, "the service behind the layer failed");
    Handled::NotDone { answer: Answer::Service(Err(error), Some(why)), delay: Duration::ZERO }
}

/// An answer that is no success is passed on. Where it came of a rejection that asks for a pause, the key rests so long.
fn not_done<E>(response: Response<ResponseBody>) -> Handled<Answer<E>> {
    let status = response.status();
    let why = response.extensions().get::<Rejection>().cloned().unwrap_or_else(|| {
        Rejection::new(RejectionKind::HandlerFailed, format!("the service behind the layer answered {status}"))
    });
    let delay = why.retry_after().unwrap_or_default();
    Handled::NotDone { answer: Answer::Service(Ok(Box::new(response)), Some(why)), delay }
}

/// What a repeat is answered with. `None`: that takes the body, which is short enough to be kept.
fn without_body(response: &Response<ResponseBody>) -> Option<Acknowledgement> {
    let body = response.body();
    let is_short = body.size_hint().exact().is_some_and(|length| length <= MAX_REMEMBERED);
    (body.is_end_stream() || !is_short).then(|| remembered(response, Bytes::new()))
}

/// Takes a short answer's body aside, so that a repeat can be answered with it again.
async fn with_body(response: Response<ResponseBody>) -> Result<(Response<ResponseBody>, Acknowledgement), Rejection> {
    let (head, body) = response.into_parts();
    let bytes = collect(body).await?;
    let response = Response::from_parts(head, ResponseBody::from(bytes.clone()));
    let remember = remembered(&response, bytes);
    Ok((response, remember))
}

fn remembered(response: &Response<ResponseBody>, body: Bytes) -> Acknowledgement {
    let content_type: Option<HeaderValue> = response.headers().get(CONTENT_TYPE).cloned();
    Acknowledgement { status: response.status(), content_type, body }
}

async fn collect(body: ResponseBody) -> Result<Bytes, Rejection> {
    let broken =
        |error| Rejection::new(RejectionKind::HandlerFailed, "the handler's answer broke off").caused_by(error);
    Ok(body.collect().await.map_err(broken)?.to_bytes())
}
