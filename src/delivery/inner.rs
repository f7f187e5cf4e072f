//! [`Inner`]: whoever takes events in the end, as whoever deduplicates them sees it.

use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use http::request::Parts;

use super::outcome::Outcome;
use super::received::Received;
use crate::error::Rejection;
use crate::gate::ResponseBody;
use crate::provider::Acknowledgement;

/// Whoever takes events in the end: a handler, a handler of batches, or a service behind a layer. Only this crate has any.
pub trait Inner<E>: Clone + Send + 'static {
    /// Whether it takes requests, and so needs the delivery's head.
    const TAKES_REQUESTS: bool;
    /// Whether it waits for all events of a delivery.
    const TAKES_BATCHES: bool;

    /// Its own error, which is passed on as it is.
    type Error: Send + 'static;

    /// As tower has it. Default: always ready.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// One of it for each event of a delivery. The first is this one, which is ready.
    fn seats(self, events: usize) -> impl Iterator<Item = Self> + Send;

    /// Handles one event.
    fn handle(self, job: Job<E>) -> impl Future<Output = Handled<Answer<Self::Error>>> + Send;
}

/// One event, and what its handling needs beside it.
pub struct Job<E> {
    pub(crate) received: Received<E>,
    /// The delivery's head, for who takes requests.
    pub(crate) head: Option<Box<Parts>>,
    /// What the provider must read, where it reads more than a status.
    pub(crate) acknowledgement: Option<Box<Acknowledgement>>,
}

impl<E> fmt::Debug for Job<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("delivery", self.received.delivery()).finish_non_exhaustive()
    }
}

/// What came of one event.
#[derive(Debug)]
#[non_exhaustive]
pub enum Handled<A> {
    /// It is done, for good: a repeat gets what is to be remembered.
    Done {
        /// For the sender.
        answer: A,
        /// For every repeat. `None`: an empty 200.
        remember: Option<Box<Acknowledgement>>,
    },
    /// It is to be tried again, not before the delay.
    NotDone {
        /// For the sender.
        answer: A,
        /// From now.
        delay: Duration,
    },
}

/// What the sender is answered for one event that ran.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer<E> {
    /// What the provider reads as a success.
    Acknowledged,
    /// This rejection.
    Rejected(Rejection),
    /// What a service has answered by itself; if that is no success, the reason for observers.
    Service(Result<Box<Response<ResponseBody>>, E>, Option<Rejection>),
}

impl<E> Handled<Answer<E>> {
    /// By a handler.
    pub(crate) fn by(outcome: Outcome, remember: Option<Box<Acknowledgement>>) -> Self {
        match outcome.rejection() {
            None => Self::Done { answer: Answer::Acknowledged, remember },
            Some((rejection, delay)) => Self::NotDone { answer: Answer::Rejected(rejection), delay },
        }
    }
}
