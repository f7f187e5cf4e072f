//! The shell for a check that needs the whole body.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::EXPECT;
use http::request::Parts;
use http::{Extensions, Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::budget::{BodyBudget, Hold};
use super::collect::Collect;
use super::framing::unambiguous;
use super::offload::{is_long, offload};
use super::open::{open, work};
use super::reject::{Exit, Rejected};
use super::response_body::ResponseBody;
use super::rest::{After, Rest};
use super::{Body, BodyCheck, Preparation};
use crate::error::{BoxError, Rejection};
use crate::fail_point::{arm, reach};
use crate::observe::Traced;

/// Reads the whole body within the limits of a [`BodyCheck`], asks it, and calls the inner service with a
/// [`Body`] that is all there.
///
/// Rejected are a body over the limit (413, at once; what the sender is still writing is read on and thrown away for a
/// while, so that it gets to see the answer), one for which the [`BodyBudget`] has no room (503), one that is not complete
/// within its deadline (408), one that breaks off, and any content encoding but `identity` (415; a sender that says `UTF-8`
/// there means no encoding, and [`Compression`](super::Compression) may take gzip). Trailers are ignored. A body whose end
/// can be read in two ways, such as one that is chunked twice, is refused before it is read (400).
///
/// A body of more than 256 KiB is checked on a thread for blocking work, at most as many at a time as there are cores. A
/// panic of the check is a rejection there (500).
///
/// It needs a tokio runtime with its timer.
///
/// # Example
///
/// ```
/// use std::{convert::Infallible, sync::Arc};
///
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode, request::Parts};
/// use tower::{ServiceExt, service_fn};
/// use tower_webhook::Rejection;
/// use tower_webhook::gate::{Body, BodyCheck, BodyGate, BodyLimits};
///
/// struct Short;
///
/// impl BodyCheck for Short {
///     fn limits(&self) -> BodyLimits {
///         BodyLimits::default().max_bytes(5)
///     }
///
///     fn check(&self, _: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
///         Ok(body.into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Infallible> {
/// let echo = service_fn(|request: Request<Body>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
/// let service = BodyGate::new(Arc::new(Short), echo);
///
/// let short = service.clone().oneshot(Request::new("12345".to_owned())).await?;
/// assert_eq!(short.into_body().whole().unwrap(), "12345");
///
/// let long = service.oneshot(Request::new("123456".to_owned())).await?;
/// assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct BodyGate<C, S> {
    shared: Arc<Shared<C>>,
    inner: S,
}

/// What all requests have in common.
#[derive(Debug)]
struct Shared<C> {
    check: Arc<C>,
    budget: BodyBudget,
    exit: Arc<Exit>,
}

impl<C: BodyCheck, S> BodyGate<C, S> {
    /// Puts a check in front of a service.
    #[must_use]
    pub fn new(check: Arc<C>, inner: S) -> Self {
        arm!();
        let budget = BodyBudget::for_bodies_of(check.limits().max_bytes);
        Self { shared: Arc::new(Shared { check, budget, exit: Arc::new(Exit::alone()) }), inner }
    }

    /// Counts the bytes of bodies in this budget, together with whoever else has it. Default: one for this gate and its
    /// clones, [`BodyBudget::for_bodies_of`] its limit.
    #[must_use]
    pub fn budget(self, budget: &BodyBudget) -> Self {
        let Shared { check, exit, .. } = &*self.shared;
        let (check, budget, exit) = (Arc::clone(check), budget.clone(), Arc::clone(exit));
        Self { shared: Arc::new(Shared { check, budget, exit }), ..self }
    }

    /// With this way out for rejections.
    pub(crate) fn exit(self, exit: &Arc<Exit>) -> Self {
        let Shared { check, budget, .. } = &*self.shared;
        let (check, budget, exit) = (Arc::clone(check), budget.clone(), Arc::clone(exit));
        Self { shared: Arc::new(Shared { check, budget, exit }), ..self }
    }
}

impl<C, S: Clone> Clone for BodyGate<C, S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), inner: self.inner.clone() }
    }
}

