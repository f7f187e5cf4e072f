//! What a run is to be.

use std::time::Duration;

use jiff::Timestamp;

use super::faults::Faults;

/// What is drawn and how, the same for every delivery.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) stamp: u32,
    pub(super) events: u64,
    pub(super) faults: Faults,
    pub(super) concurrency: usize,
    pub(super) compressed: u32,
    pub(super) heal: Duration,
    pub(super) insists: bool,
    pub(super) epoch: Timestamp,
}
