//! A meter of OpenTelemetry says the same as any recorder.

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use super::*;

struct Exported {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Exported {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).with_interval(Duration::from_secs(3600)).build();
        Self { provider: SdkMeterProvider::builder().with_reader(reader).build(), exporter }
    }

    fn metrics(&self) -> Metrics {
        Metrics::of_meter(self.provider.meter("tower-webhook"))
    }

    fn each<T>(&self, of: impl Fn(&Metric) -> Vec<T>) -> Vec<T> {
        self.provider.force_flush().unwrap();
        let last = self.exporter.get_finished_metrics().unwrap().pop();
        let scopes = last.iter().flat_map(|last| last.scope_metrics());
        scopes.flat_map(|scope| scope.metrics()).flat_map(of).collect()
    }

    /// The values as [`Kept`] has them: the last of a gauge, the sum of the others.
    fn all(&self) -> BTreeMap<String, f64> {
        self.each(points).into_iter().collect()
    }
}

fn points(metric: &Metric) -> Vec<(String, f64)> {
    let mut points: Vec<(Vec<_>, f64)> = Vec::new();
    let labels = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
        attributes.map(|label| (label.key.to_string(), label.value.to_string())).collect::<Vec<_>>()
    };
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            points.extend(sum.data_points().map(|one| (labels(&mut one.attributes()), one.value() as f64)));
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            points.extend(gauge.data_points().map(|one| (labels(&mut one.attributes()), one.value())));
        }
        AggregatedMetrics::F64(MetricData::Histogram(all)) => {
            points.extend(all.data_points().map(|one| (labels(&mut one.attributes()), one.sum())));
        }
        other => panic!("{}: {other:?}", metric.name()),
    }
    let name = |mut labels: Vec<(String, String)>| {
        let order = METRICS.iter().find(|(name, _)| *name == metric.name()).unwrap().1;
        labels.sort_by_key(|(label, _)| order.iter().position(|known| known == label));
        let labels: Vec<_> = labels.into_iter().map(|(label, value)| format!("{label}={value}")).collect();
        format!("{} {}", metric.name(), labels.join(" "))
    };
    points.into_iter().map(|(labels, value)| (name(labels), value)).collect()
}

/// Everything that moves a number.
fn move_all(metrics: &Metrics) {
    let rejection = Rejection::new(RejectionKind::SignatureMismatch, "");
    let second = Duration::from_secs(1);
    metrics.know("r", "opp", Known::default().current_key("new").switched_off_after(second * 100));
    for fact in [
        Fact::Handled,
        Fact::Replayed,
        Fact::Rejected(&rejection),
        Fact::Failed(&rejection),
        Fact::Stored { id: 7 },
        Fact::RetryLater { after: second, reason: "" },
        Fact::KeyUsed { scheme: "s" },
        Fact::LeaseLost { failed_renewals: 0 },
        Fact::HandlerEnded { after: second },
        Fact::Answered { after: second, within: Some(second * 10) },
        Fact::Handled,
    ] {
        metrics.observe(&fact, &about("r", Some("new")));
    }
    metrics.refresh();
    metrics.inbox(InboxLevels::new(3, 1.5, 2).wal_bytes(4096));
}

/// Which metrics have no series among these.
fn unmoved(series: &BTreeMap<String, f64>) -> Vec<&'static str> {
    let is_there = |name: &str| series.keys().any(|series| series.split(' ').next() == Some(name));
    METRICS.iter().map(|(name, _)| *name).filter(|name| !is_there(name)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_meter_says_of_every_metric_what_any_recorder_says() {
    let (plain, kept) = begun();
    let exported = Exported::new();
    move_all(&plain);
    move_all(&exported.metrics());
    assert_eq!(unmoved(&exported.all()), Vec::<&str>::new());
    assert_eq!(exported.all(), kept.all());
}

#[test]
fn what_nothing_has_moved_is_not_there() {
    let exported = Exported::new();
    exported.metrics().observe(&Fact::LeaseLost { failed_renewals: 0 }, &about("r", None));
    let unmoved = unmoved(&exported.all());
    assert_eq!(unmoved.len(), METRICS.len() - 1, "{unmoved:?}");
    assert!(!unmoved.contains(&names::LEASE_LOST), "{unmoved:?}");
}

#[tokio::test(start_paused = true)]
async fn units_and_bounds_are_those_of_the_names() {
    let exported = Exported::new();
    move_all(&exported.metrics());
    let wrong = exported.each(|metric| {
        let name = metric.name();
        let unit = if name.ends_with("_seconds") {
            "s"
        } else if name.ends_with("_bytes") {
            "By"
        } else {
            ""
        };
        let most = match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(all)) => all.data_points().flat_map(|one| one.bounds()).last(),
            _ => None,
        };
        let longest = if name.ends_with("_ratio") { 0.99 } else { 60.0 };
        let fits = metric.unit() == unit && most.is_none_or(|most| most == longest) && !metric.description().is_empty();
        if fits { vec![] } else { vec![format!("{name} {} {most:?}", metric.unit())] }
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_receiver_has_a_series_of_one_instrument() {
    let exported = Exported::new();
    let metrics = exported.metrics();
    for number in 0..100 {
        metrics.observe(&Fact::LeaseLost { failed_renewals: 0 }, &about(&number.to_string(), None));
        metrics.inbox(InboxLevels::new(number, 0.0, 0));
    }
    let names = exported.each(|metric| vec![metric.name().to_owned()]);
    let lost = exported.all().keys().filter(|series| series.starts_with(names::LEASE_LOST)).count();
    assert_eq!((names.iter().filter(|name| *name == names::LEASE_LOST).count(), lost), (1, 100));
    assert_eq!(exported.all()["webhook_inbox_ready receiver=*"], 99.0);
}
