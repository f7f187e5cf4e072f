//! [`BatchHandler`]: a function from all new events of a delivery to an [`Outcome`] for each.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::handler::WithState;
use super::in_hand::caught;
use super::inner::{Answer, Handled, Inner, Job};
use super::outcome::{IntoOutcome, Outcome};
use super::received::Received;

/// What a batch handler may return: an [`Outcome`] for each event, in their order; `()`, when all are done; or a `Result`
/// of one of them, whose error counts for all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no outcomes of a batch",
    note = "a batch handler returns `()`, a `Vec<Outcome>` in the order of its events, or a `Result` of one of them"
)]
pub trait IntoOutcomes {
    /// One outcome for each of so many events. An event without one has failed.
    fn into_outcomes(self, events: usize) -> Vec<Outcome>;
}

impl IntoOutcomes for () {
    fn into_outcomes(self, events: usize) -> Vec<Outcome> {
        all(events, || Outcome::Done)
    }
}

impl<T: IntoOutcome> IntoOutcomes for Vec<T> {
    fn into_outcomes(self, events: usize) -> Vec<Outcome> {
        let given = self.into_iter().map(T::into_outcome);
        let missing = std::iter::repeat_with(|| Outcome::failed("the batch handler returned no outcome for the event"));
        given.chain(missing).take(events).collect()
    }
}

impl<T: IntoOutcomes, E: fmt::Display> IntoOutcomes for Result<T, E> {
    fn into_outcomes(self, events: usize) -> Vec<Outcome> {
        match self {
            Ok(outcomes) => outcomes.into_outcomes(events),
            Err(error) => all(events, || Outcome::failed(error.to_string())),
        }
    }
}

fn all(events: usize, outcome: impl FnMut() -> Outcome) -> Vec<Outcome> {
    std::iter::repeat_with(outcome).take(events).collect()
}

/// A function from all new events of a delivery, at least one, to their outcomes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch handler of `{E}`",
    note = "a batch handler is `Fn(Vec<Received<{E}>>) -> impl Future` that is `Clone + Send + Sync + 'static`",
    note = "its future is `Send` and yields `()`, a `Vec<Outcome>`, or a `Result` of one of them"
)]
pub trait BatchHandler<E>: Clone + Send + Sync + 'static {
    /// The handler's future.
    type Future: Future<Output = Self::Output> + Send + 'static;
    /// What it yields.
    type Output: IntoOutcomes;

    /// Handles the events, which stand in the order of the delivery.
    fn handle(&self, events: Vec<Received<E>>) -> Self::Future;
}

impl<E, F, Fut> BatchHandler<E> for F
where
    F: Fn(Vec<Received<E>>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcomes,
{
    type Future = Fut;
    type Output = Fut::Output;

    fn handle(&self, events: Vec<Received<E>>) -> Fut {
        self(events)
    }
}

/// All new events of a delivery at once, by a [`BatchHandler`].
pub struct Together<E, F> {
    handler: F,
    seat: Option<Seat<E>>,
}

impl<E, F> Together<E, F> {
    pub(crate) fn new(handler: F) -> Self {
        Self { handler, seat: None }
    }
}

/// A clone is for another delivery.
impl<E, F: Clone> Clone for Together<E, F> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<E, F> fmt::Debug for Together<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl<E, F> Inner<E> for Together<E, F>
where
    E: Send + Sync + 'static,
    F: BatchHandler<E>,
{
    const TAKES_REQUESTS: bool = false;
    const TAKES_BATCHES: bool = true;

    type Error = Infallible;

    fn seats(self, events: usize) -> impl Iterator<Item = Self> + Send {
        let round = Arc::new(Round::of(events));
        let seat = move |at| Some(Seat { at, round: Arc::clone(&round), is_open: true });
        (0..events).map(seat).map(move |seat| Self { handler: self.handler.clone(), seat })
    }

    async fn handle(self, job: Job<E>) -> Handled<Answer<Infallible>> {
        let Job { received, acknowledgement, .. } = job;
        let outcome = match self.seat {
            Some(seat) => seat.take(received, &self.handler).await,
            None => Outcome::failed("no batch to handle the event in"),
        };
        Handled::by(outcome, acknowledgement)
    }
}

/// One delivery's events on their way to the handler. Whoever comes first handles for all, once each of the others has
/// come or will not.
struct Round<E> {
    table: Mutex<Table<E>>,
    complete: Notify,
}

struct Table<E> {
    /// How many may still come.
    expected: usize,
    arrived: Vec<Arrived<E>>,
    has_leader: bool,
}

struct Arrived<E> {
    at: usize,
    event: Received<E>,
    answer: oneshot::Sender<Outcome>,
}

impl<E> Round<E> {
    fn of(events: usize) -> Self {
        let table = Table { expected: events, arrived: Vec::new(), has_leader: false };
        Self { table: Mutex::new(table), complete: Notify::new() }
    }

    /// No code of others runs under the lock.
    fn with<T>(&self, change: impl FnOnce(&mut Table<E>) -> T) -> T {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut table);
        if table.expected == 0 {
            self.complete.notify_one();
        }
        changed
    }

    /// Handles all that have come.
    async fn lead<F: BatchHandler<E>>(&self, handler: &F) {
        self.complete.notified().await;
        let mut arrived = self.with(|table| std::mem::take(&mut table.arrived));
        arrived.sort_by_key(|arrived| arrived.at);
        let (events, answers): (Vec<_>, Vec<_>) =
            arrived.into_iter().map(|arrived| (arrived.event, arrived.answer)).unzip();
        let handled = async { handler.handle(events).await.into_outcomes(answers.len()) };
        let panicked = |_| Err::<(), _>("the batch handler panicked").into_outcomes(answers.len());
        let outcomes = caught(handled).await.unwrap_or_else(panicked);
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Nobody waits for one that has reached its limit.
            drop(answer.send(outcome));
        }
    }
}

/// One event's place in a round. Dropped, it will not come.
struct Seat<E> {
    at: usize,
    round: Arc<Round<E>>,
    is_open: bool,
}

impl<E> Seat<E> {
    async fn take<F: BatchHandler<E>>(mut self, event: Received<E>, handler: &F) -> Outcome {
        self.is_open = false;
        let (answer, outcome) = oneshot::channel();
        let arrived = Arrived { at: self.at, event, answer };
        let leads = self.round.with(|table| {
            table.expected = table.expected.saturating_sub(1);
            table.arrived.push(arrived);
            !std::mem::replace(&mut table.has_leader, true)
        });
        if leads {
            self.round.lead(handler).await;
        }
        match outcome.await {
            Ok(outcome) => outcome,
            // The batch was dropped at its limit. So is this event in a moment, at its own.
            Err(_) => pending().await,
        }
    }
}

impl<E> Drop for Seat<E> {
    fn drop(&mut self) {
        if self.is_open {
            self.round.with(|table| table.expected = table.expected.saturating_sub(1));
        }
    }
}

/// With a state of its own, which each batch gets a clone of.
impl<S, E, F, Fut> BatchHandler<E> for WithState<S, F>
where
    S: Clone + Send + Sync + 'static,
    F: Fn(S, Vec<Received<E>>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcomes,
{
    type Future = Fut;
    type Output = Fut::Output;

    fn handle(&self, events: Vec<Received<E>>) -> Fut {
        self.call(|state, handler| handler(state, events))
    }
}
