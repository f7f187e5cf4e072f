//! The one room that knows `tracing`: what is said, at which level, and never a secret or a payload.

use crate::error::{Rejection, RejectionKind};

/// A delivery was refused, or could not be handled now.
pub(crate) fn refused(rejection: &Rejection) {
    let kind = rejection.kind().as_str();
    let status = rejection.status().as_u16();
    let detail = rejection.detail();
    let source = std::error::Error::source(rejection).map(tracing::field::display);
    match rejection.kind() {
        RejectionKind::Misassembled | RejectionKind::Poisoned => {
            tracing::error!(target: "tower_webhook", kind, status, detail, source, "delivery not handled");
        }
        RejectionKind::InFlight | RejectionKind::Draining => {
            tracing::debug!(target: "tower_webhook", kind, status, detail, source, "delivery postponed");
        }
        _ => tracing::warn!(target: "tower_webhook", kind, status, detail, source, "delivery refused"),
    }
}

/// The lease of an event was lost while its work runs: refused by the store, or renewals failed in a row.
pub(crate) fn lease_lost(fence: u64, failed_renewals: u32) {
    tracing::warn!(target: "tower_webhook", fence, failed_renewals, "lease lost while the event is handled");
}

/// The work of an event is done, and the store could not be told: a repeat may run it again.
pub(crate) fn completion_unknown(fence: u64, error: &dyn std::error::Error) {
    tracing::error!(target: "tower_webhook", fence, source = %error, "event done, completion unknown to the store");
}

/// The store could not be told that an event is free: it comes free when its lease ends.
pub(crate) fn release_failed(fence: u64, error: &dyn std::error::Error) {
    tracing::warn!(target: "tower_webhook", fence, source = %error, "release failed");
}

/// An event runs without a claim, since the route says so and the store cannot say whether it is done.
pub(crate) fn unprotected(error: &dyn std::error::Error) {
    tracing::error!(target: "tower_webhook", source = %error, "event handled without protection against repeats");
}

/// Members of a delivery's events could not be read as what they should be, and are absent.
pub(crate) fn absent(provider: &str, members: &[String]) {
    if !members.is_empty() {
        let members = members.join(", ");
        tracing::warn!(target: "tower_webhook", provider, members, "members that cannot be read are absent");
    }
}
