//! A meter of OpenTelemetry as a recorder. Nothing else in this crate knows that API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{self as otel, Meter};

use super::names::bounds;

/// An instrument of the meter for each metric, made when it is described.
pub(super) struct OfMeter {
    meter: Meter,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    counters: HashMap<String, otel::Counter<u64>>,
    gauges: HashMap<String, otel::Gauge<f64>>,
    histograms: HashMap<String, otel::Histogram<f64>>,
}

impl OfMeter {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, made: Mutex::default() }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As UCUM writes it.
fn ucum(unit: Option<Unit>) -> &'static str {
    match unit {
        Some(Unit::Seconds) => "s",
        Some(Unit::Bytes) => "By",
        _ => "",
    }
}

/// An instrument, and the labels of one series of it.
struct Series<T>(T, Vec<KeyValue>);

impl<T: Clone> Series<T> {
    /// `None`: nobody has described it.
    fn of(instruments: &HashMap<String, T>, key: &Key) -> Option<Arc<Self>> {
        let label = |label: &metrics::Label| KeyValue::new(label.key().to_owned(), label.value().to_owned());
        Some(Arc::new(Self(instruments.get(key.name())?.clone(), key.labels().map(label).collect())))
    }
}

impl CounterFn for Series<otel::Counter<u64>> {
    fn increment(&self, by: u64) {
        self.0.add(by, &self.1);
    }

    /// Said of none of these.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Series<otel::Gauge<f64>> {
    fn set(&self, value: f64) {
        self.0.record(value, &self.1);
    }

    /// Said of none of these, nor is the other.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}
}

impl HistogramFn for Series<otel::Histogram<f64>> {
    fn record(&self, value: f64) {
        self.0.record(value, &self.1);
    }
}

impl Recorder for OfMeter {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, says: SharedString) {
        let name = name.as_str().to_owned();
        let builder = self.meter.u64_counter(name.clone()).with_unit(ucum(unit)).with_description(says.into_owned());
        self.made().counters.insert(name, builder.build());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, says: SharedString) {
        let name = name.as_str().to_owned();
        let builder = self.meter.f64_gauge(name.clone()).with_unit(ucum(unit)).with_description(says.into_owned());
        self.made().gauges.insert(name, builder.build());
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, says: SharedString) {
        let name = name.as_str().to_owned();
        // The SDK's own are milliseconds.
        let bounds = bounds(&name).to_vec();
        let builder = self.meter.f64_histogram(name.clone()).with_unit(ucum(unit)).with_boundaries(bounds);
        self.made().histograms.insert(name, builder.with_description(says.into_owned()).build());
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Series::of(&self.made().counters, key).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Series::of(&self.made().gauges, key).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Series::of(&self.made().histograms, key).map_or_else(Histogram::noop, Histogram::from_arc)
    }
}
