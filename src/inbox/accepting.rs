//! [`Accepting`]: a proved delivery in, its events on disk, one answer out.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response};
use tokio::time::timeout;
use tower_service::Service;

use super::entries::Entries;
use super::store::{Accepted, InboxError, InboxErrorKind, InboxStore, NewEvent};
use crate::clock::Clock;
use crate::delivery::{Admission, Admitted, Common, InHand, KeyHash, acknowledge, mark_replayed, prove};
use crate::error::{Rejection, RejectionKind};
use crate::fail_point::reach;
use crate::gate::{Body, Exit, ResponseBody, Verified, is_long, offload};
use crate::observe::Fact;
use crate::provider::{Provider, Retries};

/// How long a store may take. Beyond it the sender is asked to come again, and finds out then what became of its delivery.
const WITHIN: Duration = Duration::from_secs(10);
/// When a sender may try again whose delivery could not be stored, and how long its tries are to last.
const SOON: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(10));
/// The same where there is no room.
const LATER: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// Nobody is asked to wait for longer.
const LONGEST: Duration = Duration::from_mins(10);

/// The service that stores events, behind a receiver's checks.
pub struct Accepting<P: Provider, S>(Arc<Engine<P, S>>);

pub(crate) struct Engine<P: Provider, S> {
    pub(crate) admission: Admission<P>,
    pub(crate) store: S,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entries: Entries<P::Event>,
}

impl<P: Provider, S> Accepting<P, S> {
    pub(crate) fn new(engine: Engine<P, S>) -> Self {
        Self(Arc::new(engine))
    }
}

impl<P: Provider, S> Clone for Accepting<P, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Provider, S> fmt::Debug for Accepting<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepting").finish_non_exhaustive()
    }
}

impl<P: Provider, S: InboxStore> Service<Request<Body>> for Accepting<P, S> {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = AcceptFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> AcceptFuture {
        let (head, body) = request.into_parts();
        let engine = Arc::clone(&self.0);
        let traced = body.traced().clone();
        let exit = Arc::clone(&engine.admission.exit);
        // Before it looks whether a drain has begun, so that none is over between that and its work.
        let entered = engine.admission.drain.enter();
        if is_long(body.len()) {
            return AcceptFuture(State::Running {
                work: InHand::new(entered, traced, || engine.take_long(head, body)),
                exit,
            });
        }
        match engine.admission.admit(head, body, false) {
            Ok(admitted) => {
                AcceptFuture(State::Running { work: InHand::new(entered, traced, || engine.accept(admitted)), exit })
            }
            Err(response) => AcceptFuture(State::Rejected(Some(response))),
        }
    }
}

