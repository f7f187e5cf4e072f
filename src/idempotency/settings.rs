//! [`Settings`]: how events are told apart, claimed and remembered, and how long a handler may take.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::store::Terms;
use super::unprotected::UnprotectedRuns;
use crate::clock::{Entropy, OsEntropy};

/// What becomes of an event whose key was completed with another payload.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Mismatch {
    /// It is answered 422, for as long as the key is remembered.
    #[default]
    Refuse,
    /// It is answered 2xx and not handled, and logged as an error; the [`Rejection`](crate::Rejection), of kind
    /// [`PayloadMismatch`](crate::RejectionKind::PayloadMismatch), is in the answer's extensions.
    ///
    /// # Security
    ///
    /// If it was another event, and not the same one in other words, it is lost unless somebody reads the log. For senders
    /// that switch a webhook off when they are refused.
    AcknowledgeUnhandled,
}

/// How events are told apart, claimed and remembered.
#[derive(Clone)]
pub struct Settings {
    pub(crate) terms: Terms,
    pub(crate) tenant: String,
    pub(super) in_flight_wait: Duration,
    pub(super) batch_concurrency: usize,
    pub(super) handler_limit: Duration,
    pub(super) mark_within: Duration,
    pub(super) on_mismatch: Mismatch,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) unprotected: Option<UnprotectedRuns>,
}

impl Settings {
    /// Settings with this retention and the defaults of each method.
    #[must_use]
    pub fn new(retention: Duration) -> Self {
        Self {
            terms: Terms::new(retention),
            tenant: String::new(),
            in_flight_wait: Duration::from_millis(500),
            batch_concurrency: 1,
            handler_limit: Duration::from_secs(5 * 60),
            mark_within: Duration::from_secs(2),
            on_mismatch: Mismatch::default(),
            entropy: Arc::new(OsEntropy),
            unprotected: None,
        }
    }

    /// Keys of different tenants or applications never meet, whatever their receivers are called. Default: empty.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// How long a completed event is remembered. Checked against the provider's schedule when it is put to use.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.terms.retention = retention;
        self
    }

    /// How long a claim holds without renewal; a crash frees the key after this. Default: 30 seconds.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// Poison an event after this many tries. Default: never, since the sender's own schedule ends.
    #[must_use]
    pub fn max_attempts(mut self, most: NonZeroU32) -> Self {
        self.terms.max_attempts = Some(most);
        self
    }

    /// How long a repeat waits for the first copy to finish before it is answered 503. Default: 500 ms.
    #[must_use]
    pub fn in_flight_wait(mut self, wait: Duration) -> Self {
        self.in_flight_wait = wait;
        self
    }

    /// The longest that a handler may take for one event. Default: 5 minutes.
    ///
    /// At the limit its lease is not renewed any more and [`lease_lost`](crate::Received::lease_lost) reports; a second later
    /// its future is dropped, the delivery is answered 503, and after one more lease the key is free, as after a crash. What
    /// the future had begun elsewhere, such as a task that it spawned, goes on. Neither a drain nor a sender waits longer.
    #[must_use]
    pub fn handler_limit(mut self, limit: Duration) -> Self {
        self.handler_limit = limit;
        self
    }

    /// How long the 2xx of a handled event is held back for a store that cannot be reached to mark it. Default: 2 seconds.
    ///
    /// After that the sender gets its answer, and it is marked in the background until the lease ends. A repeat that
    /// comes after the lease, where it could not be marked, is handled again.
    #[must_use]
    pub fn mark_within(mut self, time: Duration) -> Self {
        self.mark_within = time;
        self
    }

    /// What becomes of an event whose key was completed with another payload. Default: [`Mismatch::Refuse`].
    #[must_use]
    pub fn on_mismatch(mut self, mismatch: Mismatch) -> Self {
        self.on_mismatch = mismatch;
        self
    }

    /// How many events of one delivery run at a time; they are begun in their order. At least 1. Default: 1.
    #[must_use]
    pub fn batch_concurrency(mut self, most: usize) -> Self {
        self.batch_concurrency = most.max(1);
        self
    }

    /// Runs events without a claim while the store is down or full, and counts them. Default: such a delivery is answered
    /// 503, and the sender comes again.
    ///
    /// # Security
    ///
    /// A repeat is then handled again, as often as it comes. For handlers that recognise a repeat by themselves, and see
    /// by [`Received::fence`](crate::Received::fence) that there is none.
    #[must_use]
    pub fn dangerous_run_unprotected(mut self, runs: &UnprotectedRuns) -> Self {
        self.unprotected = Some(runs.clone());
        self
    }

    /// Where claim tokens come from, for a store that needs random ones. Default: the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("terms", &self.terms)
            .field("tenant", &self.tenant)
            .field("in_flight_wait", &self.in_flight_wait)
            .field("batch_concurrency", &self.batch_concurrency)
            .field("handler_limit", &self.handler_limit)
            .field("mark_within", &self.mark_within)
            .field("on_mismatch", &self.on_mismatch)
            .finish_non_exhaustive()
    }
}
