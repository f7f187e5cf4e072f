//! What happened to an event, for every engine.

use jiff::Timestamp;

use super::{Stored, StoredState};

/// When, what, and why.
pub(super) type Step = (Timestamp, String, Option<String>);

/// The steps that were written down, with those that its row says: when it was accepted, and when it was done.
///
/// What was erased counts as done. Whether it was handled before says its end: any other has a step of its own.
pub(super) fn whole(stored: &Stored, ended: Option<Timestamp>, mut steps: Vec<Step>) -> Vec<Step> {
    if let (StoredState::Done, Some(at)) = (stored.state, ended) {
        let erased = steps.iter().position(|(_, what, _)| what == "erased");
        if erased.is_none() || steps.iter().all(|(when, ..)| *when != at) {
            steps.insert(erased.unwrap_or(steps.len()), (at, "done".to_owned(), None));
        }
    }
    steps.insert(0, (stored.received_at, "accepted".to_owned(), None));
    steps
}
