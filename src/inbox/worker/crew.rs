//! What a worker's tasks share, and how they are stopped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SetOnce};

use super::super::store::{LanePolicy, Leased};
use super::backoff::Backoff;
use super::ending::Ending;
use super::on_unknown::OnUnknown;
use super::shares::Shares;
use crate::clock::{Clock, Entropy};
use crate::observe::Listeners;

/// What a worker's tasks share.
pub(super) struct Crew<S, H> {
    pub(super) store: S,
    pub(super) handler: Arc<H>,
    pub(super) terms: Terms,
    pub(super) control: Arc<Control>,
    /// One for each event that may be handled at a time.
    pub(super) places: Arc<Semaphore>,
    pub(super) shares: Arc<Shares>,
}

/// How a worker is stopped and woken.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// Nothing new is leased.
    pub(super) stopped: SetOnce<()>,
    /// What is in hand is given back.
    pub(super) hurried: SetOnce<()>,
    pub(super) bell: Notify,
}

impl Control {
    pub(super) fn stop(&self) {
        // Stopped twice is stopped.
        drop(self.stopped.set(()));
        self.bell.notify_one();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.initialized()
    }
}

/// Is told of each attempt how it ended.
pub(super) type Told = Arc<dyn Fn(&Leased, &Ending) + Send + Sync>;

#[derive(Clone)]
pub(super) struct Terms {
    pub(super) concurrency: u32,
    /// Of one receiver's.
    pub(super) at_most: u32,
    pub(super) lease: Duration,
    pub(super) limit: Duration,
    pub(super) backoff: Backoff,
    pub(super) lane_policy: LanePolicy,
    pub(super) on_unknown: OnUnknown,
    pub(super) retention: Duration,
    pub(super) dead_letters: u64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) listeners: Listeners,
    pub(super) told: Vec<Told>,
}
