//! Many outcomes, one answer: what the sender is told, and what is kept to tell it again.

use std::future::poll_fn;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::lease::Settled;
use super::store::StoredResponse;
use crate::error::{Rejection, RejectionKind};
use crate::gate::refusal;
use crate::provider::Acknowledgement;

/// Says that an answer is a repeat's: the event was handled before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What one event came to: the inner service's own answer, the remembered one, or a refusal.
pub(crate) type Answer<R, E> = Settled<Result<Response<R>, E>>;

/// Takes a short answer's body aside, so that a repeat can be answered with it again.
pub(crate) async fn remember<R>(
    response: Response<R>,
    acknowledgement: Option<&Acknowledgement>,
) -> Result<(Response<R>, StoredResponse), Rejection>
where
    R: http_body::Body<Data = Bytes> + From<Bytes>,
{
    if let Some(Acknowledgement { status, content_type, body }) = acknowledgement {
        return Ok((response, StoredResponse::new(*status, content_type.clone(), body.clone())));
    }
    let (head, body) = response.into_parts();
    let content_type = head.headers.get(CONTENT_TYPE).cloned();
    let is_short = body.size_hint().exact().is_some_and(|length| length <= StoredResponse::MAX_BODY as u64);
    if !is_short {
        let stored = StoredResponse::new(head.status, content_type, Bytes::new());
        return Ok((Response::from_parts(head, body), stored));
    }
    let bytes = collect(body).await?;
    let stored = StoredResponse::new(head.status, content_type, bytes.clone());
    Ok((Response::from_parts(head, R::from(bytes)), stored))
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
    match (answer, acknowledgement) {
        (Settled::Ran(Ok(response)), Some(acknowledgement)) if response.status().is_success() => {
            Ok(acknowledge(Some(acknowledgement)))
        }
        (Settled::Ran(answer), _) => answer,
        (Settled::Replayed(stored), _) => Ok(replay(&stored)),
        (Settled::Refused(rejection), _) => Ok(refusal(rejection)),
    }
}

/// One answer for several events: 2xx when all are done, else the most urgent failure.
pub(crate) fn answer_all<R, E>(
    acknowledgement: Option<&Acknowledgement>,
    answers: Vec<Answer<R, E>>,
) -> Result<Response<R>, E>
where
    R: From<Bytes> + Default,
{
    let all_replayed = !answers.is_empty() && answers.iter().all(|answer| matches!(answer, Settled::Replayed(_)));
    match answers.into_iter().filter(|answer| urgency(answer) > 2).max_by_key(urgency) {
        Some(worst) => answer_one(None, worst),
        None => {
            let mut response = acknowledge(acknowledgement);
            if all_replayed {
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            }
            Ok(response)
        }
    }
}

/// The status class, so that of several failures the sender is told one that makes it come again.
fn urgency<R, E>(answer: &Answer<R, E>) -> u16 {
    match answer {
        Settled::Ran(Ok(response)) => response.status().as_u16() / 100,
        Settled::Replayed(_) => 2,
        Settled::Refused(rejection) => rejection.status().as_u16() / 100,
        Settled::Ran(Err(_)) => u16::MAX,
    }
}

fn acknowledge<R: From<Bytes> + Default>(acknowledgement: Option<&Acknowledgement>) -> Response<R> {
    match acknowledgement {
        Some(Acknowledgement { status, content_type, body }) => respond(*status, content_type.as_ref(), body),
        None => Response::default(),
    }
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
