//! [`Worker`]: leases events, has them handled, and ends the leases.

mod attempt;
mod backoff;
mod crew;
mod end;
mod ending;
mod on_unknown;
mod piling;
mod retain;
mod shares;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::handler::InboxHandler;
use super::store::{InboxStore, LanePolicy, Leased};
use crate::clock::{Clock, Entropy, OsEntropy, SystemClock};
use crate::observe::{Listeners, Observer};

pub use backoff::Backoff;
use crew::{Control, Crew, Terms};
pub use ending::Ending;
pub use on_unknown::OnUnknown;

/// How long a stop waits for what it gives back, beyond its time.
const GIVING_BACK: Duration = Duration::from_secs(1);

/// Handles the events of an inbox, so many at a time.
///
/// Each attempt is counted before the handler runs, so that an event which kills the process does not kill it for ever. The
/// lease is renewed at a third of its time; when it is lost all the same, the handler is told, and its end is refused. A
/// handler that fails, panics or takes too long has its event tried again by the [`Backoff`]. One event waits for no other,
/// unless they are of one lane.
///
/// It needs a tokio runtime with its timer.
///
/// # Handled twice
///
/// An event is handled again when the process ends between its effect and the end of its lease, or when a handler outlives
/// its lease. Whoever must have its effect once passes the event's key on, unique where the effect is written:
/// [`NewEvent::readable_key`](super::NewEvent::readable_key), or [`Delivery::key`](crate::Delivery::key). Whoever can write in
/// the inbox's own database has it once by the transaction, as with `SqliteInbox::in_transaction`; and whoever can do neither, and must not
/// have it twice, has what has no end [parked](OnUnknown::Park).
#[must_use = "a worker does nothing until it is started"]
pub struct Worker<S, H> {
    store: S,
    handler: H,
    terms: Terms,
}

impl<S: InboxStore, H: InboxHandler> Worker<S, H> {
    /// A worker that has the events of this inbox handled so.
    pub fn new(store: S, handler: H) -> Self {
        let terms = Terms {
            concurrency: 16,
            at_most: u32::MAX,
            lease: Duration::from_secs(30),
            limit: Duration::from_secs(300),
            backoff: Backoff::default(),
            lane_policy: LanePolicy::default(),
            on_unknown: OnUnknown::default(),
            retention: retain::BODIES,
            dead_letters: piling::QUOTA,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            listeners: Listeners::default(),
            told: Vec::new(),
        };
        Self { store, handler, terms }
    }

    fn with(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(&mut self.terms);
        self
    }

    /// How many events are handled at a time, from 1 to 10,000. Default: 16.
    pub fn concurrency(self, events: u32) -> Self {
        self.with(|terms| terms.concurrency = events.clamp(1, 10_000))
    }

    /// How many events of one receiver are handled at a time, at least 1. Without it slow events of one receiver may take
    /// all places, and those of the others wait for them. Default: as many as there are places.
    ///
    /// Where one has as many as it may, the store is asked for others by
    /// [`InboxStore::lease_but_of`](super::InboxStore::lease_but_of), which goes through all that is due of the first: in a file,
    /// beside who writes, 17 ms for a hundred thousand (`cargo bench --bench inbox_engine`). After a death, one event of those that
    /// were in hand then may come on top.
    pub fn at_most_per_receiver(self, events: u32) -> Self {
        self.with(|terms| terms.at_most = events.max(1))
    }

    /// How long an event is held. At least 1 second. Default: 30 seconds. After a crash an event waits so long.
    pub fn lease(self, time: Duration) -> Self {
        self.with(|terms| terms.lease = time.max(Duration::from_secs(1)))
    }

    /// How long an attempt may take: then the handler is told that its lease is lost, and a moment later it is dropped.
    /// Default: 5 minutes.
    pub fn handler_limit(self, time: Duration) -> Self {
        self.with(|terms| terms.limit = time)
    }

    /// When a failed event is tried again, and how often. Default: [`Backoff::default`].
    pub fn retry(self, backoff: Backoff) -> Self {
        self.with(|terms| terms.backoff = backoff)
    }

    /// What becomes of a lane when one of its events is a dead letter. Default: [`LanePolicy::SkipAndFlag`].
    pub fn on_dead(self, policy: LanePolicy) -> Self {
        self.with(|terms| terms.lane_policy = policy)
    }

