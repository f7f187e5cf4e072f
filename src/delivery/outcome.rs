//! [`Outcome`]: what became of an event in its handler's hands.

use std::time::Duration;

use crate::error::{BoxError, Rejection, RejectionKind};

/// What became of an event in the handler's hands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done, for good: the sender gets a 2xx, now and for every repeat.
    Done,
    /// It is not done; the sender is asked to come again after this time. Answered 503.
    Retry(Duration),
    /// It failed; the sender comes again by its own schedule. Answered 500, and the error goes to the log.
    Failed(BoxError),
}

impl Outcome {
    /// An event that failed for this reason.
    #[must_use]
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }

    /// What the sender is answered, and when the event may be tried again at the earliest. `None`: it is done.
    pub(crate) fn rejection(self) -> Option<(Rejection, Duration)> {
        match self {
            Self::Done => None,
            Self::Retry(after) => {
                let rejection = Rejection::new(RejectionKind::HandlerRetry, "the handler asked for a later try");
                Some((rejection.retry_in(after), after))
            }
            Self::Failed(error) => {
                let rejection = Rejection::new(RejectionKind::HandlerFailed, "the handler failed");
                Some((rejection.caused_by(error), Duration::ZERO))
            }
        }
    }
}

/// What a handler may return: `()`, an [`Outcome`], or a `Result` of one of them with any error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an outcome",
    note = "a handler yields `()`, an `Outcome`, or a `Result` of one of them with any error"
)]
pub trait IntoOutcome {
    /// As an outcome.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done
    }
}

impl<T: IntoOutcome, E: Into<BoxError>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        self.map_or_else(|error| Outcome::Failed(error.into()), T::into_outcome)
    }
}
