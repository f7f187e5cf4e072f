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
