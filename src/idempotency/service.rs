//! The service behind [`IdempotencyLayer`](super::IdempotencyLayer): a delivery in, its events through claims, one answer out.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Request, Response};
use tower_service::Service;

use super::answer::{Answer, answer_all, answer_one, with_body, without_body};
use super::lease::{Claims, Grant, Settled, Work};
use super::store::DedupeStore;
use crate::delivery::Drain;
use crate::delivery::InHand;
use crate::delivery::{Delivery, Inner, Received};
use crate::delivery::{Fingerprint, Namespace};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Body, Verified, is_long, leave_outside, offload, reject, tell_length};
use crate::observe::log;
use crate::provider::{Acknowledgement, Decoded, Provider};

/// The service of an [`IdempotencyLayer`](super::IdempotencyLayer).
pub struct Idempotency<P, D, S> {
    engine: Arc<Engine<P, D>>,
    inner: S,
}

pub(crate) struct Engine<P, D> {
    /// The receiver's name.
    pub(crate) receiver: Arc<str>,
    pub(crate) provider: Arc<P>,
    pub(crate) claims: Claims<D>,
    pub(crate) namespace: Namespace,
    pub(crate) batch_concurrency: usize,
    pub(crate) drain: Drain,
    /// Whether the inner service finds the delivery beside the event.
    pub(crate) leaves_delivery: bool,
}

impl<P, D, S> Idempotency<P, D, S> {
    pub(crate) fn new(engine: Arc<Engine<P, D>>, inner: S) -> Self {
        Self { engine, inner }
    }
}

impl<P, D, S: Clone> Clone for Idempotency<P, D, S> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), inner: self.inner.clone() }
    }
}

impl<P, D, S: fmt::Debug> fmt::Debug for Idempotency<P, D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<P, D, S, R> Service<Request<Body>> for Idempotency<P, D, S>
where
    P: Provider,
    D: DedupeStore,
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone is not ready, the service that was polled is:
        // https://docs.rs/tower-service/latest/tower_service/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let (head, body) = request.into_parts();
        let plaintext = body.into_bytes();
        if is_long(plaintext.len()) {
            return ResponseFuture(State::Running(self.engine.deliver_long(head, plaintext, ready)));
        }
        match self.engine.admit(head, &plaintext) {
            Ok(batch) => ResponseFuture(State::Running(self.engine.deliver(batch, ready))),
            Err(rejection) => ResponseFuture(State::Refused(Some(Box::new(self.engine.refuse(rejection))))),
        }
    }
}

/// A delivery that has been decoded.
struct Batch<E> {
    head: Parts,
    events: Vec<Decoded<E>>,
    shared: Shared,
}

/// One event and the head that it will have. Boxed: every future between here and the handler would have room for it.
struct Job<E> {
    head: Parts,
    event: Decoded<E>,
}

/// What all events of a delivery have in common.
struct Shared {
    verified: Verified,
    /// What the provider must read, where it reads more than a status.
    acknowledgement: Option<Acknowledgement>,
    /// What is answered once all of them are done, where some events of the delivery cannot be read.
    unreadable: Option<Rejection>,
    /// Why an event of the delivery could not be claimed from a store that is away: the others do not wait for it again.
    store_away: OnceLock<Rejection>,
}

