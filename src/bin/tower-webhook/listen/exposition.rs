//! Prometheus's text format: what is recorded, as text that its server reads.
//!
//! A histogram has its buckets from the beginning: to record takes two atomic additions, and whether anybody reads makes no
//! difference to the room. <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tower_webhook::observe::bounds;

/// A recorder that can be read. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Exposition(Arc<Mutex<BTreeMap<String, Family>>>);

/// All series of one name.
#[derive(Default)]
struct Family {
    says: String,
    /// By their labels, as they are written.
    series: BTreeMap<String, Series>,
}

#[derive(Clone)]
enum Series {
    Counter(Arc<AtomicU64>),
    /// The bits of a floating number.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

impl Series {
    fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// How many values there were up to each bound and above the one before it; those above all bounds last.
struct Buckets {
    bounds: &'static [f64],
    counts: Box<[AtomicU64]>,
    /// The bits of a floating number.
    sum: AtomicU64,
}

impl Buckets {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0.0_f64.to_bits()) }
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let place = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let more = |sum| Some((f64::from_bits(sum) + value).to_bits());
        // It always has more.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

impl Exposition {
    /// All that was recorded, by name.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &*self.families() {
            // A `String` has room for all.
            let _ = family.write(name, &mut text);
        }
        text
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: &KeyName, says: &str) {
        self.families().entry(name.as_str().to_owned()).or_default().says =
            says.replace('\\', r"\\").replace('\n', r"\n");
    }

    /// The series of this key, which may be there already.
    fn series(&self, key: &Key, new: impl FnOnce() -> Series) -> Series {
        let labels = key.labels().map(|label| format!("{}=\"{}\"", label.key(), escaped(label.value())));
        let labels = labels.collect::<Vec<_>>().join(",");
        let mut families = self.families();
        let family = families.entry(key.name().to_owned()).or_default();
        family.series.entry(labels).or_insert_with(new).clone()
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

impl Family {
    fn write(&self, name: &str, out: &mut String) -> fmt::Result {
        let Some(first) = self.series.values().next() else { return Ok(()) };
        writeln!(out, "# HELP {name} {}\n# TYPE {name} {}", self.says, first.kind())?;
        for (labels, series) in &self.series {
            match series {
                Series::Counter(count) => writeln!(out, "{name}{{{labels}}} {}", count.load(Ordering::Relaxed))?,
                Series::Gauge(level) => {
                    writeln!(out, "{name}{{{labels}}} {}", f64::from_bits(level.load(Ordering::Relaxed)))?;
                }
                Series::Histogram(buckets) => buckets.write(name, labels, out)?,
            }
        }
        writeln!(out)
    }
}

impl Buckets {
    fn write(&self, name: &str, labels: &str, out: &mut String) -> fmt::Result {
        let mut total = 0;
        let bounds = self.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(&self.counts) {
            total += count.load(Ordering::Relaxed);
            writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {total}")?;
        }
        let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));
        writeln!(out, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {total}")
    }
}

impl Recorder for Exposition {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, says: SharedString) {
        self.describe(&name, &says);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, says: SharedString) {
        self.describe(&name, &says);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, says: SharedString) {
        self.describe(&name, &says);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.series(key, || Series::Counter(Arc::default())) {
            Series::Counter(count) => Counter::from_arc(count),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.series(key, || Series::Gauge(Arc::default())) {
            Series::Gauge(level) => Gauge::from_arc(level),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.series(key, || Series::Histogram(Arc::new(Buckets::new(bounds(key.name()))))) {
            Series::Histogram(buckets) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::{Label, Level};

    use super::*;

    const METADATA: Metadata<'static> = Metadata::new("", Level::INFO, None);

    fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
        Key::from_parts(name, labels.iter().map(|(name, value)| Label::new(*name, *value)).collect::<Vec<_>>())
    }

    #[test]
    fn the_text_is_prometheus_s() {
        let exposition = Exposition::default();
        exposition.describe_counter("c_total".into(), None, "What\\ever\nhappens".into());
        exposition.describe_gauge("g".into(), None, "Of which there is none".into());
        let labels = [("receiver", "a\"b\\c\nd"), ("at", "1")];
        exposition.register_counter(&key("c_total", &labels), &METADATA).increment(2);
        exposition.clone().register_counter(&key("c_total", &labels), &METADATA).increment(1);
        exposition.register_counter(&key("c_total", &[("receiver", "a")]), &METADATA).absolute(7);
        exposition.register_gauge(&key("a", &[("receiver", "a")]), &METADATA).set(1_900_000_000.25);
        assert_eq!(
            exposition.text(),
            "# HELP a \n# TYPE a gauge\na{receiver=\"a\"} 1900000000.25\n\n\
             # HELP c_total What\\\\ever\\nhappens\n# TYPE c_total counter\n\
             c_total{receiver=\"a\"} 7\nc_total{receiver=\"a\\\"b\\\\c\\nd\",at=\"1\"} 3\n\n"
        );
    }

    #[test]
    fn a_value_is_in_each_bucket_from_its_own_on() {
        let exposition = Exposition::default();
        let shares = exposition.register_histogram(&key("webhook_ack_headroom_ratio", &[("receiver", "a")]), &METADATA);
        for share in [0.0, 0.5, 0.501, 0.995, 1.0] {
            shares.record(share);
        }
        let text = exposition.text();
        for line in [
            "# TYPE webhook_ack_headroom_ratio histogram",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"0\"} 1",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"0.25\"} 1",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"0.5\"} 2",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"0.75\"} 3",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"0.99\"} 3",
            "webhook_ack_headroom_ratio_bucket{receiver=\"a\",le=\"+Inf\"} 5",
            "webhook_ack_headroom_ratio_sum{receiver=\"a\"} 2.996",
            "webhook_ack_headroom_ratio_count{receiver=\"a\"} 5",
        ] {
            assert!(text.lines().any(|is| is == line), "{line}\n{text}");
        }
        exposition.register_histogram(&key("d_seconds", &[("receiver", "a")]), &METADATA).record(60.1);
        let text = exposition.text();
        assert!(text.contains("d_seconds_bucket{receiver=\"a\",le=\"60\"} 0\n"), "{text}");
        assert!(text.contains("d_seconds_bucket{receiver=\"a\",le=\"+Inf\"} 1\n"), "{text}");
    }

    #[test]
    fn what_is_something_else_already_is_not_counted() {
        let exposition = Exposition::default();
        exposition.register_counter(&key("c_total", &[]), &METADATA).increment(1);
        exposition.register_gauge(&key("c_total", &[]), &METADATA).set(5.0);
        exposition.register_histogram(&key("c_total", &[]), &METADATA).record(5.0);
        assert!(exposition.text().ends_with("c_total{} 1\n\n"));
    }
}
