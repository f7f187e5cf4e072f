//! What `reconcile` prints.

use serde::Serialize;

use crate::lines;

/// A line of a difference.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Difference<'a> {
    /// In the report, and no event.
    Missing { missing: &'a str, row: u64 },
    /// The same, but there are events whose reference nobody can read.
    Undecided { undecided: &'a str, row: u64 },
    /// An event, and not in the report.
    Unexpected { unexpected: Option<&'a str>, id: String, key: &'a str, event: &'a str, state: &'static str },
    /// In both, and not handled.
    Unsettled { unsettled: &'a str, id: String, state: &'static str },
}

/// The last line.
#[derive(Default, Serialize)]
pub(super) struct Summary {
    pub(super) rows: u64,
    pub(super) matched: u64,
    pub(super) missing: u64,
    pub(super) undecided: u64,
    pub(super) unexpected: u64,
    pub(super) unsettled: u64,
    /// Rows that have the reference of an earlier one.
    pub(super) repeated: u64,
    /// Rows without a reference.
    pub(super) empty: u64,
    /// Events without one.
    pub(super) without: u64,
    /// Events whose body is no JSON, or sealed.
    pub(super) unreadable: u64,
    /// Events whose body is gone.
    pub(super) gone: u64,
}

impl Summary {
    /// What was not compared is said.
    pub(super) fn warn(&self) {
        for (count, what) in [
            (self.empty, "rows of the report without a reference"),
            (self.without, "events without a reference there"),
            (self.unreadable, "events with a body that is no JSON, or is sealed"),
            (self.gone, "events with a body that is gone"),
        ] {
            if count > 0 {
                lines::say(format_args!("not compared: {what}: {count}"));
            }
        }
    }
}
