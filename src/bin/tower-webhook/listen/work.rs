//! The worker behind an inbox: each event goes to its endpoint's service, or is printed, and what came of it is said.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tower_webhook::config::{Config, Inbox};
use tower_webhook::inbox::{
    AnyInbox, Backoff, Ending, Handed, InboxError, InboxErrorKind, InboxHandler, Leased, Running, Typed, Verdict,
    Worker,
};
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::AnyProvider;

use super::deliver::Deliver;
use super::ground::Ground;
use super::voice::Voice;
use crate::lines::Unhandled;

/// So many events are handed over at a time: what a kill may have handed over again.
const AT_ONCE: u32 = 32;
/// So many of them are of one receiver where there are several, so that a slow service leaves places to the others.
const OF_ONE: u32 = AT_ONCE / 4 * 3;
/// An upstream has a time of its own, and stdout may stall for as long as it likes.
const LIMIT: Duration = Duration::from_hours(24 * 365);

/// The worker at work, and whether its inbox is.
pub(super) struct Work {
    running: Running,
    broken: Arc<Notify>,
    given_back: Arc<GivenBack>,
    voice: Voice,
}

impl Work {
    /// For so many receivers.
    pub(super) fn start(
        inbox: &Inbox,
        store: &AnyInbox,
        hands: impl InboxHandler,
        receivers: usize,
        ground: &Ground,
    ) -> Self {
        let voice = &ground.voice;
        let retry = inbox.retry;
        let (broken, told) = (Arc::new(Notify::new()), voice.clone());
        let given_back = Arc::<GivenBack>::default();
        let counts = Arc::clone(&given_back);
        let watch = Watch { voice: voice.clone(), broken: Arc::clone(&broken), is_down: AtomicBool::new(false) };
        let mut worker = Worker::new(store.clone(), hands)
            .concurrency(AT_ONCE)
            .lease(inbox.lease)
            .handler_limit(LIMIT)
            .retention(inbox.retention.bodies)
            .retry(Backoff::default().base(retry.base).cap(retry.cap).attempts(retry.attempts))
            .observer(watch)
            .on_ended(move |held, ending| say(&told, held, ending))
            .on_ended(move |_, ending| counts.count(ending));
        if receivers > 1 {
            worker = worker.at_most_per_receiver(OF_ONE);
        }
        if let Some(metrics) = &ground.metrics {
            worker = worker.observer(metrics.clone());
        }
        Self { running: worker.start(), broken, given_back, voice: voice.clone() }
    }

    /// Until the inbox can take nothing any more before it is opened anew.
    pub(super) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// Takes nothing new, and after this time gives back what is in hand.
    pub(super) async fn stop_within(self, time: Duration) {
        self.given_back.begin_at(Instant::now() + time);
        self.running.stop_within(time).await;
        match self.given_back.so_many.load(Ordering::Relaxed) {
            0 => {}
            count => self.voice.warn(format_args!(
                "warning: inbox: {count} events were in hand at the end of the drain: given back, and handed over again"
            )),
        }
    }
}

/// Counts events that a stop has given back out of the hands of a service. What comes back before the stop's time is
/// over has not been handed over.
#[derive(Default)]
struct GivenBack {
    from: OnceLock<Instant>,
    so_many: AtomicU64,
}

impl GivenBack {
    fn begin_at(&self, time: Instant) {
        self.from.get_or_init(|| time);
    }

    fn count(&self, ending: &Ending) {
        let is_late = || self.from.get().is_some_and(|from| Instant::now() >= *from);
        if *ending == Ending::Released && is_late() {
            self.so_many.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Which endpoint's events go where, by the receiver's name.
pub(super) struct Hands {
    by_receiver: HashMap<String, Hand>,
    voice: Voice,
}

struct Hand {
    provider: AnyProvider,
    deliver: Deliver,
}

impl Hands {
    /// How many receivers' events there are.
    pub(super) fn receivers(&self) -> usize {
        self.by_receiver.len()
    }

    pub(super) fn of(config: &Config, voice: &Voice) -> Self {
        let mut by_receiver = HashMap::new();
        for endpoint in &config.endpoints {
            let hand = || Hand { provider: endpoint.provider.clone(), deliver: Deliver::of(config, endpoint, voice) };
            by_receiver.entry(endpoint.name.clone()).or_insert_with(hand);
        }
        Self { by_receiver, voice: voice.clone() }
    }
}

impl InboxHandler for Hands {
    async fn handle(&self, handed: Handed) -> Verdict {
        let Some(hand) = self.by_receiver.get(&handed.event.receiver) else {
            // It may be that of another file: when it is here, people replay what waits for it.
            return Verdict::park(format!("no endpoint of the file has the name {:?}", handed.event.receiver));
        };
        // Nothing is begun whose line would have no room.
        self.voice.room().await;
        let (id, deliver) = (handed.id, hand.deliver.clone());
        let one = move |event| {
            let deliver = deliver.clone();
            async move { deliver.stored(id, &event).await }
        };
        Typed::new(hand.provider.clone(), one).handle(handed).await
    }
}

/// What was done has been said by then.
fn say(voice: &Voice, held: &Leased, ending: &Ending) {
    match ending {
        Ending::Retry { after, reason } => voice.say(&Unhandled::retry(held, *after, reason)),
        Ending::Dead { reason } => voice.say(&Unhandled::dead(held, reason)),
        Ending::Parked { reason } => voice.say(&Unhandled::parked(held, reason)),
        Ending::Unknown => voice.warn(format_args!(
            "warning: inbox: event {} has ended, and that could not be stored: it is handed over again",
            held.id
        )),
        Ending::Lost => voice.warn(format_args!(
            "warning: inbox: event {}: its lease was lost while it was handled: it may have been handled twice",
            held.id
        )),
        _ => {}
    }
}

/// Tells the operator once when the inbox fails, and the program when that is for good.
struct Watch {
    voice: Voice,
    broken: Arc<Notify>,
    is_down: AtomicBool,
}

impl Observer for Watch {
    fn observe(&self, fact: &Fact<'_>, _: &About<'_>) {
        if let Fact::DeadLettersPile { dead, quota } = fact {
            self.voice.warn(format_args!(
                "warning: inbox: {dead} dead letters wait for people, of {quota} that may lie there"
            ));
        }
        let Fact::StoreDown(error) = fact else {
            if let Fact::Handled | Fact::RetryLater { .. } | Fact::Buried { .. } | Fact::Parked { .. } = fact {
                self.is_down.store(false, Ordering::Relaxed);
            }
            return;
        };
        if !self.is_down.swap(true, Ordering::Relaxed) {
            self.voice.warn(format_args!("warning: inbox: {error}"));
        }
        let kind = error.downcast_ref::<InboxError>().map(InboxError::kind);
        if kind == Some(InboxErrorKind::Poisoned) {
            self.broken.notify_one();
        }
    }
}