impl<C, S, B, R> Service<Request<B>> for BodyGate<C, S>
where
    C: BodyCheck,
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = BodyFuture<C, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready, so it stays here, and the service that was polled goes along.
        // https://docs.rs/tower/0.5/tower/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);

        let shared = Arc::clone(&self.shared);
        let (mut head, body) = request.into_parts();
        let begun = shared.exit.begun();
        let traced = shared.exit.reporter.traced(&head.headers);
        let judged = traced.inside(|| match shared.check.prepare(&mut head) {
            Preparation::Nothing => shared.judge(&head).map(|()| None),
            Preparation::Ready(prepared) => shared.judge_prepared(&mut head, prepared).map(|()| None),
            Preparation::Pending(preparation) => Ok(Some(preparation)),
        });
        let state = match judged {
            Ok(None) => State::reading(&head, body, &shared),
            Ok(Some(preparation)) => State::Preparing { preparation, body: Some(body) },
            Err(rejection) => {
                let state = State::refused(rejection, &head, body);
                return BodyFuture { state, waiting: Waiting { head: None, inner: None }, shared, begun, traced };
            }
        };
        BodyFuture { state, waiting: Waiting { head: Some(head), inner: Some(inner) }, shared, begun, traced }
    }
}

impl<C: BodyCheck> Shared<C> {
    /// Whether the body is to be read, by the head alone.
    fn judge(&self, head: &Parts) -> Result<(), Rejection> {
        unambiguous(&head.headers)?;
        self.check.compression().admit(&head.headers)?;
        self.check.check_head(head)?;
        // To ask for the body would be the `100 Continue` that its sender waits for.
        if head.headers.contains_key(EXPECT) { self.check.check_ahead(head) } else { Ok(()) }
    }

    fn open_elsewhere(&self, mut head: Parts, whole: (Bytes, Hold), length: usize, traced: &Traced) -> Opening {
        let (check, traced, (bytes, mut hold)) = (Arc::clone(&self.check), traced.clone(), whole);
        Box::pin(offload(length, move || {
            let opened = traced.inside(|| open(&*check, &mut head, bytes, &mut hold));
            (head, opened.map(|body| (body, hold)))
        }))
    }

    fn judge_prepared(&self, head: &mut Parts, prepared: Result<Extensions, Rejection>) -> Result<(), Rejection> {
        head.extensions.extend(prepared?);
        self.judge(head)
    }
}

pin_project! {
    /// The answer of a [`BodyGate`].
    pub struct BodyFuture<C, S, B>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        state: State<S, B>,
        waiting: Waiting<S>,
        shared: Arc<Shared<C>>,
        begun: Option<Instant>,
        traced: Traced,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<Body>>,
    {
        Rejected { rejected: Rejected },
        Preparing { preparation: Preparing, body: Option<B> },
        // A head is looked at once for what its body would be refused for.
        Reading { #[pin] body: Collect<B>, opening: Option<Opening>, looked: bool },
        // The bytes are counted until the answer is there.
        Passed { #[pin] answer: S::Future, hold: Hold },
    }
}

type Preparing = Pin<Box<dyn Future<Output = Result<Extensions, Rejection>> + Send>>;

/// What waits for the body. It stays in its place: a head is large, and each move of it would be a copy.
struct Waiting<S> {
    head: Option<Parts>,
    inner: Option<S>,
}

impl<S: Service<Request<Body>>> Waiting<S> {
    /// Calls the inner service, once, with what is there.
    fn pass<B>(&mut self, opened: Opened, traced: &Traced) -> Option<State<S, B>> {
        let (mut body, hold) = match opened {
            Ok(opened) => opened,
            // The body is read to its end.
            Err(rejection) => {
                let rest = Rest::Settled(After::Another);
                return Some(State::Rejected { rejected: Rejected { rejection, rest } });
            }
        };
        body.traced_by(traced);
        let head = self.head.take()?;
        let mut inner = self.inner.take()?;
        Some(State::Passed { answer: inner.call(Request::from_parts(head, body)), hold })
    }
}

impl<S: Service<Request<Body>>, B: http_body::Body> State<S, B> {
    fn reading<C: BodyCheck>(head: &Parts, body: B, shared: &Shared<C>) -> Self {
        let body = Collect::new(head, body, shared.check.limits(), &shared.budget);
        Self::Reading { body, opening: None, looked: false }
    }
}

impl<S, B> State<S, B>
where
    S: Service<Request<Body>>,
    B: http_body::Body + Send + 'static,
{
    /// By the head alone.
    #[cold]
    fn refused(rejection: Rejection, head: &Parts, body: B) -> Self {
        Self::Rejected { rejected: Rejected { rejection, rest: Rest::of(head, body) } }
    }
}

/// A large body on its way through the check. What it holds goes along, and is free when the body is.
type Opening = Pin<Box<dyn Future<Output = Result<(Parts, Opened), Rejection>> + Send>>;
type Opened = Result<(Body, Hold), Rejection>;

impl<C, S, B, R> Future for BodyFuture<C, S, B>
where
    C: BodyCheck,
    S: Service<Request<Body>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (shared, traced) = (&**this.shared, mem::take(this.traced));
        let polled = {
            let _inside = traced.enter();
            poll_state(this.state, this.waiting, shared, &traced, cx)
        };
        match &polled {
            Poll::Pending => *this.traced = traced,
            Poll::Ready(answered) => {
                shared.exit.answered(this.begun.take());
                let rejection = answered.as_ref().ok().and_then(|response| response.extensions().get());
                traced.answered(rejection);
            }
        }
        polled
    }
}

