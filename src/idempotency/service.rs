//! The service behind [`IdempotencyLayer`](super::IdempotencyLayer): a delivery in, its events through claims, one answer out.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower_service::Service;

use super::answer::{Came, answer_all, answer_one};
use super::lease::{Claims, Grant, Settled};
use super::store::DedupeStore;
use crate::delivery::{
    Admission, Admitted, Answer, Common, Entered, Fingerprint, InHand, Inner, Job, KeyHash, Namespace, Timed, all,
};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Body, Exit, ResponseBody, Verified, is_long, offload};
use crate::observe::{Fact, Scope};
use crate::provider::{Decoded, Provider};

/// The service of an [`IdempotencyLayer`](super::IdempotencyLayer).
pub struct Idempotency<P, D, I> {
    engine: Arc<Engine<P, D>>,
    inner: I,
}

pub(crate) struct Engine<P, D> {
    pub(crate) admission: Admission<P>,
    pub(crate) claims: Claims<D>,
    pub(crate) namespace: Namespace,
    pub(crate) batch_concurrency: usize,
}

impl<P, D, I> Idempotency<P, D, I> {
    pub(crate) fn new(engine: Arc<Engine<P, D>>, inner: I) -> Self {
        Self { engine, inner }
    }
}

impl<P, D, I: Clone> Clone for Idempotency<P, D, I> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), inner: self.inner.clone() }
    }
}

impl<P, D, I: fmt::Debug> fmt::Debug for Idempotency<P, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<P, D, I> Service<Request<Body>> for Idempotency<P, D, I>
where
    P: Provider,
    D: DedupeStore,
    I: Inner<P::Event>,
{
    type Response = Response<ResponseBody>;
    type Error = I::Error;
    type Future = ResponseFuture<I::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone is not ready, the service that was polled is:
        // https://docs.rs/tower-service/latest/tower_service/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let (head, body) = request.into_parts();
        let running = |work| ResponseFuture(State::Running { work, exit: Arc::clone(&self.engine.admission.exit) });
        if is_long(body.len()) {
            return running(self.engine.deliver_long(head, body, ready));
        }
        // Before it looks whether a drain has begun, so that none is over between that and its work.
        let entered = self.engine.admission.drain.enter();
        match self.engine.admission.admit(head, body, I::TAKES_REQUESTS) {
            Ok(admitted) => running(self.engine.deliver(entered, admitted, ready)),
            Err(response) => ResponseFuture(State::Rejected(Some(response))),
        }
    }
}

/// One event, and the head for who takes requests. Boxed, as it stood in its list: every future between here and the handler
/// would have room for it.
struct Task<E> {
    head: Option<Box<Parts>>,
    event: Box<[Decoded<E>; 1]>,
}

impl<E> Task<E> {
    fn event(&self) -> &Decoded<E> {
        let [event] = &*self.event;
        event
    }
}

impl<P: Provider, D: DedupeStore> Engine<P, D> {
    /// Admits and delivers a long plaintext, which is decoded off the runtime's threads.
    fn deliver_long<I: Inner<P::Event>>(
        self: &Arc<Self>,
        head: Parts,
        body: Body,
        ready: I,
    ) -> InHand<Result<Response<ResponseBody>, I::Error>> {
        let engine = Arc::clone(self);
        let verified = body.evidence().or_else(|| head.extensions.get()).cloned();
        let traced = body.traced().clone();
        InHand::new(self.admission.drain.enter(), traced.clone(), || async move {
            let (there, length) = (Arc::clone(&engine), body.len());
            let admit = move || traced.inside(|| there.admission.admit(head, body, I::TAKES_REQUESTS));
            match offload(length, admit).await {
                Ok(Ok(admitted)) => {
                    let delivered = engine.deliver(engine.admission.drain.enter(), admitted, ready).await;
                    delivered.unwrap_or_else(|_| Ok(panicked(&engine.admission.exit)))
                }
                Ok(Err(response)) => Ok(*response),
                Err(rejection) => {
                    let key_id = verified.as_ref().and_then(Verified::key_id);
                    Ok(engine.admission.exit.reject(rejection, key_id))
                }
            }
        })
    }

    /// Runs every event.
    fn deliver<I: Inner<P::Event>>(
        self: &Arc<Self>,
        entered: Entered,
        admitted: Admitted<P::Event>,
        ready: I,
    ) -> InHand<Result<Response<ResponseBody>, I::Error>> {
        let engine = Arc::clone(self);
        let Admitted { head, events, common } = admitted;
        let traced = common.traced.clone();
        let only = if common.unreadable.is_none() { <Box<[_; 1]>>::try_from(events) } else { Err(events) };
        match only {
            Ok(event) => {
                let task = Task { head, event };
                InHand::new(entered, traced, || async move {
                    let Some(seat) = ready.seats(1).next() else { return Ok(panicked(&engine.admission.exit)) };
                    let came = engine.run(&common, task, seat).await;
                    answer_one(&engine.admission.exit, common, came)
                })
            }
            Err(events) => InHand::new(entered, traced, || engine.deliver_all(head, events, common, ready)),
        }
    }

