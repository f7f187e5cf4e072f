//! Many outcomes, one answer: what the sender is told, and what is kept to tell it again.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::lease::Settled;
use super::store::StoredResponse;
use crate::error::{Rejection, RejectionKind};
use crate::gate::reject;
use crate::provider::{Acknowledgement, EventKey};

/// Says that an answer is a repeat's: the event was handled before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The keys of those events of a delivery that were handled before: in the answer's extensions, where there are any.
#[derive(Clone, Debug)]
pub struct Repeats(Vec<EventKey>);

impl Repeats {
    /// The keys, in the order of the delivery.
    #[must_use]
    pub fn keys(&self) -> &[EventKey] {
        &self.0
    }
}

/// What one event came to.
pub(crate) struct Answer<R, E> {
    key: EventKey,
    is_repeat: bool,
    result: Result<Response<R>, E>,
}

impl<R: From<Bytes> + Default, E> Answer<R, E> {
    pub(crate) fn of(key: EventKey, settled: Settled<Result<Response<R>, E>>, receiver: &Arc<str>) -> Self {
        let (is_repeat, result) = match settled {
            Settled::Ran(result) => (false, result),
            Settled::Replayed(stored) => (true, Ok(replay(&stored))),
            Settled::Acknowledged(rejection) => (false, Ok(acknowledge(None, Some(rejection)))),
            Settled::Refused(rejection) => (false, Ok(reject(rejection.received_by(Arc::clone(receiver))))),
        };
        Self { key, is_repeat, result }
    }
}

impl<R, E> Answer<R, E> {
    /// The status class, so that of several failures the sender is told one that makes it come again.
    fn urgency(&self) -> u16 {
        self.result.as_ref().map_or(u16::MAX, |response| response.status().as_u16() / 100)
    }

    fn is_done(&self) -> bool {
        self.urgency() == 2
    }

    /// Why it was not handled, although it is acknowledged.
    fn alarm(&self) -> Option<Rejection> {
        self.result.as_ref().ok()?.extensions().get().cloned()
    }
}

/// What a repeat is answered with. `None`: that takes the body, which is short enough to be kept.
pub(crate) fn without_body<R: http_body::Body>(
    response: &Response<R>,
    acknowledgement: Option<&Acknowledgement>,
) -> Option<StoredResponse> {
    if let Some(Acknowledgement { status, content_type, body }) = acknowledgement {
        return Some(StoredResponse::new(*status, content_type.clone(), body.clone()));
    }
    let body = response.body();
    let is_short = body.size_hint().exact().is_some_and(|length| length <= StoredResponse::MAX_BODY as u64);
    (body.is_end_stream() || !is_short).then(|| stored(response, Bytes::new()))
}

/// Takes a short answer's body aside, so that a repeat can be answered with it again.
pub(crate) async fn with_body<R>(response: Response<R>) -> Result<(Response<R>, StoredResponse), Rejection>
where
    R: http_body::Body<Data = Bytes> + From<Bytes>,
{
    let (head, body) = response.into_parts();
    let bytes = collect(body).await?;
    let response = Response::from_parts(head, R::from(bytes.clone()));
    let stored = stored(&response, bytes);
    Ok((response, stored))
}

fn stored<R>(response: &Response<R>, body: Bytes) -> StoredResponse {
    StoredResponse::new(response.status(), response.headers().get(CONTENT_TYPE).cloned(), body)
}

async fn collect<R: http_body::Body<Data = Bytes>>(body: R) -> Result<Bytes, Rejection> {
    let mut body = std::pin::pin!(body);
    let mut all = Bytes::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let broken = |_| Rejection::new(RejectionKind::HandlerFailed, "the handler's answer broke off");
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        all = if all.is_empty() { data } else { [all, data].concat().into() };
    }
    Ok(all)
}

/// The answer of a delivery of one event.
pub(crate) fn answer_one<R, E>(
    acknowledgement: Option<&Acknowledgement>,
    answer: Answer<R, E>,
) -> Result<Response<R>, E>
where
    R: From<Bytes> + Default,
{
    if answer.is_repeat {
        return answer.result.map(|response| with_repeats(response, vec![answer.key]));
    }
    match acknowledgement {
        Some(_) if answer.is_done() => Ok(acknowledge(acknowledgement, answer.alarm())),
        _ => answer.result,
    }
}

/// One answer for several events: 2xx when all are done, else the most urgent failure. When all are done that can be
/// read, the rejection of the rest.
pub(crate) fn answer_all<R, E>(
    acknowledgement: Option<&Acknowledgement>,
    answers: Vec<Answer<R, E>>,
    unreadable: Option<&Rejection>,
) -> Result<Response<R>, E>
where
    R: From<Bytes> + Default,
{
    let repeats: Vec<_> = answers.iter().filter(|answer| answer.is_repeat).map(|answer| answer.key.clone()).collect();
    let only_repeats = !answers.is_empty() && repeats.len() == answers.len() && unreadable.is_none();
    let alarm = answers.iter().find_map(Answer::alarm);
    let worst = answers.into_iter().filter(|answer| !answer.is_done()).max_by_key(Answer::urgency);
    let mut response = match (worst, unreadable) {
        (Some(worst), _) => worst.result?,
        (None, Some(rejection)) => reject(rejection.clone()),
        (None, None) => acknowledge(acknowledgement, alarm),
    };
    if only_repeats {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(with_repeats(response, repeats))
}

fn with_repeats<R>(mut response: Response<R>, repeats: Vec<EventKey>) -> Response<R> {
    if !repeats.is_empty() {
        response.extensions_mut().insert(Repeats(repeats));
    }
    response
}

/// What the provider reads as a success. An alarm says of an event that it was not handled.
fn acknowledge<R>(acknowledgement: Option<&Acknowledgement>, alarm: Option<Rejection>) -> Response<R>
where
    R: From<Bytes> + Default,
{
    let mut response = match acknowledgement {
        Some(Acknowledgement { status, content_type, body }) => respond(*status, content_type.as_ref(), body),
        None => Response::default(),
    };
    if let Some(alarm) = alarm {
        response.extensions_mut().insert(alarm);
    }
    response
}

fn replay<R: From<Bytes> + Default>(stored: &StoredResponse) -> Response<R> {
    let mut response = respond(stored.status(), stored.content_type(), stored.body());
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn respond<R: From<Bytes>>(status: StatusCode, content_type: Option<&HeaderValue>, body: &Bytes) -> Response<R> {
    let mut response = Response::new(R::from(body.clone()));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    }
    response
}