/// The rest of a request's way, as far as it goes now.
fn poll_state<C, S, B, R>(
    mut state: Pin<&mut State<S, B>>,
    waiting: &mut Waiting<S>,
    shared: &Shared<C>,
    traced: &Traced,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<ResponseBody>, S::Error>>
where
    C: BodyCheck,
    S: Service<Request<Body>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    loop {
        match state.as_mut().project() {
            StateProjection::Rejected { rejected } => {
                // Nobody is called any more: what a service that is ready holds is free, and so is the head.
                (waiting.head, waiting.inner) = (None, None);
                return rejected.poll(&shared.exit, cx).map(Ok);
            }
            StateProjection::Passed { answer, .. } => {
                let response = ready!(answer.poll(cx));
                reach!(Answered);
                return Poll::Ready(response.map(|response| response.map(ResponseBody::new)));
            }
            StateProjection::Preparing { preparation, body } => {
                let prepared = ready!(preparation.as_mut().poll(cx));
                let (Some(head), Some(body)) = (&mut waiting.head, body.take()) else { return Poll::Pending };
                let next = match shared.judge_prepared(head, prepared) {
                    Ok(()) => State::reading(head, body, shared),
                    Err(rejection) => State::refused(rejection, head, body),
                };
                state.set(next);
            }
            StateProjection::Reading { opening: Some(opening), .. } => {
                let (head, opened) = ready!(opening.as_mut().poll(cx))
                    .map_or_else(|rejection| (None, Err(rejection)), |(head, opened)| (Some(head), opened));
                waiting.head = head;
                let Some(next) = waiting.pass(opened, traced) else { return Poll::Pending };
                state.set(next);
            }
            StateProjection::Reading { mut body, opening, looked } => {
                let polled = body.as_mut().poll(cx);
                let Some(head) = &mut waiting.head else { return Poll::Pending };
                let length = match &polled {
                    Poll::Ready(Ok((bytes, _))) => work(&*shared.check, &head.headers, bytes),
                    // What is still to come may be of any length.
                    _ => usize::MAX,
                };
                if (is_long(length) || shared.check.compression().applies(&head.headers))
                    && !mem::replace(looked, true)
                    && let Err(rejection) = shared.check.check_ahead(head)
                {
                    let rest = match polled {
                        // It is read to its end, and nobody asks it for more.
                        Poll::Ready(Ok(_)) => Rest::Settled(After::Another),
                        Poll::Ready(Err(rejected)) => rejected.rest,
                        Poll::Pending => body.rest(head),
                    };
                    state.set(State::Rejected { rejected: Rejected { rejection, rest } });
                    continue;
                }
                let (bytes, mut hold) = match ready!(polled) {
                    Ok(whole) => whole,
                    Err(rejected) => {
                        state.set(State::Rejected { rejected });
                        continue;
                    }
                };
                if is_long(length) {
                    let head = waiting.head.take();
                    *opening = head.map(|head| shared.open_elsewhere(head, (bytes, hold), length, traced));
                    continue;
                }
                let opened = open(&*shared.check, head, bytes, &mut hold).map(|body| (body, hold));
                let Some(next) = waiting.pass(opened, traced) else { return Poll::Pending };
                state.set(next);
            }
        }
    }
}

impl<C, S, B> fmt::Debug for BodyFuture<C, S, B>
where
    S: Service<Request<Body>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyFuture").finish_non_exhaustive()
    }
}