impl<P: Provider, D: DedupeStore> Engine<P, D> {
    fn admit(&self, mut head: Parts, plaintext: &Bytes) -> Result<Batch<P::Event>, Rejection> {
        if self.drain.has_begun() {
            return Err(Rejection::new(RejectionKind::Draining, "the receiver drains").retry_in(SOON));
        }
        if self.receiver.is_empty() {
            return Err(Rejection::new(RejectionKind::Misassembled, "the receiver has no name"));
        }
        let Some(verified) = head.extensions.get::<Verified>().cloned() else {
            return Err(Rejection::new(RejectionKind::Misassembled, "no verification in front of dedupe"));
        };
        let events = self.provider.decode(&head.headers, plaintext)?;
        let most = self.provider.profile().max_events;
        if events.count() > most {
            return Err(Rejection::new(RejectionKind::TooManyEvents, format!("more than {most} events")));
        }
        log::absent(self.provider.profile().name, events.absent());
        let unreadable = events.rejection();
        let acknowledgement = match unreadable {
            Some(rejection) if events.is_empty() => return Err(rejection),
            _ => self.provider.acknowledge(&events),
        };
        let events: Vec<_> = events.into_iter().collect();
        if self.leaves_delivery {
            self.make_inner(&mut head);
        }
        Ok(Batch {
            head,
            events,
            shared: Shared { verified, acknowledgement, unreadable, store_away: OnceLock::new() },
        })
    }

    fn refuse<R: Default>(&self, rejection: Rejection) -> Response<R> {
        reject(rejection.received_by(Arc::clone(&self.receiver)))
    }

    /// What services further in see of the head: nothing of the proof, and the type of an event.
    fn make_inner(&self, head: &mut Parts) {
        leave_outside(head, self.provider.scheme().proof_headers());
        if let Some(content_type) = self.provider.event_content_type() {
            head.headers.insert(CONTENT_TYPE, content_type);
        }
    }

    /// Admits and delivers a long plaintext, which is decoded off the runtime's threads.
    fn deliver_long<S, R>(
        self: &Arc<Self>,
        head: Parts,
        plaintext: Bytes,
        ready: S,
    ) -> InHand<Result<Response<R>, S::Error>>
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Send + 'static,
        R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send + 'static,
    {
        let engine = Arc::clone(self);
        InHand::new(self.drain.track(async move {
            let there = Arc::clone(&engine);
            let admitted = offload(plaintext.len(), move || there.admit(head, &plaintext)).await;
            match admitted.and_then(|batch| batch) {
                Ok(batch) => engine.deliver(batch, ready).await.unwrap_or_else(|_| Ok(engine.refuse(panicked()))),
                Err(rejection) => Ok(engine.refuse(rejection)),
            }
        }))
    }

    /// Runs every event.
    fn deliver<S, R>(self: &Arc<Self>, batch: Batch<P::Event>, ready: S) -> InHand<Result<Response<R>, S::Error>>
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Send + 'static,
        R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send + 'static,
    {
        let Batch { head, events, shared } = batch;
        let engine = Arc::clone(self);
        let only = if shared.unreadable.is_none() { <[_; 1]>::try_from(events) } else { Err(events) };
        match only {
            Ok([event]) => {
                let job = Box::new(Job { head, event });
                InHand::new(self.drain.track(async move {
                    let answer = engine.run(&shared, job, ready).await;
                    answer_one(shared.acknowledgement.as_ref(), answer)
                }))
            }
            Err(events) => InHand::new(self.drain.track(engine.deliver_all(Batch { head, events, shared }, ready))),
        }
    }

    async fn deliver_all<S, R>(self: Arc<Self>, batch: Batch<P::Event>, ready: S) -> Result<Response<R>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone + Send,
        S::Future: Send,
        S::Error: Send,
        R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send,
    {
        let Batch { head, events, shared } = batch;
        // The first event uses up the readiness; a clone that waits for its own must not wait for that one.
        let spare = ready.clone();
        let mut ready = Some(ready);
        let (engine, shared) = (&self, &shared);
        let runs = events.into_iter().map(move |event| {
            let service = ready.take().unwrap_or_else(|| spare.clone());
            engine.run(shared, Box::new(Job { head: head.clone(), event }), service)
        });
        let answers = futures_util::stream::iter(runs).buffered(self.batch_concurrency).collect().await;
        answer_all(shared.acknowledgement.as_ref(), answers, shared.unreadable.as_ref())
    }

