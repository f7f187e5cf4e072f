//! What the metrics are called, and what they say. The docs, the alert rules and the dashboard have these names and no others.

use metrics::{KeyName, Recorder, Unit};

/// Of so many receivers each has series of its own; the others have one name.
pub(super) const RECEIVERS: usize = 1000;
pub(super) const OTHERS: &str = "others";

pub(super) const DELIVERIES: &str = "webhook_deliveries_total";
pub(super) const ACK_DURATION: &str = "webhook_ack_duration_seconds";
pub(super) const ACK_HEADROOM: &str = "webhook_ack_headroom_ratio";
pub(super) const HANDLER_DURATION: &str = "webhook_handler_duration_seconds";
pub(super) const LEASE_LOST: &str = "webhook_lease_lost_total";
pub(super) const KEY_USED: &str = "webhook_key_used_total";
pub(super) const LAST_ACCEPTED: &str = "webhook_last_accepted_timestamp_seconds";
pub(super) const DEACTIVATION: &str = "webhook_deactivation_seconds";
pub(super) const INBOX_READY: &str = "webhook_inbox_ready";
pub(super) const INBOX_OLDEST: &str = "webhook_inbox_oldest_age_seconds";
pub(super) const DEAD_LETTERS: &str = "webhook_dead_letters";
pub(super) const WAL_BYTES: &str = "webhook_store_wal_bytes";

/// Every metric, with its labels.
pub const METRICS: [(&str, &[&str]); 12] = [
    (DELIVERIES, &["receiver", "provider", "outcome", "reason"]),
    (ACK_DURATION, &["receiver"]),
    (ACK_HEADROOM, &["receiver"]),
    (HANDLER_DURATION, &["receiver"]),
    (LEASE_LOST, &["receiver"]),
    (KEY_USED, &["receiver", "slot"]),
    (LAST_ACCEPTED, &["receiver"]),
    (DEACTIVATION, &["receiver"]),
    (INBOX_READY, &["receiver"]),
    (INBOX_OLDEST, &["receiver"]),
    (DEAD_LETTERS, &["receiver"]),
    (WAL_BYTES, &["receiver"]),
];

/// Names, with what they say.
const COUNTERS: [(&str, &str); 3] = [
    (DELIVERIES, "What became of deliveries and their events"),
    (LEASE_LOST, "Leases that were lost while an event was handled"),
    (KEY_USED, "Deliveries by whether the key that proved them is the current one"),
];
const HISTOGRAMS: [(&str, &str); 3] = [
    (ACK_DURATION, "How long a provider waited for its answer"),
    (ACK_HEADROOM, "The share of a provider's time limit that was left at its answer"),
    (HANDLER_DURATION, "How long a handler had an event"),
];
const GAUGES: [(&str, &str); 6] = [
    (LAST_ACCEPTED, "When the last delivery came that was accepted"),
    (DEACTIVATION, "How long until the provider switches the webhook off, if nothing gets better"),
    (INBOX_READY, "Events that wait in the inbox"),
    (INBOX_OLDEST, "How long the oldest of them has been due"),
    (DEAD_LETTERS, "Events that nobody handles until somebody replays them"),
    (WAL_BYTES, "Bytes of the inbox's write-ahead log"),
];

/// Up to the times that providers wait.
const SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const SHARES: &[f64] = &[0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// The upper bounds of the buckets that the histogram of this name should have: seconds, or shares of one. For recorders that
/// have to be told.
#[must_use]
pub fn bounds(histogram: &str) -> &'static [f64] {
    if histogram == ACK_HEADROOM { SHARES } else { SECONDS }
}

/// Tells a recorder what they say.
pub(super) fn describe(recorder: &dyn Recorder) {
    let unit = |name: &str| match name {
        name if name.ends_with("_seconds") => Some(Unit::Seconds),
        WAL_BYTES => Some(Unit::Bytes),
        _ => None,
    };
    for (name, says) in COUNTERS {
        recorder.describe_counter(KeyName::from(name), unit(name), says.into());
    }
    for (name, says) in HISTOGRAMS {
        recorder.describe_histogram(KeyName::from(name), unit(name), says.into());
    }
    for (name, says) in GAUGES {
        recorder.describe_gauge(KeyName::from(name), unit(name), says.into());
    }
}
