//! The series of one receiver, each registered once and kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, SharedString};

use super::countdown::Countdown;
use super::known::Known;
use super::names;
use super::recording::Recording;
use crate::error::RejectionKind;
use crate::observe::outcome::{Outcome, Reason};

const METADATA: Metadata<'static> = Metadata::new("tower_webhook", Level::INFO, None);

const OUTCOMES: usize = Outcome::Refused as usize + 1;
/// Reasons that are no kinds of rejections.
const OWN: usize = 4;

/// Where a reason stands among its outcome's.
fn place(reason: Reason) -> usize {
    match reason {
        Reason::None => 0,
        Reason::Quarantined => 1,
        Reason::DeadLetter => 2,
        Reason::Parked => 3,
        Reason::Kind(kind) => OWN + kind as usize,
    }
}

/// Whether a key is the one that its sender should use.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Current,
    Old,
    Unknown,
}

pub(super) struct Series {
    recording: Arc<Recording>,
    receiver: SharedString,
    provider: SharedString,
    /// By outcome and reason; only those that were seen exist.
    deliveries: Vec<OnceLock<Counter>>,
    keys: [OnceLock<Counter>; 3],
    pub(super) ack_duration: Histogram,
    pub(super) ack_headroom: OnceLock<Histogram>,
    pub(super) handler_duration: OnceLock<Histogram>,
    pub(super) lease_lost: Counter,
    last_accepted: OnceLock<Gauge>,
    deactivation: OnceLock<Gauge>,
    state: Mutex<State>,
    /// Whether the countdown of the state runs.
    counts_down: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) current_key: Option<String>,
    pub(super) countdown: Option<Countdown>,
}

impl Series {
    pub(super) fn new(recording: Arc<Recording>, receiver: &str, provider: &str) -> Self {
        let (receiver, provider) = (SharedString::from(receiver.to_owned()), SharedString::from(provider.to_owned()));
        let of = |name| Key::from_parts(name, vec![Label::new("receiver", receiver.clone())]);
        let places = OUTCOMES * (OWN + RejectionKind::ALL.len());
        let (ack_duration, lease_lost) = recording.with(|recorder| {
            let ack_duration = recorder.register_histogram(&of(names::ACK_DURATION), &METADATA);
            (ack_duration, recorder.register_counter(&of(names::LEASE_LOST), &METADATA))
        });
        Self {
            recording,
            deliveries: (0..places).map(|_| OnceLock::new()).collect(),
            keys: Default::default(),
            ack_duration,
            ack_headroom: OnceLock::new(),
            handler_duration: OnceLock::new(),
            lease_lost,
            last_accepted: OnceLock::new(),
            deactivation: OnceLock::new(),
            state: Mutex::default(),
            counts_down: AtomicBool::new(false),
            receiver,
            provider,
        }
    }

    fn key(&self, name: &'static str, more: impl IntoIterator<Item = Label>) -> Key {
        let own = [Label::new("receiver", self.receiver.clone())];
        Key::from_parts(name, own.into_iter().chain(more).collect::<Vec<_>>())
    }

    #[cold]
    fn counter(&self, name: &'static str, more: impl IntoIterator<Item = Label>) -> Counter {
        let key = self.key(name, more);
        self.recording.with(|recorder| recorder.register_counter(&key, &METADATA))
    }

    #[cold]
    fn histogram(&self, name: &'static str) -> Histogram {
        self.recording.with(|recorder| recorder.register_histogram(&self.key(name, []), &METADATA))
    }

    #[cold]
    fn gauge(&self, name: &'static str) -> Gauge {
        self.recording.with(|recorder| recorder.register_gauge(&self.key(name, []), &METADATA))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn know(&self, known: Known) {
        let mut state = self.state();
        let tells_old = known.current_key.is_some();
        state.current_key = known.current_key;
        // What failed so far has failed, whatever the file says now.
        match (known.switched_off_after, &mut state.countdown) {
            (Some(after), Some(countdown)) => countdown.ends_after(after),
            (after, countdown) => *countdown = after.map(Countdown::new),
        }
        self.counts_down.store(state.countdown.as_ref().is_some_and(Countdown::runs), Ordering::Release);
        drop(state);
        // They are there before anything happens, so that what happens first is seen to grow.
        self.count(Outcome::Accepted, Reason::None, 0);
        if tells_old {
            self.key_used(Slot::Current, 0);
            self.key_used(Slot::Old, 0);
        }
    }

    /// Something of the sender's was taken. Mostly nothing runs, and there is nothing to do.
    pub(super) fn taken(&self, key: Option<&[u8; 32]>) {
        if self.counts_down.load(Ordering::Acquire) {
            self.count_down(|countdown| countdown.taken(key));
        }
    }

    /// Changes the countdown, where the provider switches off.
    pub(super) fn count_down(&self, change: impl FnOnce(&mut Countdown)) {
        let mut state = self.state();
        if let Some(countdown) = &mut state.countdown {
            change(countdown);
            self.counts_down.store(countdown.runs(), Ordering::Release);
        }
    }

    pub(super) fn count(&self, outcome: Outcome, reason: Reason, by: u64) {
        let place = (outcome as usize) * (OWN + RejectionKind::ALL.len()) + place(reason);
        let Some(cell) = self.deliveries.get(place) else { return };
        let register = || {
            let labels = [
                Label::new("provider", self.provider.clone()),
                Label::from_static_parts("outcome", outcome.name()),
                Label::from_static_parts("reason", reason.name()),
            ];
            self.counter(names::DELIVERIES, labels)
        };
        cell.get_or_init(register).increment(by);
    }

    pub(super) fn key_used(&self, slot: Slot, by: u64) {
        let name = match slot {
            Slot::Current => "current",
            Slot::Old => "old",
            Slot::Unknown => "unknown",
        };
        let Some(cell) = self.keys.get(slot as usize) else { return };
        let register = || self.counter(names::KEY_USED, [Label::from_static_parts("slot", name)]);
        cell.get_or_init(register).increment(by);
    }

    pub(super) fn headroom(&self) -> &Histogram {
        self.ack_headroom.get_or_init(|| self.histogram(names::ACK_HEADROOM))
    }

    pub(super) fn handler(&self) -> &Histogram {
        self.handler_duration.get_or_init(|| self.histogram(names::HANDLER_DURATION))
    }

    pub(super) fn accepted_at(&self, seconds: f64) {
        self.last_accepted.get_or_init(|| self.gauge(names::LAST_ACCEPTED)).set(seconds);
    }

    /// Says how long is left, where the provider switches off.
    pub(super) fn refresh(&self) {
        let Some(left) = self.state().countdown.as_ref().map(Countdown::left) else { return };
        self.deactivation.get_or_init(|| self.gauge(names::DEACTIVATION)).set(left.as_secs_f64());
    }
}

/// A gauge of all receivers together.
pub(super) fn gauge_of(recorder: &dyn Recorder, name: &'static str, receiver: &str) -> Gauge {
    recorder.register_gauge(&Key::from_parts(name, vec![Label::new("receiver", receiver.to_owned())]), &METADATA)
}
