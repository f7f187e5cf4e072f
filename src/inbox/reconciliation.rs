//! [`Reconciliation`]: a provider's own report against what arrived.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use super::store::StoredState;

/// Compares the references of a provider's report with those of stored events, since webhooks do not replace reconciliation:
/// first [`expect`](Self::expect) for each row of the report, then [`arrived`](Self::arrived) for each event.
///
/// It knows neither how a report is written nor where an event has its reference: `tower-webhook reconcile` does.
///
/// ```
/// use tower_webhook::inbox::{Arrived, Reconciliation, StoredState};
///
/// let mut report = Reconciliation::of(["p-1", "p-2", "", "p-3", "p-1"])?;
/// assert_eq!((report.rows(), report.empty(), report.repeated()), (5, 1, 1));
///
/// assert_eq!(report.arrived("p-1", StoredState::Done), Arrived::Settled);
/// assert_eq!(report.arrived("p-3", StoredState::Dead), Arrived::Unsettled);
/// assert_eq!(report.arrived("p-9", StoredState::Done), Arrived::Unexpected);
/// assert_eq!((report.matched(), report.missing()), (2, vec![(2, "p-2")]));
/// # Ok::<(), tower_webhook::inbox::ReportError>(())
/// ```
#[derive(Default)]
pub struct Reconciliation {
    expected: HashMap<Box<str>, Row>,
    rows: u64,
    empty: u64,
    repeated: u64,
}

struct Row {
    number: u64,
    has_arrived: bool,
}

impl Reconciliation {
    /// So many different references may a report have.
    pub const MAX_REFERENCES: usize = 1_000_000;
    /// So long may one be, in bytes.
    pub const MAX_LENGTH: usize = 256;

    /// Of a report without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a report whose rows have these references, in their order.
    ///
    /// # Errors
    ///
    /// As [`expect`](Self::expect).
    pub fn of<R: AsRef<str>>(references: impl IntoIterator<Item = R>) -> Result<Self, ReportError> {
        let mut report = Self::new();
        references.into_iter().try_for_each(|reference| report.expect(reference.as_ref()))?;
        Ok(report)
    }

    /// The next row of the report has this reference; empty: none. A reference that stands there already is counted and is no other.
    ///
    /// # Errors
    ///
    /// [`ReportError`]: there are too many references, or this one is too long. It is not counted then.
    pub fn expect(&mut self, reference: &str) -> Result<(), ReportError> {
        if reference.len() > Self::MAX_LENGTH {
            return Err(ReportError::TooLong);
        }
        let number = self.rows.saturating_add(1);
        if reference.is_empty() {
            self.empty = self.empty.saturating_add(1);
        } else if self.expected.contains_key(reference) {
            self.repeated = self.repeated.saturating_add(1);
        } else if self.expected.len() >= Self::MAX_REFERENCES {
            return Err(ReportError::TooMany);
        } else {
            self.expected.insert(reference.into(), Row { number, has_arrived: false });
        }
        self.rows = number;
        Ok(())
    }

    /// An event of this reference arrived, and stands there. Any number of events may have one reference.
    pub fn arrived(&mut self, reference: &str, state: StoredState) -> Arrived {
        let Some(row) = self.expected.get_mut(reference) else { return Arrived::Unexpected };
        row.has_arrived = true;
        if state == StoredState::Done { Arrived::Settled } else { Arrived::Unsettled }
    }

    /// What no event has: the number of the row, from 1, and its reference, in the order of the report.
    #[must_use]
    pub fn missing(&self) -> Vec<(u64, &str)> {
        let missing = self.expected.iter().filter(|(_, row)| !row.has_arrived);
        let mut missing: Vec<_> = missing.map(|(reference, row)| (row.number, &**reference)).collect();
        missing.sort_unstable();
        missing
    }

    /// How many rows the report has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of these have no reference: nobody knows whether their event arrived.
    #[must_use]
    pub fn empty(&self) -> u64 {
        self.empty
    }

    /// How many have the reference of an earlier one.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// How many references have an event.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.expected.values().filter(|row| row.has_arrived).count() as u64
    }
}

/// Without what the report says.
impl fmt::Debug for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciliation")
            .field("rows", &self.rows)
            .field("matched", &self.matched())
            .finish_non_exhaustive()
    }
}

/// What an event is to a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Arrived {
    /// It is in the report, and was handled.
    Settled,
    /// It is in the report, and was not handled.
    Unsettled,
    /// The report has no such reference.
    Unexpected,
}

/// Why a row of a report was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReportError {
    /// There are [as many references](Reconciliation::MAX_REFERENCES) as may be.
    TooMany,
    /// The reference is [longer](Reconciliation::MAX_LENGTH) than one may be.
    TooLong,
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "there are more than {} references", Reconciliation::MAX_REFERENCES),
            Self::TooLong => write!(f, "the reference is longer than {} bytes", Reconciliation::MAX_LENGTH),
        }
    }
}

impl Error for ReportError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_reference_match_one_row_whatever_their_state() {
        for state in StoredState::ALL {
            let mut report = Reconciliation::of(["a", "b"]).unwrap();
            let told = if state == StoredState::Done { Arrived::Settled } else { Arrived::Unsettled };
            assert_eq!([report.arrived("a", state), report.arrived("a", state)], [told; 2], "{state:?}");
            assert_eq!((report.matched(), report.missing()), (1, vec![(2, "b")]), "{state:?}");
        }
    }

    #[test]
    fn a_reference_is_told_once_by_its_first_row_and_an_empty_one_never() {
        let mut report = Reconciliation::of(["", "b", "a", "b", "A", ""]).unwrap();
        assert_eq!(report.missing(), [(2, "b"), (3, "a"), (5, "A")]);
        assert_eq!((report.rows(), report.empty(), report.repeated(), report.matched()), (6, 2, 1, 0));
        assert_eq!(report.arrived("", StoredState::Done), Arrived::Unexpected, "no row is guessed at");
    }

    #[test]
    fn a_report_is_bounded_and_a_row_too_many_changes_nothing() {
        let mut report = Reconciliation::new();
        assert_eq!(report.expect(&"x".repeat(Reconciliation::MAX_LENGTH)), Ok(()));
        assert_eq!(report.expect(&"x".repeat(Reconciliation::MAX_LENGTH + 1)), Err(ReportError::TooLong));
        for number in 1..Reconciliation::MAX_REFERENCES {
            report.expect(&number.to_string()).unwrap();
        }
        assert_eq!(report.expect("one more"), Err(ReportError::TooMany));
        assert_eq!((report.expect("1"), report.expect("")), (Ok(()), Ok(())), "these take no room");
        assert_eq!(report.missing().len(), Reconciliation::MAX_REFERENCES);
        assert_eq!(report.rows(), 1_000_002);
        assert!(!format!("{report:?}").contains("xx"));
    }
}
