//! Each number moves by what it counts and by nothing else, under labels from closed sets.
#![allow(clippy::cast_precision_loss, reason = "the numbers of tests are small")]

mod countdown;
#[cfg(feature = "otel")]
mod otel;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::error::{Rejection, RejectionKind};

type Values = Arc<Mutex<BTreeMap<String, f64>>>;

/// Keeps the last or the sum of each series, by its name and labels as text.
#[derive(Clone, Default)]
struct Kept(Values);

struct One(String, Values);

impl One {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut values = self.1.lock().unwrap();
        let value = values.entry(self.0.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for One {
    fn increment(&self, by: u64) {
        self.change(|value| value + by as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|_| value as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.change(|sum| sum + value);
    }
}

impl Kept {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(One(format!("{} {}", key.name(), labels.join(" ")), Arc::clone(&self.0)))
    }

    fn all(&self) -> BTreeMap<String, f64> {
        self.0.lock().unwrap().clone()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

const KEY: [u8; 32] = [1; 32];
const PROVED_AT: Timestamp = Timestamp::constant(1_900_000_000, 0);

fn begun() -> (Metrics, Kept) {
    let kept = Kept::default();
    (Metrics::on(kept.clone()), kept)
}

fn about<'a>(receiver: &'a str, key_id: Option<&'a str>) -> About<'a> {
    About { receiver, provider: "opp", key_id, proved_at: Some(PROVED_AT), key: Some(&KEY), attempt: None }
}

#[test]
fn each_fact_moves_its_own_number_and_no_other() {
    let mismatch = Rejection::new(RejectionKind::SignatureMismatch, "");
    let retry = Rejection::new(RejectionKind::HandlerRetry, "");
    let accepted = ("webhook_last_accepted_timestamp_seconds receiver=r", 1_900_000_000.0);
    let second = Duration::from_secs(1);
    let deliveries = |outcome: &str| format!("webhook_deliveries_total receiver=r provider=opp outcome={outcome}");
    let rows: Vec<(Fact<'_>, Vec<(String, f64)>)> = vec![
        (Fact::Handled, vec![(deliveries("accepted reason="), 1.0), (accepted.0.into(), accepted.1)]),
        (Fact::Stored { id: 7 }, vec![(deliveries("stored reason="), 1.0), (accepted.0.into(), accepted.1)]),
        (Fact::Replayed, vec![(deliveries("replayed reason="), 1.0), (accepted.0.into(), accepted.1)]),
        (Fact::Quarantined { id: 7 }, vec![(deliveries("stored reason=quarantined"), 1.0)]),
        (Fact::Rejected(&mismatch), vec![(deliveries("refused reason=signature_mismatch"), 1.0)]),
        (Fact::Failed(&retry), vec![(deliveries("failed reason=handler_retry"), 1.0)]),
        (Fact::Buried { reason: "canary" }, vec![(deliveries("failed reason=dead_letter"), 1.0)]),
        (Fact::Parked { reason: "canary" }, vec![(deliveries("failed reason=parked"), 1.0)]),
        (Fact::RetryLater { after: second, reason: "canary" }, vec![(deliveries("retry reason="), 1.0)]),
        (Fact::KeyUsed { scheme: "s" }, vec![("webhook_key_used_total receiver=r slot=old".into(), 1.0)]),
        (Fact::LeaseLost { failed_renewals: 0 }, vec![("webhook_lease_lost_total receiver=r".into(), 1.0)]),
        (Fact::HandlerEnded { after: second }, vec![("webhook_handler_duration_seconds receiver=r".into(), 1.0)]),
        (
            Fact::Answered { after: second, within: Some(second * 10) },
            vec![
                ("webhook_ack_duration_seconds receiver=r".into(), 1.0),
                ("webhook_ack_headroom_ratio receiver=r".into(), 0.9),
            ],
        ),
        (Fact::Answered { after: second, within: None }, vec![("webhook_ack_duration_seconds receiver=r".into(), 1.0)]),
        (Fact::Accepted { events: 1 }, vec![]),
        (Fact::OtherPayload, vec![]),
    ];
    for (fact, moved) in rows {
        let (metrics, kept) = begun();
        metrics.know("r", "opp", Known { current_key: Some("new".into()), ..Known::default() });
        let before = kept.all();
        metrics.observe(&fact, &about("r", Some("earlier")));
        let after = kept.all();
        let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
        let changed: Vec<_> = changed.map(|(name, value)| (name.clone(), *value)).collect();
        let mut moved = moved;
        moved.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(changed, moved, "{fact:?}");
    }
}

#[test]
fn what_a_worker_handles_is_no_sign_of_the_sender() {
    let last = "webhook_last_accepted_timestamp_seconds receiver=r";
    let (metrics, kept) = begun();
    let later = About { proved_at: None, ..about("r", None) };
    metrics.observe(&Fact::Handled, &later);
    assert_eq!(kept.all()["webhook_deliveries_total receiver=r provider=opp outcome=accepted reason="], 1.0);
    assert_eq!(kept.all().get(last), None);
    metrics.observe(&Fact::Stored { id: 7 }, &about("r", None));
    let at = kept.all()[last];
    metrics.observe(&Fact::Handled, &later);
    assert_eq!(kept.all()[last], at);
}

#[test]
fn a_late_answer_has_no_headroom_and_one_at_once_has_all() {
    for (after, left) in [(0, 1.0), (5, 0.5), (10, 0.0), (11, 0.0)] {
        let (metrics, kept) = begun();
        let after = Duration::from_secs(after);
        metrics.observe(&Fact::Answered { after, within: Some(Duration::from_secs(10)) }, &about("r", None));
        assert_eq!(kept.all()["webhook_ack_headroom_ratio receiver=r"], left, "{after:?}");
    }
}

#[test]
fn the_slot_is_that_of_the_key_that_was_used() {
    for (current, used, slot) in [
        (Some("new"), Some("new"), "current"),
        (Some("new"), Some("old"), "old"),
        (None, Some("old"), "unknown"),
        (Some("new"), None, "unknown"),
    ] {
        let (metrics, kept) = begun();
        metrics.know("r", "opp", Known { current_key: current.map(str::to_owned), ..Known::default() });
        metrics.observe(&Fact::KeyUsed { scheme: "s" }, &about("r", used));
        let name = format!("webhook_key_used_total receiver=r slot={slot}");
        assert_eq!(kept.all()[&name], 1.0, "{current:?} {used:?}");
    }
}

#[test]
fn what_a_layer_alone_reports_is_not_counted() {
    let (metrics, kept) = begun();
    metrics.observe(&Fact::Handled, &about("", None));
    assert_eq!(kept.all(), BTreeMap::new());
}

#[test]
fn an_inbox_has_its_numbers_under_the_name_of_all() {
    let (metrics, kept) = begun();
    metrics.inbox(InboxLevels::new(3, 1.5, 2).wal_bytes(4096));
    let expected = [
        ("webhook_dead_letters receiver=*", 2.0),
        ("webhook_inbox_oldest_age_seconds receiver=*", 1.5),
        ("webhook_inbox_ready receiver=*", 3.0),
        ("webhook_store_wal_bytes receiver=*", 4096.0),
    ];
    assert_eq!(kept.all(), expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn an_inbox_whose_events_are_known_has_its_numbers_by_receiver() {
    let (metrics, kept) = begun();
    metrics.inbox_of(InboxLevels::new(3, 1.5, 2), [("r", InboxLevels::new(1, 1.5, 2))]);
    let expected = [
        ("webhook_dead_letters receiver=*", 0.0),
        ("webhook_dead_letters receiver=r", 2.0),
        ("webhook_inbox_oldest_age_seconds receiver=*", 0.0),
        ("webhook_inbox_oldest_age_seconds receiver=r", 1.5),
        ("webhook_inbox_ready receiver=*", 2.0),
        ("webhook_inbox_ready receiver=r", 1.0),
    ];
    assert_eq!(kept.all(), expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn however_many_receivers_are_named_the_series_are_bounded() {
    let (metrics, kept) = begun();
    for number in 0..2 * RECEIVERS {
        metrics.observe(&Fact::Handled, &about(&number.to_string(), None));
    }
    let names = kept.all();
    let handled: Vec<_> = names.iter().filter(|(name, _)| name.starts_with("webhook_deliveries_total")).collect();
    assert_eq!(handled.len(), RECEIVERS + 1);
    let others = &names["webhook_deliveries_total receiver=others provider= outcome=accepted reason="];
    assert_eq!(*others, RECEIVERS as f64);
}

#[test]
fn one_for_a_receiver_alone_counts_with_the_others() {
    let (metrics, kept) = begun();
    let one = metrics.of_receiver("r", "opp").unwrap();
    assert_eq!(kept.all(), BTreeMap::new(), "nothing is registered before the first fact");
    one.observe(&Fact::Handled, &about("r", None));
    metrics.observe(&Fact::Handled, &about("r", None));
    metrics.know("r", "opp", Known::default().current_key("new"));
    one.observe(&Fact::KeyUsed { scheme: "s" }, &about("r", Some("new")));
    let all = kept.all();
    assert_eq!(all["webhook_deliveries_total receiver=r provider=opp outcome=accepted reason="], 2.0);
    assert_eq!(all["webhook_key_used_total receiver=r slot=current"], 1.0);
    assert!(metrics.of_receiver("", "").is_none(), "what a layer alone reports is not counted");
}

proptest! {
    #[test]
    fn nothing_that_a_peer_says_becomes_a_label(text in any::<String>(), which in 0..RejectionKind::ALL.len()) {
        let (metrics, kept) = begun();
        let kind = RejectionKind::ALL[which];
        let rejection = Rejection::new(kind, text.clone()).received_by(text.as_str());
        let error = std::io::Error::other(text.clone());
        let names = [text.clone()];
        for fact in [
            Fact::Rejected(&rejection),
            Fact::Failed(&rejection),
            Fact::AcknowledgedUnhandled(&rejection),
            Fact::MembersAbsent { names: &names },
            Fact::StoreDown(&error),
            Fact::RetryLater { after: Duration::ZERO, reason: &text },
            Fact::Buried { reason: &text },
            Fact::Parked { reason: &text },
            Fact::KeyUsed { scheme: "s" },
        ] {
            metrics.observe(&fact, &about("r", Some(&text)));
        }
        let reasons: Vec<&str> = RejectionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let own = ["r", "opp", "refused", "failed", "retry", "", "dead_letter", "parked", "unknown"];
        for name in kept.all().keys() {
            let (metric, labels) = name.split_once(' ').unwrap();
            let known = METRICS.iter().find(|(known, _)| *known == metric).unwrap().1;
            let labels: Vec<(&str, &str)> = labels.split(' ').map(|label| label.split_once('=').unwrap()).collect();
            prop_assert_eq!(labels.iter().map(|label| label.0).collect::<Vec<_>>(), known);
            for (label, value) in labels {
                prop_assert!(own.contains(&value) || reasons.contains(&value), "{}={}", label, value);
            }
        }
    }
}
