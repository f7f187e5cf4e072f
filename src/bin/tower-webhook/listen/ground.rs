//! What stays, whatever the file says next.

use tower_webhook::delivery::Drain;
use tower_webhook::idempotency::UnprotectedRuns;
use tower_webhook::observe::Metrics;

use super::opening::Intake;
use super::voice::Voice;

/// What stays, so that no event is forgotten, and all that is in hand is waited for.
pub(super) struct Ground {
    pub(super) intake: Intake,
    pub(super) voice: Voice,
    pub(super) drain: Drain,
    pub(super) unprotected: UnprotectedRuns,
    pub(super) metrics: Option<Metrics>,
}