    async fn deliver_all<I: Inner<P::Event>>(
        self: Arc<Self>,
        head: Option<Box<Parts>>,
        events: Vec<Decoded<P::Event>>,
        common: Common,
        ready: I,
    ) -> Result<Response<ResponseBody>, I::Error> {
        // The events that come after one whose store did not answer do not wait for it again.
        let (engine, common_to_all, store_away) = (&self, &common, &OnceLock::new());
        let count = events.len();
        let runs = events.into_iter().zip(ready.seats(count)).map(move |(event, seat)| {
            engine.run_beside_others(
                common_to_all,
                store_away,
                Task { head: head.clone(), event: Box::new([event]) },
                seat,
            )
        });
        // Who waits for all of them must get all of them.
        let at_a_time = if I::TAKES_BATCHES { count.max(1) } else { self.batch_concurrency };
        let came = all(runs, at_a_time).await;
        answer_all(&self.admission.exit, common, came)
    }

    /// Claims an event from the store, unless the store was found away by another event of the delivery.
    async fn run_beside_others<I: Inner<P::Event>>(
        &self,
        common: &Common,
        store_away: &OnceLock<Rejection>,
        task: Task<P::Event>,
        seat: I,
    ) -> Came<I::Error> {
        if let Some(rejection) = store_away.get() {
            return (task.event().key.clone(), Settled::Refused(rejection.clone()));
        }
        let came = self.run(common, task, seat).await;
        if let Some(rejection) = came.1.store_away() {
            store_away.get_or_init(|| rejection.clone());
        }
        came
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` has what it was given twice")]
    fn run<I: Inner<P::Event>>(
        &self,
        common: &Common,
        task: Task<P::Event>,
        seat: I,
    ) -> impl Future<Output = Came<I::Error>> + Send {
        async move {
            let event_key = task.event().key.clone();
            let key = match common.verified().tenant() {
                None => self.namespace.key(&event_key),
                Some(tenant) => self.namespace.of_tenant(tenant).key(&event_key),
            };
            common.traced.keyed(key.as_bytes());
            let fingerprint = Fingerprint::of(task.event().identity);
            let (scope, mut attempt) = (common.scope(), 0);
            let settled = {
                let (scope, attempt) = (&scope, &mut attempt);
                let work = move |grant: Grant| {
                    *attempt = grant.fence.map_or(0, NonZeroU64::get);
                    common.traced.claimed(grant.fence);
                    let Task { head, event } = task;
                    let [event] = *event;
                    let received = self.admission.received(common, event, grant.fence, grant.lost);
                    let job = Job { received, head, acknowledgement: common.acknowledgement.clone() };
                    Timed::new(common.hand(job, seat), scope, grant.at)
                };
                self.claims.run(&key, &fingerprint, scope, work).await
            };
            report(&scope, &key, attempt, &settled);
            (event_key, settled)
        }
    }
}

fn panicked(exit: &Exit) -> Response<ResponseBody> {
    exit.reject(Rejection::new(RejectionKind::HandlerFailed, "the delivery ended in a panic"), None)
}

fn report<E>(scope: &Scope<'_>, key: &KeyHash, attempt: u64, settled: &Settled<Answer<E>>) {
    let fact = match settled {
        Settled::Done(_) => Fact::Handled,
        Settled::Replayed(_) => Fact::Replayed,
        Settled::Refused(rejection)
        | Settled::NotDone(Answer::Rejected(rejection) | Answer::Service(_, Some(rejection))) => {
            Fact::Failed(rejection)
        }
        // Reported where it was found.
        Settled::Acknowledged(_) | Settled::NotDone(_) => return,
    };
    scope.report_of(key.as_bytes(), attempt, fact);
}

/// The answer of a delivery. Dropping it cancels nothing: what is not done goes on in a task of its own, in the tokio
/// runtime that the service was called in.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<E: 'static>(State<E>);

enum State<E: 'static> {
    Running { work: InHand<Result<Response<ResponseBody>, E>>, exit: Arc<Exit> },
    Rejected(Option<Box<Response<ResponseBody>>>),
}

impl<E> Future for ResponseFuture<E> {
    type Output = Result<Response<ResponseBody>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Running { work, exit } => {
                Pin::new(work).poll(cx).map(|ended| ended.unwrap_or_else(|_| Ok(panicked(exit))))
            }
            State::Rejected(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(*response)),
                None => Poll::Pending,
            },
        }
    }
}

impl<E> fmt::Debug for ResponseFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