    async fn run<S, R>(&self, shared: &Shared, job: Box<Job<P::Event>>, service: S) -> Answer<R, S::Error>
    where
        S: Service<Request<Body>, Response = Response<R>> + Send,
        S::Future: Send,
        S::Error: Send,
        R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send,
    {
        let event_key = job.event.key.clone();
        let key = self.namespace.key(&event_key);
        let fingerprint = Fingerprint::of(job.event.identity);
        let work = |grant| self.call(shared, job, service, grant);
        let settled = match shared.store_away.get() {
            Some(rejection) => Settled::Refused(rejection.clone()),
            None => self.claims.run(&key, &fingerprint, work).await,
        };
        if let Some(rejection) = settled.store_away() {
            shared.store_away.get_or_init(|| rejection.clone());
        }
        Answer::of(event_key, settled, &self.receiver)
    }

    async fn call<S, R>(
        &self,
        shared: &Shared,
        job: Box<Job<P::Event>>,
        mut service: S,
        grant: Grant,
    ) -> Work<Result<Response<R>, S::Error>>
    where
        S: Service<Request<Body>, Response = Response<R>> + Send,
        S::Future: Send,
        S::Error: Send,
        R: http_body::Body<Data = Bytes> + From<Bytes> + Default + Send,
    {
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return Work::NotDone { answer: Err(error), delay: Duration::ZERO };
        }
        let response = match service.call(self.request(shared, *job, grant)).await {
            Ok(response) => response,
            Err(error) => return Work::NotDone { answer: Err(error), delay: Duration::ZERO },
        };
        if !response.status().is_success() {
            return Work::NotDone { delay: asked_delay(&response), answer: Ok(response) };
        }
        if let Some(remember) = without_body(&response, shared.acknowledgement.as_ref()) {
            return Work::Done { answer: Ok(response), remember };
        }
        match Box::pin(with_body(response)).await {
            Ok((response, remember)) => Work::Done { answer: Ok(response), remember },
            Err(rejection) => Work::NotDone { answer: Ok(self.refuse(rejection)), delay: Duration::ZERO },
        }
    }

    /// The inner request of one event: the delivery's head, the event's JSON.
    fn request(&self, shared: &Shared, job: Job<P::Event>, grant: Grant) -> Request<Body> {
        let Job { mut head, event } = job;
        let delivery = Delivery::new(Inner {
            receiver: Arc::clone(&self.receiver),
            provider: self.provider.profile().name,
            verified: shared.verified.clone(),
            key: event.key,
            occurred_at: event.occurred_at,
            raw: event.raw.clone(),
            fence: grant.fence,
            lost: grant.lost,
        });
        tell_length(&mut head.headers, event.raw.len());
        if self.leaves_delivery {
            head.extensions.insert(delivery.clone());
        }
        head.extensions.insert(Received::new(event.event, delivery));
        Request::from_parts(head, Body::from(event.raw))
    }
}

/// For rejections that pass soon.
const SOON: Duration = Duration::from_secs(5);

/// How long the key is to rest, when the handler asked for a later try.
fn asked_delay<R>(response: &Response<R>) -> Duration {
    response.extensions().get::<Rejection>().and_then(Rejection::retry_after).unwrap_or_default()
}

fn panicked() -> Rejection {
    Rejection::new(RejectionKind::HandlerFailed, "the delivery ended in a panic")
}

/// The answer of a delivery. Dropping it cancels nothing: what is not done goes on in a task of its own, in the tokio
/// runtime that the service was called in.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<R: 'static, E: 'static>(State<R, E>);

enum State<R: 'static, E: 'static> {
    Running(InHand<Result<Response<R>, E>>),
    Refused(Option<Box<Response<R>>>),
}

impl<R: Default, E> Future for ResponseFuture<R, E> {
    type Output = Result<Response<R>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Running(work) => {
                Pin::new(work).poll(cx).map(|ended| ended.unwrap_or_else(|_| Ok(reject(panicked()))))
            }
            State::Refused(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(*response)),
                None => Poll::Pending,
            },
        }
    }
}

impl<R, E> fmt::Debug for ResponseFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
