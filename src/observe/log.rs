//! The one room that knows `tracing`: what is said, at which level, and never a secret or a payload.

use crate::error::{Rejection, RejectionKind};

/// A delivery was refused, or could not be handled now.
pub(crate) fn rejected(rejection: &Rejection) {
    let kind = rejection.kind().as_str();
    let status = rejection.status().as_u16();
    let detail = rejection.detail();
    let receiver = rejection.receiver();
    let source = std::error::Error::source(rejection).map(|source| tracing::field::display(format!("{source:#}")));
    match rejection.kind() {
        RejectionKind::Misassembled | RejectionKind::Poisoned | RejectionKind::HandlerTimedOut => {
            tracing::error!(target: "tower_webhook", receiver, kind, status, detail, source, "delivery not handled");
        }
        RejectionKind::InFlight | RejectionKind::Resting | RejectionKind::Draining => {
            tracing::debug!(target: "tower_webhook", receiver, kind, status, detail, source, "delivery rejected for now");
        }
        _ => tracing::warn!(target: "tower_webhook", receiver, kind, status, detail, source, "delivery rejected"),
    }
}

/// Another event under a known key was acknowledged and not handled, since the route says so.
pub(crate) fn acknowledged_unhandled(rejection: &Rejection, key: &dyn std::fmt::Debug) {
    let (receiver, kind, detail) = (rejection.receiver(), rejection.kind().as_str(), rejection.detail());
    tracing::error!(target: "tower_webhook", receiver, kind, detail, ?key, "event acknowledged and not handled");
}

/// The key of an event that runs was known with another payload, which nobody completed: somebody should look which
/// of the two the sender means.
pub(crate) fn other_payload(receiver: &str, fence: u64) {
    let message = "the key was known with another payload that nobody completed; the event runs";
    tracing::error!(target: "tower_webhook", receiver, fence, "{message}");
}

/// The lease of an event was lost while its work runs: refused by the store, or renewals failed in a row.
pub(crate) fn lease_lost(receiver: &str, fence: u64, failed_renewals: u32) {
    tracing::warn!(target: "tower_webhook", receiver, fence, failed_renewals, "lease lost while the event is handled");
}

/// A lease had run out before it was renewed. Most likely a handler blocks its thread.
pub(crate) fn renewed_late(receiver: &str, fence: u64) {
    tracing::warn!(target: "tower_webhook", receiver, fence, "lease renewed only after it had run out");
}

/// A handler has had its event for several leases.
pub(crate) fn handler_slow(receiver: &str, fence: u64, seconds: u64) {
    tracing::warn!(target: "tower_webhook", receiver, fence, seconds, "handler still at work");
}

/// A handler has reached its limit: it is told, and then dropped.
pub(crate) fn handler_timed_out(receiver: &str, fence: Option<u64>, seconds: u64) {
    tracing::error!(target: "tower_webhook", receiver, fence, seconds, "handler at its limit, and about to be dropped");
}

/// The answer of a handled event was not held back any longer for the store, which is still told in the background.
pub(crate) fn completion_late(receiver: &str, fence: u64) {
    tracing::warn!(target: "tower_webhook", receiver, fence, "event done and answered, the store does not know it yet");
}

/// The work of an event is done, and the store could not be told: a repeat may run it again.
pub(crate) fn completion_unknown(receiver: &str, fence: u64, error: &dyn std::error::Error) {
    tracing::error!(
        target: "tower_webhook", receiver, fence, source = %format_args!("{error:#}"), "event done, completion unknown to the store"
    );
}

/// The work of an event is done and answered, and another has taken its key meanwhile: it may have run twice.
pub(crate) fn completion_lost(receiver: &str, fence: u64) {
    tracing::error!(target: "tower_webhook", receiver, fence, "event done and answered, and taken by another meanwhile");
}

/// The store could not be told that an event is free: it comes free when its lease ends.
pub(crate) fn release_failed(receiver: &str, fence: u64, error: &dyn std::error::Error) {
    tracing::warn!(target: "tower_webhook", receiver, fence, source = %format_args!("{error:#}"), "release failed");
}

/// An event runs without a claim, since the route says so and the store cannot say whether it is done.
pub(crate) fn unprotected(receiver: &str, error: &dyn std::error::Error) {
    tracing::error!(
        target: "tower_webhook", receiver, source = %format_args!("{error:#}"), "event handled without protection against repeats"
    );
}

/// A receiver is built with a store that knows nothing after a restart.
pub(crate) fn forgets_at_exit(receiver: &str, provider: &str) {
    tracing::warn!(
        target: "tower_webhook", receiver, provider,
        "the dedupe store forgets when the process ends: what a sender repeats after that is handled again"
    );
}

/// Members of a delivery's events could not be read as what they should be, and are absent.
pub(crate) fn absent(provider: &str, members: &[String]) {
    if !members.is_empty() {
        let members = members.join(", ");
        tracing::warn!(target: "tower_webhook", provider, members, "members that cannot be read are absent");
    }
}
