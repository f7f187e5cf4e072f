//! Whether a history can have happened: for each key, one order of its calls that respects who was answered before
//! whom was asked, and in which the model says what was said.
//!
//! The search is that of Wing and Gong with Lowe's memory of where it was before. A call whose outcome nobody knows
//! may stand anywhere after its sending, or nowhere. Leases and retentions count: a call took effect between its
//! sending and its answer, and an end that may or may not have come by then is tried both ways. Each pair of calls is
//! judged like this, never three at once: so a history that is right is never refused, and one in which only a chain
//! of ends is wrong may pass.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tower_webhook::idempotency::Key;

use super::history::{Event, History};
use super::model::{Room, Row, Span, possible};

/// What the checker grants a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grants {
    /// How far off the store's clock may be.
    pub(crate) slack: Duration,
    /// Whether its client may send a call again by itself: then each call may take effect once more, at any later time.
    pub(crate) resends: bool,
}

/// A key whose history cannot have happened.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) key: Key,
    events: Vec<Event>,
    /// The most calls that fit, by number.
    fitted: u128,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitted = self.fitted.count_ones();
        writeln!(f, "{:?}: of {} calls, no order explains more than these {fitted}:", self.key, self.events.len())?;
        for (number, event) in self.events.iter().enumerate() {
            let mark = if self.fitted >> number & 1 == 1 { "+" } else { " " };
            writeln!(f, "  {mark} {event}")?;
        }
        Ok(())
    }
}

/// Looks at every key.
pub(crate) fn check(history: &History, grants: Grants) -> Result<(), Violation> {
    for (key, mut events) in history.by_key() {
        if grants.resends {
            let again = events.iter().map(|event| Event { told: None, ..event.clone() });
            events = events.iter().cloned().chain(again.collect::<Vec<_>>()).collect();
        }
        events.sort_by_key(|event| event.asked);
        assert!(events.len() <= 128, "{key:?} has {} calls: spread them over more keys", events.len());
        let mut search = Search { events: &events, slack: grants.slack, been: HashSet::new(), fitted: 0 };
        if !search.explains(0, None) {
            let fitted = search.fitted;
            return Err(Violation { key, events, fitted });
        }
    }
    Ok(())
}

struct Search<'a> {
    events: &'a [Event],
    slack: Duration,
    been: HashSet<(u128, Option<Row>)>,
    fitted: u128,
}

