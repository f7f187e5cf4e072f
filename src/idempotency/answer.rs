//! Many events, one answer: what the sender of a delivery gets.

use http::{Response, StatusCode};

use super::lease::Settled;
use super::store::StoredResponse;
use crate::delivery::{Answer, Common, acknowledge, mark_replayed, prove, respond};
use crate::error::Rejection;
use crate::gate::{Exit, ResponseBody};
use crate::provider::EventKey;

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

/// What came of one event.
pub(crate) type Came<E> = (EventKey, Settled<Answer<E>>);

/// The answer of a delivery of one event.
pub(crate) fn answer_one<E>(exit: &Exit, common: Common, came: Came<E>) -> Result<Response<ResponseBody>, E> {
    let (key, settled) = came;
    let acknowledgement = common.acknowledgement.as_deref();
    let mut response = match settled {
        Settled::Done(Answer::Service(result, _)) if acknowledgement.is_none() => *result?,
        Settled::Done(_) => acknowledge(acknowledgement),
        Settled::Replayed(stored) => with_repeats(replay(stored), vec![key]),
        Settled::Acknowledged(alarm) => alarmed(acknowledge(acknowledgement), alarm),
        Settled::NotDone(answer) => refuse(exit, answer)?,
        Settled::Refused(rejection) => exit.answer(rejection),
    };
    prove(&mut response, common.evidence);
    Ok(response)
}

/// One answer for several events: 2xx when all are done, else the most urgent failure. When all are done that can be
/// read, the rejection of the rest.
pub(crate) fn answer_all<E>(exit: &Exit, common: Common, came: Vec<Came<E>>) -> Result<Response<ResponseBody>, E> {
    let (mut repeats, mut alarm, mut worst) = (Vec::new(), None, None);
    let count = came.len();
    for (key, settled) in came {
        match settled {
            Settled::Done(_) => {}
            Settled::Replayed(_) => repeats.push(key),
            Settled::Acknowledged(rejection) => alarm = alarm.or(Some(rejection)),
            settled => worst = more_urgent(worst, settled),
        }
    }
    let only_repeats = count > 0 && repeats.len() == count && common.unreadable.is_none();
    let mut response = match (worst, &common.unreadable) {
        (Some(Settled::NotDone(answer)), _) => refuse(exit, answer)?,
        (Some(Settled::Refused(rejection)), _) => exit.answer(rejection),
        (_, Some(rejection)) => exit.reject(rejection.clone(), common.verified().key_id()),
        (_, None) => acknowledge(common.acknowledgement.as_deref()),
    };
    if let Some(alarm) = alarm.filter(|_| response.status().is_success()) {
        response = alarmed(response, alarm);
    }
    if only_repeats {
        mark_replayed(&mut response);
    }
    prove(&mut response, common.evidence);
    Ok(with_repeats(response, repeats))
}

/// Of several failures the sender gets one that makes it come again; of two that do, the last.
fn more_urgent<E>(worst: Option<Settled<Answer<E>>>, next: Settled<Answer<E>>) -> Option<Settled<Answer<E>>> {
    match worst {
        Some(worst) if urgency(&worst) > urgency(&next) => Some(worst),
        _ => Some(next),
    }
}

/// The class of the status, and above all an error of the service's own.
fn urgency<E>(settled: &Settled<Answer<E>>) -> u16 {
    let class = |status: StatusCode| status.as_u16() / 100;
    match settled {
        Settled::Refused(rejection) | Settled::NotDone(Answer::Rejected(rejection)) => class(rejection.status()),
        Settled::NotDone(Answer::Service(Ok(response), _)) => class(response.status()),
        _ => u16::MAX,
    }
}

/// The answer for an event that ran and is not done.
fn refuse<E>(exit: &Exit, answer: Answer<E>) -> Result<Response<ResponseBody>, E> {
    match answer {
        Answer::Service(result, _) => result.map(|response| *response),
        Answer::Rejected(rejection) => Ok(exit.answer(rejection)),
        Answer::Acknowledged => Ok(exit.answer(undone())),
    }
}

fn undone() -> Rejection {
    Rejection::new(crate::error::RejectionKind::HandlerFailed, "the event is not done")
}

fn with_repeats(mut response: Response<ResponseBody>, repeats: Vec<EventKey>) -> Response<ResponseBody> {
    if !repeats.is_empty() {
        response.extensions_mut().insert(Repeats(repeats));
    }
    response
}

/// An alarm says of an event that it was not handled.
fn alarmed(mut response: Response<ResponseBody>, alarm: Rejection) -> Response<ResponseBody> {
    response.extensions_mut().insert(alarm);
    response
}

fn replay(stored: StoredResponse) -> Response<ResponseBody> {
    let body = ResponseBody::from(stored.body().clone());
    let mut response = respond(stored.status(), stored.content_type().cloned(), body);
    mark_replayed(&mut response);
    response
}
