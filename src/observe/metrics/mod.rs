//! [`Metrics`]: facts as numbers, by the facade `metrics`. Nothing else in this crate knows that.

mod countdown;
mod known;
mod names;
#[cfg(feature = "otel")]
mod otel;
mod recording;
mod series;
#[cfg(test)]
mod tests;
mod waiting;

use std::fmt;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hashbrown::{Equivalent, HashMap};
use metrics::Recorder;

use self::countdown::Countdown;
pub use self::known::{InboxLevels, Known};
pub use self::names::{METRICS, bounds};
use self::names::{OTHERS, RECEIVERS};
use self::recording::Recording;
use self::series::{Series, Slot, gauge_of};
use self::waiting::Waiting;
use super::fact::{About, Fact, Observer};
use super::outcome::counted;

/// Turns facts into the metrics of `docs/metrics.md`, for any recorder. Clones count together.
///
/// Labels come from closed sets: names of receivers and providers, outcomes, and kinds of rejections. Nothing that a peer
/// says gets in. Each series is registered once and kept, so install the recorder before the first delivery.
///
/// ```
/// use tower_webhook::observe::{Known, Metrics};
/// # use tower_webhook::{MemoryStore, Received, Receiver, provider::aella::{self, Aella}, secret::Secret};
/// # fn build() -> Result<(), tower_webhook::ConfigError> {
///
/// let metrics = Metrics::new();
/// metrics.know("aella-ng", "aella", Known::default().current_key("2026-11"));
/// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let service = Receiver::new("aella-ng", aella)
///     .observer(metrics.clone())
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<aella::Event>| async move {});
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    recording: Arc<Recording>,
    receivers: RwLock<HashMap<Name, Arc<Series>, RandomState>>,
    waiting: Mutex<Waiting>,
}

#[derive(Eq, Hash, PartialEq)]
struct Name {
    receiver: Box<str>,
    provider: Box<str>,
}

/// The same, by reference.
#[derive(Hash)]
struct Named<'a> {
    receiver: &'a str,
    provider: &'a str,
}

impl Equivalent<Name> for Named<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        (self.receiver, self.provider) == (&*name.receiver, &*name.provider)
    }
}

impl Metrics {
    /// For the recorder that the application has installed.
    #[must_use]
    pub fn new() -> Self {
        Self::build(None)
    }

    /// For this recorder, whatever is installed.
    #[must_use]
    pub fn on(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::build(Some(Box::new(recorder)))
    }

    /// For this meter of OpenTelemetry: an instrument for each metric, made at the first delivery, with the labels as attributes.
    /// It is never the global one: where an application has two versions of that API, one of them counts for nobody.
    ///
    /// ```
    /// use opentelemetry::metrics::MeterProvider;
    /// use opentelemetry_sdk::metrics::SdkMeterProvider;
    /// use tower_webhook::observe::Metrics;
    ///
    /// // With the reader and the exporter of the application.
    /// let provider = SdkMeterProvider::builder().build();
    /// let metrics = Metrics::of_meter(provider.meter("tower-webhook"));
    /// ```
    #[cfg(feature = "otel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "otel")))]
    #[must_use]
    pub fn of_meter(meter: opentelemetry::metrics::Meter) -> Self {
        Self::on(otel::OfMeter::new(meter))
    }

