//! What came of a run, on one page and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::counts::Counts;
use crate::sender::ledger::{Broken, Ledger};

/// What came of a run. [`is_happy`](Self::is_happy) says whether everything that has to be 0 is.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Events in requests, in every try and every copy.
    pub sent: u64,
    /// Requests.
    pub requests: u64,
    /// Events, each of which had to be handled once.
    pub events: u64,
    /// Those whose sender had a 2xx.
    pub accepted: u64,
    /// Deliveries that had to be refused, and were.
    pub refused: u64,
    /// Events that were accepted and never handled.
    pub lost: u64,
    /// Calls of a handler that came again as they may: with a higher fence, before the sender had a 2xx, or where events are stored
    /// first, before they were done or when the receiver went down.
    pub called_again: u64,
    /// Calls that came again as they must not.
    pub handled_twice: u64,
    /// What had to be refused, and was answered 2xx or handled.
    pub wrongly_accepted: u64,
    /// What had to be accepted, and was refused.
    pub wrongly_refused: u64,
    /// Events that were not accepted to the end.
    pub unsettled: u64,
    /// Events whose sender had a 2xx before a handler was done, where nothing is stored before.
    pub answered_early: u64,
    /// Events that were handled behind a later one of their lane, where lanes are kept in order.
    pub out_of_order: u64,
    /// Events that were first called behind a later one of their lane, whether or not that is promised.
    pub overtaken: u64,
    /// How long an answer that counts took, in milliseconds: half of them were there by then.
    pub p50_ms: f64,
    /// The same for 99 of 100.
    pub p99_ms: f64,
    /// What the providers would have switched off, and when.
    pub switched_off: Vec<String>,
    /// What came of each event, as one number.
    pub hash: String,
    /// A command that does the same again.
    pub replay: String,
    /// The first few broken promises.
    #[serde(skip)]
    pub examples: Vec<String>,
    /// Faults that were aimed at one delivery and not done, and why.
    #[serde(skip)]
    pub not_done: Vec<String>,
}

impl Report {
    pub(super) fn of(ledger: &Ledger, counts: &Counts, took: &mut [u32]) -> Self {
        let tally = ledger.close();
        took.sort_unstable();
        let count = |broken| tally.count(broken);
        Self {
            sent: counts.sent(),
            requests: counts.requests(),
            events: tally.events,
            accepted: tally.accepted,
            refused: counts.refused(),
            lost: count(Broken::Lost),
            called_again: tally.called_again,
            handled_twice: count(Broken::HandledTwice),
            wrongly_accepted: count(Broken::WronglyAccepted),
            wrongly_refused: count(Broken::WronglyRefused),
            unsettled: count(Broken::Unsettled),
            answered_early: count(Broken::AnsweredEarly),
            out_of_order: count(Broken::OutOfOrder),
            overtaken: tally.overtaken,
            p50_ms: percentile(took, 50),
            p99_ms: percentile(took, 99),
            switched_off: Vec::new(),
            hash: format!("{:016x}", ledger.hash()),
            replay: String::new(),
            examples: ledger.examples(),
            not_done: Vec::new(),
        }
    }

    /// Whether no promise was broken, and no provider would have switched anything off.
    #[must_use]
    pub fn is_happy(&self) -> bool {
        Broken::ALL.into_iter().all(|promise| self.count(promise) == 0) && self.switched_off.is_empty()
    }

    /// How often this promise was broken.
    #[must_use]
    pub fn count(&self, promise: Broken) -> u64 {
        match promise {
            Broken::Lost => self.lost,
            Broken::HandledTwice => self.handled_twice,
            Broken::WronglyAccepted => self.wrongly_accepted,
            Broken::WronglyRefused => self.wrongly_refused,
            Broken::Unsettled => self.unsettled,
            Broken::AnsweredEarly => self.answered_early,
            Broken::OutOfOrder => self.out_of_order,
        }
    }
}

/// In milliseconds, of sorted microseconds.
fn percentile(sorted: &[u32], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

/// A length of time on a ladder, as people say it.
pub(super) fn on_the_ladder(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("T+{seconds} s"),
        120..7200 => format!("T+{} min", seconds / 60),
        7200..604_800 => format!("T+{} h", seconds / 3600),
        _ => format!("T+{} d", seconds / 86_400),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, events, accepted, refused, called_again, p50_ms, p99_ms, .. } = self;
        writeln!(f, "{events} events, {accepted} accepted; {requests} requests, {refused} refused as they had to be")?;
        writeln!(f, "called again, as it may be: {called_again}; answers: p50 {p50_ms} ms, p99 {p99_ms} ms")?;
        for promise in Broken::ALL {
            let count = self.count(promise);
            writeln!(f, "{} {promise}: {count}", if count == 0 { "ok  " } else { "FAIL" })?;
        }
        for line in self.switched_off.iter().chain(&self.examples).chain(&self.not_done) {
            writeln!(f, "     {line}")?;
        }
        write!(f, "again: {}", self.replay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<u32> = (1..=200).map(|at| at * 1000).collect();
        assert_eq!((percentile(&sorted, 50), percentile(&sorted, 99)), (100.0, 198.0));
        assert_eq!((percentile(&[], 99), percentile(&[7], 50)), (0.0, 0.007));
    }

    #[test]
    fn times_are_said_in_their_unit() {
        let said = [90, 600, 48 * 3600, 30 * 86_400].map(|seconds| on_the_ladder(Duration::from_secs(seconds)));
        assert_eq!(said, ["T+90 s", "T+10 min", "T+48 h", "T+30 d"]);
    }

    #[test]
    fn one_broken_promise_or_one_webhook_that_is_off_is_enough() {
        assert!(Report::default().is_happy());
        assert!(!Report { lost: 1, ..Report::default() }.is_happy());
        assert!(!Report { answered_early: 1, ..Report::default() }.is_happy());
        let off = Report { switched_off: vec!["opp".into()], ..Report::default() };
        assert!(!off.is_happy() && off.to_string().contains("\n     opp\n"));
        assert!(Report { called_again: 9, refused: 9, ..Report::default() }.is_happy());
    }
}