impl<P: Provider, S: InboxStore> Engine<P, S> {
    /// A long plaintext is decoded off the runtime's threads.
    async fn take_long(self: Arc<Self>, head: Parts, body: Body) -> Response<ResponseBody> {
        let verified = body.evidence().or_else(|| head.extensions.get()).cloned();
        let (there, length, traced) = (Arc::clone(&self), body.len(), body.traced().clone());
        let admit = move || traced.inside(|| there.admission.admit(head, body, false));
        match offload(length, admit).await {
            Ok(Ok(admitted)) => self.accept(admitted).await,
            Ok(Err(response)) => *response,
            Err(rejection) => self.admission.exit.reject(rejection, verified.as_ref().and_then(Verified::key_id)),
        }
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` has what it was given twice")]
    fn accept(self: Arc<Self>, admitted: Admitted<P::Event>) -> impl Future<Output = Response<ResponseBody>> + Send {
        async move {
            let (exit, common) = (&self.admission.exit, &admitted.common);
            let Some(now) = self.clock.now() else {
                let rejection = Rejection::new(RejectionKind::Misassembled, "the clock failed");
                return exit.reject(rejection, common.verified().key_id());
            };
            let entries = self.entries.of(admitted.events, common, &exit.reporter, now);
            match self.store(entries, now, common).await {
                Ok(accepted) => answer(exit, admitted.common, &accepted),
                Err(error) => {
                    common.scope().report(Fact::StoreDown(&error));
                    let rejection = unavailable(error, &self.admission.provider.profile().retries);
                    let mut response = exit.reject(rejection, common.verified().key_id());
                    prove(&mut response, admitted.common.evidence);
                    response
                }
            }
        }
    }

    /// Stores all of them or none, and reports of each what it is.
    async fn store(
        &self,
        entries: Vec<NewEvent>,
        now: jiff::Timestamp,
        common: &Common,
    ) -> Result<Vec<Accepted>, InboxError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        #[cfg(feature = "testing")]
        if let Some(witness) = &common.witness {
            entries.iter().for_each(|entry| witness.storing(&entry.key, &entry.readable_key));
        }
        let keys: Vec<KeyHash> = entries.iter().map(|entry| entry.key).collect();
        let copies = self.entries.told.as_ref().map(|told| (told, entries.clone()));
        let late = |_| InboxError::new(InboxErrorKind::Unavailable).caused_by("it took too long to store a delivery");
        reach!(Admitted);
        let accepted = timeout(WITHIN, self.store.accept(entries, now)).await.map_err(late)??;
        reach!(Stored);
        if accepted.len() != keys.len() {
            let odd = "the engine did not say of each event what it is";
            return Err(InboxError::new(InboxErrorKind::Unavailable).caused_by(odd));
        }
        for (key, accepted) in keys.iter().zip(&accepted) {
            common.traced.keyed(key.as_bytes());
            common.scope().report_of(key.as_bytes(), 0, fact(*accepted));
        }
        if let Some((told, copies)) = copies {
            copies.iter().zip(&accepted).for_each(|(entry, accepted)| told(entry, *accepted));
        }
        Ok(accepted)
    }
}

fn fact(accepted: Accepted) -> Fact<'static> {
    match accepted {
        Accepted::Stored(id) => Fact::Stored { id: id.0 },
        Accepted::Duplicate(_) => Fact::Replayed,
        Accepted::Quarantined(id) => Fact::Quarantined { id: id.0 },
    }
}

fn unavailable(error: InboxError, retries: &Retries) -> Rejection {
    let (least, span) = if error.kind() == InboxErrorKind::Full { LATER } else { SOON };
    let after = spread(retries, span).clamp(least, LONGEST);
    Rejection::new(RejectionKind::StoreUnavailable, "the delivery could not be stored").retry_in(after).caused_by(error)
}

/// A wait by which a sender's tries last for so long, even one that waits so instead of by its own ladder. A short outage must
/// not use them up, since after the last some senders switch the receiver off. Nothing, where tries are not counted.
fn spread(retries: &Retries, span: Duration) -> Duration {
    match u32::try_from(retries.steps.len()) {
        Ok(steps) if steps > 0 && retries.then_every.is_none() => span / steps,
        _ => Duration::ZERO,
    }
}

/// A success, since all that can be read is on disk; or the rejection of what cannot be.
fn answer(exit: &Exit, common: Common, accepted: &[Accepted]) -> Response<ResponseBody> {
    let mut response = match &common.unreadable {
        Some(rejection) => exit.reject(rejection.clone(), common.verified().key_id()),
        None => acknowledge(common.acknowledgement.as_deref()),
    };
    let is_repeat = |accepted: &Accepted| matches!(accepted, Accepted::Duplicate(_));
    if common.unreadable.is_none() && !accepted.is_empty() && accepted.iter().all(is_repeat) {
        mark_replayed(&mut response);
    }
    prove(&mut response, common.evidence);
    response
}

/// The answer of a delivery that is stored. Dropping it cancels nothing: what is not done goes on in a task of its own, in
/// the tokio runtime that the service was called in.
#[must_use = "futures do nothing unless polled"]
pub struct AcceptFuture(State);

enum State {
    Running { work: InHand<Response<ResponseBody>>, exit: Arc<Exit> },
    Rejected(Option<Box<Response<ResponseBody>>>),
}

impl Future for AcceptFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Running { work, exit } => {
                let panicked = || Rejection::new(RejectionKind::HandlerFailed, "the delivery ended in a panic");
                Pin::new(work).poll(cx).map(|ended| Ok(ended.unwrap_or_else(|_| exit.reject(panicked(), None))))
            }
            State::Rejected(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(*response)),
                None => Poll::Pending,
            },
        }
    }
}

impl fmt::Debug for AcceptFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries by a ladder of so many steps, and the seconds to wait: away, and full.
    #[test]
    fn a_sender_that_waits_as_it_is_asked_has_tries_left_for_an_outage() {
        let minute = Duration::from_mins(1);
        let ladder = |steps: usize| Retries::steps(vec![minute; steps]);
        for (retries, away, full) in [
            (Retries::unpublished(minute), 5, 60),
            (ladder(1), 600, 600),
            (ladder(4), 150, 600),
            (ladder(8), 75, 450),
            (ladder(200), 5, 60),
            (ladder(8).then_every(minute, 600 * minute), 5, 60),
        ] {
            for (kind, seconds) in [(InboxErrorKind::Unavailable, away), (InboxErrorKind::Full, full)] {
                let rejection = unavailable(InboxError::new(kind), &retries);
                assert_eq!(rejection.retry_after(), Some(Duration::from_secs(seconds)), "{kind:?} {retries:?}");
            }
        }
    }
}