    fn build(recorder: Option<Box<dyn Recorder + Send + Sync>>) -> Self {
        let (receivers, waiting) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Shared { recording: Arc::new(Recording::new(recorder)), receivers, waiting }))
    }

    /// Tells what facts do not say of a receiver. Again, it takes the place of what was told before.
    pub fn know(&self, receiver: &str, provider: &str, known: Known) {
        self.series(receiver, provider).know(known);
    }

    /// Brings up to date what moves by time alone. Call it before the numbers are read.
    pub fn refresh(&self) {
        let all: Vec<_> = self.0.receivers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.iter().for_each(|series| series.refresh());
    }

    /// Says how the inbox of all receivers stands, where nobody says whose its events are.
    pub fn inbox(&self, levels: InboxLevels) {
        self.inbox_of(levels, []);
    }

    /// Says how the inbox of all receivers stands, and how much of it is whose. What is nobody's of these is said of `*`, so that
    /// the sum is all of it.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floating")]
    pub fn inbox_of<'a>(&self, all: InboxLevels, of: impl IntoIterator<Item = (&'a str, InboxLevels)>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let told = waiting.tell(all, of);
        self.0.recording.with(|recorder| {
            for (receiver, levels) in told {
                gauge_of(recorder, names::INBOX_READY, receiver).set(levels.ready as f64);
                gauge_of(recorder, names::INBOX_OLDEST, receiver).set(levels.oldest_age);
                gauge_of(recorder, names::DEAD_LETTERS, receiver).set(levels.dead as f64);
            }
            if let Some(bytes) = all.wal_bytes {
                gauge_of(recorder, names::WAL_BYTES, "*").set(bytes as f64);
            }
        });
    }

    fn series(&self, receiver: &str, provider: &str) -> Arc<Series> {
        let named = Named { receiver, provider };
        let known = self.0.receivers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&named) {
            return Arc::clone(series);
        }
        drop(known);
        self.added(named)
    }

    #[cold]
    fn added(&self, named: Named<'_>) -> Arc<Series> {
        let mut known = self.0.receivers.write().unwrap_or_else(PoisonError::into_inner);
        let is_one_more = known.len() >= RECEIVERS && known.get(&named).is_none();
        let Named { receiver, provider } = if is_one_more { Named { receiver: OTHERS, provider: "" } } else { named };
        let name = Name { receiver: receiver.into(), provider: provider.into() };
        let made = || Arc::new(Series::new(Arc::clone(&self.0.recording), receiver, provider));
        Arc::clone(known.entry(name).or_insert_with(made))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Observer for Metrics {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        if !about.receiver.is_empty() {
            tell(&self.series(about.receiver, about.provider), fact, about);
        }
    }

    fn of_receiver(&self, receiver: &str, _: &str) -> Option<Box<dyn Observer>> {
        let all = self.clone();
        (!receiver.is_empty()).then(|| Box::new(OfReceiver { all, series: OnceLock::new() }) as _)
    }
}

/// The metrics of one receiver, which looks for its series once.
struct OfReceiver {
    all: Metrics,
    series: OnceLock<Arc<Series>>,
}

impl Observer for OfReceiver {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        let series = self.series.get_or_init(|| self.all.series(about.receiver, about.provider));
        tell(series, fact, about);
    }
}

fn tell(series: &Series, fact: &Fact<'_>, about: &About<'_>) {
    match fact {
        Fact::Accepted { .. } => {}
        Fact::KeyUsed { .. } => {
            let slot = slot(series.state().current_key.as_deref(), about.key_id);
            series.key_used(slot, 1);
        }
        Fact::LeaseLost { .. } => series.lease_lost.increment(1),
        Fact::HandlerEnded { after } => series.handler().record(after.as_secs_f64()),
        Fact::Answered { after, within } => {
            series.ack_duration.record(after.as_secs_f64());
            if let Some(within) = within.filter(|within| !within.is_zero()) {
                let left = within.saturating_sub(*after).div_duration_f64(within);
                series.headroom().record(left);
            }
        }
        outcome => tell_outcome(series, outcome, about),
    }
}

fn tell_outcome(series: &Series, fact: &Fact<'_>, about: &About<'_>) {
    let Some((outcome, reason)) = counted(fact) else { return };
    series.count(outcome, reason, 1);
    match fact {
        Fact::Handled | Fact::Stored { .. } | Fact::Replayed => {
            series.taken(about.key);
            if let Some(at) = about.proved_at {
                series.accepted_at(at.as_duration().as_secs_f64());
            }
        }
        Fact::Quarantined { .. } | Fact::AcknowledgedUnhandled(_) => series.taken(about.key),
        Fact::Rejected(_) => series.count_down(Countdown::refused),
        Fact::Failed(_) => {
            if let Some(key) = about.key {
                series.count_down(|countdown| countdown.failed(key));
            }
        }
        _ => {}
    }
}

fn slot(current: Option<&str>, used: Option<&str>) -> Slot {
    match (current, used) {
        (None, _) | (_, None) => Slot::Unknown,
        (Some(current), Some(used)) if current == used => Slot::Current,
        _ => Slot::Old,
    }
}