impl Search<'_> {
    /// Whether the rest can follow, where those calls are done and left that row.
    fn explains(&mut self, done: u128, row: Option<Row>) -> bool {
        if done.count_ones() > self.fitted.count_ones() {
            self.fitted = done;
        }
        // Nothing comes after an answer that was asked for only then.
        let Some(first_answer) = self.open(done).filter_map(|(_, event)| Some(event.told.as_ref()?.0)).min() else {
            return true;
        };
        if !self.been.insert((done, row.clone())) {
            return false;
        }
        let events = self.events;
        let last_asked = (0..events.len()).filter(|number| done >> number & 1 == 1).map(|number| events[number].asked);
        let from = last_asked.max().unwrap_or_default();
        let nexts: Vec<usize> =
            self.open(done).filter(|(_, event)| event.asked <= first_answer).map(|it| it.0).collect();
        nexts.into_iter().any(|number| {
            let span = Span { from: from.max(events[number].asked), to: first_answer };
            self.follow(number, row.as_ref(), span).into_iter().any(|next| self.explains(done | 1 << number, next))
        })
    }

    fn open(&self, done: u128) -> impl Iterator<Item = (usize, &Event)> {
        self.events.iter().enumerate().filter(move |(number, _)| done >> number & 1 == 0)
    }

    /// The rows that this call may leave.
    fn follow(&self, number: usize, row: Option<&Row>, span: Span) -> Vec<Option<Row>> {
        let event = &self.events[number];
        let outcomes = possible(row, &event.call, span.widened(self.slack), Room { some: true, none: true });
        let fits = outcomes.into_iter().filter(|(answer, next)| match &event.told {
            Some((_, told)) => answer.allows(told),
            // One that changed nothing need not have happened.
            None => next.as_ref() != row,
        });
        fits.map(|(_, next)| next).collect()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tower_webhook::idempotency::{LostWhy, StateTag};

    use super::super::model::{Answer, Call};
    use super::super::stand::key;
    use super::*;

    const LEASE: u64 = 100;
    const RETENTION: Duration = Duration::from_millis(10_000);
    const TAKEN: Answer = Answer::Lost(LostWhy::Taken(StateTag::Pending));

    fn claim(token: u128) -> Call {
        claim_of(token, 1)
    }

    fn claim_of(token: u128, event: u128) -> Call {
        Call::Claim { token, event, lease: millis(LEASE), retention: RETENTION, most: None }
    }

    fn complete(token: u128) -> Call {
        Call::Complete { token, answer: u64::try_from(token).unwrap(), retention: RETENTION }
    }

    fn renew(token: u128) -> Call {
        Call::Renew { token, lease: millis(LEASE) }
    }

    fn release(token: u128) -> Call {
        Call::Release { token, delay: Duration::ZERO }
    }

    fn in_flight(millis_left: u64) -> Answer {
        Answer::InFlight(Span::exactly(millis(millis_left)))
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Asked at, answered at, or never.
    type Line = (u64, Option<u64>, Call, Answer);

    fn told(lines: &[Line], grants: Grants) -> Result<(), Violation> {
        let history = History::since(Instant::now());
        for (asked, at, call, answer) in lines {
            let told = at.map(|at| (millis(at), answer.clone()));
            history.record(key(1), Event { call: call.clone(), asked: millis(*asked), told });
        }
        check(&history, grants)
    }

    fn at(asked: u64, told: u64, call: Call, answer: Answer) -> Line {
        (asked, Some(told), call, answer)
    }

    fn unknown(asked: u64, call: Call) -> Line {
        (asked, None, call, Answer::Held)
    }

    use Answer::{Acquired, Done, Held, Mismatch};

    /// Histories that can have happened, each beside one that differs in one place and cannot.
    fn twins() -> Vec<(&'static str, Vec<Line>, Vec<Line>)> {
        let first = || at(0, 1, claim(1), Acquired(1));
        let gone = Answer::Lost(LostWhy::Gone);
        vec![
            (
                "a claim waits",
                vec![first(), at(2, 3, claim(2), in_flight(98))],
                vec![first(), at(2, 3, claim(2), Acquired(2))],
            ),
            (
                "a lease ends",
                vec![first(), at(100, 101, claim(2), Acquired(2))],
                vec![first(), at(97, 99, claim(2), Acquired(2))],
            ),
            (
                "a lease runs",
                vec![first(), at(99, 102, claim(2), in_flight(1))],
                vec![first(), at(102, 103, claim(2), in_flight(1))],
            ),
            (
                "a wait is as long as the lease",
                vec![first(), at(50, 51, claim(2), in_flight(50))],
                vec![first(), at(50, 51, claim(2), in_flight(60))],
            ),
            (
                "the fence grows",
                vec![first(), at(200, 201, claim(2), Acquired(2))],
                vec![first(), at(200, 201, claim(2), Acquired(1))],
            ),
            (
                "one of two claims at once waits",
                vec![at(0, 9, claim(1), Acquired(1)), at(0, 9, claim(2), in_flight(100))],
                vec![at(0, 9, claim(1), Acquired(1)), at(0, 9, claim(2), Acquired(1))],
            ),
            (
                "done is replayed",
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim(2), Done(1, 1))],
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim(2), in_flight(96))],
            ),
            (
                "done stays",
                vec![first(), at(2, 3, complete(1), Held), at(200, 201, claim(2), Done(1, 1))],
                vec![first(), at(2, 3, complete(1), Held), at(200, 201, claim(2), Acquired(2))],
            ),
            (
                "done stays for the retention",
                vec![first(), at(2, 3, complete(1), Held), at(10_003, 10_004, claim(2), Acquired(1))],
                vec![first(), at(2, 3, complete(1), Held), at(10_000, 10_001, claim(2), Acquired(1))],
            ),
            (
                "a completion keeps its answer",
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim(2), Done(1, 1))],
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim(2), Done(1, 2))],
            ),
            (
                "one completes",
                vec![
                    first(),
                    at(200, 201, claim(2), Acquired(2)),
                    at(202, 203, complete(1), TAKEN),
                    at(204, 205, complete(2), Held),
                ],
                vec![
                    first(),
                    at(200, 201, claim(2), Acquired(2)),
                    at(202, 203, complete(1), Held),
                    at(204, 205, complete(2), Held),
                ],
            ),
            (
                "a release keeps the fence",
                vec![first(), at(2, 3, release(1), Held), at(4, 5, claim(2), Acquired(2))],
                vec![first(), at(2, 3, release(1), Held), at(4, 5, claim(2), Acquired(1))],
            ),
            (
                "a renewal holds on",
                vec![first(), at(90, 91, renew(1), Held), at(150, 151, claim(2), in_flight(40))],
                vec![first(), at(90, 91, renew(1), Held), at(150, 151, claim(2), Acquired(2))],
            ),
            (
                "a record is not gone",
                vec![first(), at(2, 3, complete(1), Held)],
                vec![first(), at(2, 3, complete(1), gone)],
            ),
            (
                "another event is told",
                vec![first(), at(2, 3, claim_of(2, 2), Mismatch(StateTag::Pending))],
                vec![first(), at(2, 3, claim_of(2, 2), in_flight(98))],
            ),
            (
                "a claim that nobody heard of took effect",
                vec![unknown(0, claim(1)), at(5, 6, claim(2), in_flight(95))],
                vec![unknown(7, claim(1)), at(5, 6, claim(2), in_flight(95))],
            ),
            (
                "or took none",
                vec![unknown(0, claim(1)), at(5, 6, claim(2), Acquired(1))],
                vec![at(0, 1, claim(1), Acquired(1)), at(5, 6, claim(2), Acquired(1))],
            ),
            (
                "or did so later",
                vec![unknown(0, claim(1)), at(5, 6, claim(2), Acquired(1)), at(200, 201, claim(3), Acquired(3))],
                vec![unknown(0, renew(1)), at(5, 6, claim(2), Acquired(1)), at(200, 201, claim(3), Acquired(3))],
            ),
            (
                "a completion that nobody heard of",
                vec![first(), unknown(2, complete(1)), at(4, 5, claim(2), Done(1, 1))],
                vec![first(), unknown(2, release(1)), at(4, 5, claim(2), Done(1, 1))],
            ),
        ]
    }

    #[test]
    fn what_can_have_happened_is_explained_and_its_twin_is_not() {
        for (name, right, wrong) in twins() {
            if let Err(violation) = told(&right, Grants::default()) {
                panic!("{name}: refused\n{violation}");
            }
            assert!(told(&wrong, Grants::default()).is_err(), "{name}: its twin passes");
        }
    }

    #[test]
    fn a_client_that_sends_again_may_take_effect_twice() {
        let lines = [
            at(0, 1, claim(1), Acquired(1)),
            at(2, 3, release(1), Held),
            // The first claim once more, late: nobody was told, and its token holds the key.
            at(50, 51, claim(2), in_flight(95)),
        ];
        assert!(told(&lines, Grants::default()).is_err());
        if let Err(violation) = told(&lines, Grants { resends: true, ..Grants::default() }) {
            panic!("{violation}");
        }
    }

    #[test]
    fn a_clock_may_be_off_by_the_slack() {
        let lines = [at(0, 0, claim(1), Acquired(1)), at(99, 99, claim(2), Acquired(2))];
        assert!(told(&lines, Grants::default()).is_err());
        assert!(told(&lines, Grants { slack: millis(1), ..Grants::default() }).is_ok());
    }

    #[test]
    fn a_violation_names_the_key_and_shows_its_calls() {
        let lines = [at(0, 1, claim(1), Acquired(1)), at(2, 3, claim(2), Acquired(1))];
        let violation = told(&lines, Grants::default()).unwrap_err();
        assert_eq!(violation.key, key(1));
        let text = violation.to_string();
        assert!(
            text.contains("of 2 calls, no order explains more than these 1") && text.contains("Acquired(1)"),
            "{text}"
        );
    }
}
