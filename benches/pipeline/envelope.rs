//! What references read.

use serde::Deserialize;
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::aella::Transfer;

/// The typed event that the stack hands over, by serde's derive.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what counts is that they are read")]
pub(crate) struct Envelope {
    event: String,
    timestamp: Option<Timestamp>,
    data: Transfer,
}
