//! [`Traced`]: a delivery, or an attempt at a stored event, as a span of `tracing`.

use std::future::{Future, poll_fn};
use std::num::NonZeroU64;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use tracing::Span;
use tracing::field::{Empty, display};
use tracing::span::Entered;

use super::fact::{About, Fact};
use super::outcome::{Outcome, Reason, counted};
use super::trace_parent::{Hex, TraceParent};
use crate::error::Rejection;

/// A span, which ends with the last of its clones. None where no subscriber wants it: then nothing is read and nothing kept.
///
/// In its fields is no word of a peer's but the digits of a valid [`TraceParent`].
#[derive(Clone, Default)]
pub(crate) struct Traced(Option<Arc<Inner>>);

struct Inner {
    span: Span,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many events there are, once that is known.
    events: usize,
    /// The worst so far.
    outcome: Option<(Outcome, Reason)>,
}

impl Traced {
    fn over(span: Span) -> Self {
        Self((!span.is_disabled()).then(|| Arc::new(Inner { span, state: Mutex::default() })))
    }

    /// A delivery to this receiver, in the span that is there already.
    pub(super) fn delivery(receiver: &str, provider: &str, headers: &HeaderMap) -> Self {
        let traced = Self::over(tracing::info_span!(
            target: "tower_webhook", "delivery", receiver, provider,
            trace_id = Empty, parent_span_id = Empty, events = Empty, key = Empty, attempt = Empty,
            outcome = Empty, reason = Empty
        ));
        if let Self(Some(inner)) = &traced
            && let Some(parent) = TraceParent::of(headers)
        {
            inner.span.record("trace_id", display(Hex(&parent.trace_id())));
            inner.span.record("parent_span_id", display(Hex(&parent.span_id())));
        }
        traced
    }

    /// An attempt at a stored event: the root of a trace of its own, which names the one of the delivery.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn attempt(about: &About<'_>, delivered_in: impl FnOnce() -> Option<TraceParent>) -> Self {
        let traced = Self::over(tracing::info_span!(
            target: "tower_webhook", parent: None, "attempt", receiver = about.receiver, provider = about.provider,
            linked_trace_id = Empty, linked_span_id = Empty, key = Empty, attempt = Empty, outcome = Empty, reason = Empty
        ));
        if let Self(Some(inner)) = &traced {
            if let Some(linked) = delivered_in() {
                inner.span.record("linked_trace_id", display(Hex(&linked.trace_id())));
                inner.span.record("linked_span_id", display(Hex(&linked.span_id())));
            }
            inner.of(about);
        }
        traced
    }

    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_ref().map(|inner| inner.span.enter())
    }

    /// Does work inside.
    pub(crate) fn inside<T>(&self, work: impl FnOnce() -> T) -> T {
        let _inside = self.enter();
        work()
    }

    /// Each poll of the work is inside.
    pub(crate) async fn around<F: Future>(self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| self.inside(|| work.as_mut().poll(cx))).await
    }

    /// A delivery holds so many events.
    pub(crate) fn holds(&self, events: usize) {
        if let Self(Some(inner)) = self {
            inner.state().events = events;
            inner.span.record("events", events);
        }
    }

    /// It is about this event. Of several in one delivery each has its key and its attempt in its own lines alone.
    pub(crate) fn keyed(&self, key: &[u8; 32]) {
        self.only(|inner| inner.of(&About { key: Some(key), ..About::default() }));
    }

    /// Its event was claimed.
    pub(crate) fn claimed(&self, attempt: Option<NonZeroU64>) {
        self.only(|inner| inner.of(&About { attempt, ..About::default() }));
    }

    fn only(&self, say: impl FnOnce(&Inner)) {
        if let Self(Some(inner)) = self
            && inner.state().events == 1
        {
            say(inner);
        }
    }

    /// What became of an event.
    pub(crate) fn note(&self, fact: &Fact<'_>) {
        if let Self(Some(inner)) = self
            && let Some(came) = counted(fact)
        {
            inner.note(came);
        }
    }

    /// A delivery is answered, by a rejection perhaps: that of an event which failed, or its own.
    pub(crate) fn answered(&self, rejection: Option<&Rejection>) {
        if let (Self(Some(inner)), Some(rejection)) = (self, rejection)
            && !matches!(inner.state().outcome, Some((Outcome::Failed, _)))
        {
            inner.note((Outcome::Refused, Reason::Kind(rejection.kind())));
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, about: &About<'_>) {
        if let Some(key) = about.key {
            self.span.record("key", display(Hex(key.get(..4).unwrap_or_default())));
        }
        if let Some(attempt) = about.attempt {
            self.span.record("attempt", attempt.get());
        }
    }

    fn note(&self, came: (Outcome, Reason)) {
        let mut state = self.state();
        if state.outcome.is_none_or(|(worst, _)| worst < came.0) {
            state.outcome = Some(came);
        }
    }
}

/// What became of it is recorded once, since a subscriber may keep whatever was.
impl Drop for Inner {
    fn drop(&mut self) {
        let Some((outcome, reason)) = self.state().outcome else { return };
        self.span.record("outcome", outcome.name());
        if !reason.name().is_empty() {
            self.span.record("reason", reason.name());
        }
    }
}