    /// What becomes of an event when nobody knows how far its last attempt came. Default: [`OnUnknown::Again`].
    pub fn on_unknown(self, then: OnUnknown) -> Self {
        self.with(|terms| terms.on_unknown = then)
    }

    /// How long the body of an event is kept once it is done. Default: 7 days. It goes at the latest with its key, which has a
    /// time of its own. Dead letters and what else waits for people stays.
    ///
    /// A worker looks once in ten minutes, and first when it starts.
    pub fn retention(self, bodies: Duration) -> Self {
        self.with(|terms| terms.retention = bodies)
    }

    /// How many dead letters may wait for people, at least 1. From four fifths of it on observers are told, and the log at its level of
    /// errors, by [`Fact::DeadLettersPile`](crate::observe::Fact::DeadLettersPile): once, until there are fewer again. None is ever
    /// dropped, and nothing is refused for them alone: they count as events that are not done in [`Quota::rows`](super::Quota::rows).
    /// Default: 10,000.
    ///
    /// A worker looks once in a minute.
    pub fn dead_letters(self, most: u64) -> Self {
        self.with(|terms| terms.dead_letters = most.max(1))
    }

    /// The wall clock by which events are due. Default: the machine's.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|terms| terms.clock = Arc::new(clock))
    }

    /// Where tokens and the jitter of the back-off come from. Default: the machine's source.
    pub fn entropy(self, entropy: impl Entropy) -> Self {
        self.with(|terms| terms.entropy = Arc::new(entropy))
    }

    /// Reports what becomes of events to this observer too, each fact once. Default: to the [log](crate::observe::Log) alone.
    pub fn observer(self, observer: impl Observer) -> Self {
        self.with(|terms| terms.listeners.add(observer))
    }

    /// Tells of each attempt how it ended, with the event. It must not block. Of several, each is told.
    pub fn on_ended(self, told: impl Fn(&Leased, &Ending) + Send + Sync + 'static) -> Self {
        self.with(|terms| terms.told.push(Arc::new(told)))
    }

    /// The same worker with what this makes of its handler.
    #[cfg(feature = "testing")]
    pub(crate) fn map_handler<G>(self, map: impl FnOnce(H) -> G) -> Worker<S, G> {
        let Self { store, handler, terms } = self;
        Worker { store, handler: map(handler), terms }
    }

    /// Begins, in the tokio runtime that it is called in.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Running {
        let Self { store, handler, terms } = self;
        let control = Arc::new(Control::default());
        let places = Semaphore::new(usize::try_from(terms.concurrency).unwrap_or(1));
        let (handler, places, shares) = (Arc::new(handler), Arc::new(places), Arc::default());
        let crew = Crew { store, handler, terms, control: Arc::clone(&control), places, shares };
        Running { control, ended: Some(tokio::spawn(Arc::new(crew).run())) }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for Worker<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("store", &self.store)
            .field("concurrency", &self.terms.concurrency)
            .field("lease", &self.terms.lease)
            .field("retry", &self.terms.backoff)
            .finish_non_exhaustive()
    }
}

/// A worker at work. Dropped, it leases nothing new; what is in hand goes on.
#[derive(Debug)]
#[must_use = "a worker that is dropped stops"]
pub struct Running {
    control: Arc<Control>,
    ended: Option<JoinHandle<()>>,
}

impl Running {
    /// Leases nothing new, and waits until all that is in hand has ended. A handler that hangs ends at its
    /// [limit](Worker::handler_limit).
    pub async fn stop(mut self) {
        self.control.stop();
        if let Some(ended) = self.ended.take() {
            // It ends in no panic.
            drop(ended.await);
        }
    }

    /// The same, but what is in hand after this time is dropped and given back: due at once, its attempt not counted. It ends a
    /// second later at the latest, whatever the store does. What could not be given back by then is tried for as long as the
    /// process lives, and comes back when its lease ends.
    pub async fn stop_within(mut self, time: Duration) {
        self.control.stop();
        let Some(mut ended) = self.ended.take() else { return };
        if timeout(time, &mut ended).await.is_err() {
            drop(self.control.hurried.set(()));
            drop(timeout(GIVING_BACK, ended).await);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.stop();
    }
}
