//! Whether a history can have happened: for each key, one order of its calls that respects who was answered before
//! whom was asked, and in which the model says what was said.
//!
//! The search is that of Wing and Gong with Lowe's memory of where it was before, in rounds of ever more effects that
//! nobody was told of. A call whose outcome nobody knows
//! may stand anywhere after its sending, or nowhere; so may what a client sent again by itself. Leases and retentions
//! count: a call took effect between its sending and its answer, and an end that may or may not have come by then is
//! tried both ways. Each pair of calls is judged like this, never three at once: so a history that is right is never
//! refused, and one in which only a chain of ends is wrong may pass.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tower_webhook::delivery::KeyHash;

use super::history::{Event, History};
use super::model::{Call, Room, Row, Span, possible};

/// How many effects that nobody was told of are tried at most in a round of the search.
const MAX: [u32; 4] = [1, 3, 7, u32::MAX];

/// What the checker grants a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grants {
    /// How far off the store's clock may be.
    pub(crate) slack: Duration,
    /// How often its client may send a call again by itself: each call may take effect so many more times, each at any
    /// time after it was asked for.
    pub(crate) resends: u8,
}

/// A key whose history cannot have happened.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) key: KeyHash,
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
    let mut hard = None;
    for (key, mut events) in history.by_key() {
        events.sort_by_key(|event| event.asked);
        assert!(events.len() <= 128, "{key:?} has {} calls: spread them over more keys", events.len());
        let mut search = Search::new(&events, grants);
        let is_explained = search.widen();
        let fitted = search.fitted;
        match is_explained {
            Some(true) => {}
            Some(false) => return Err(Violation { key, events, fitted }),
            None => hard = Some(Violation { key, events, fitted }),
        }
    }
    assert!(hard.is_none(), "too hard to judge, so have fewer calls on a key: {}", hard.unwrap());
    Ok(())
}

struct Search<'a> {
    events: &'a [Event],
    grants: Grants,
    /// How many effects that nobody was told of are tried at most, and whether there might be more.
    most: u32,
    more: bool,
    /// How many states are looked at, and how many were.
    limit: u32,
    states: u32,
    /// By calls and row, how often each call had taken effect again.
    been: HashMap<(u128, Option<Row>), Vec<Vec<u8>>>,
    fitted: u128,
}

/// What has taken effect.
#[derive(Clone)]
struct Past {
    calls: u128,
    /// For each call, how often it did so again.
    again: Vec<u8>,
}

impl Past {
    /// The effects that nobody was told of.
    fn untold(&self, events: &[Event]) -> u32 {
        let calls = (0..events.len()).filter(|number| self.has(*number) && events[*number].told.is_none());
        self.again.iter().copied().map(u32::from).sum::<u32>() + u32::try_from(calls.count()).unwrap_or(u32::MAX)
    }

    fn has(&self, number: usize) -> bool {
        self.calls >> number & 1 == 1
    }
}

/// One call's effect.
#[derive(Clone, Copy)]
enum Step {
    Call(usize),
    Again(usize),
}

impl<'a> Search<'a> {
    fn new(events: &'a [Event], grants: Grants) -> Self {
        Self { events, grants, most: 0, more: false, limit: 0, been: HashMap::new(), states: 0, fitted: 0 }
    }

    /// Whether all is explained. `None`: that would take too long to tell.
    ///
    /// What few effects explain is found soon where few are tried, and what takes many where all are: so the rounds of
    /// each of these are short at first.
    fn widen(&mut self) -> Option<bool> {
        for (limit, most) in
            [1_000, 10_000, 100_000, 300_000].into_iter().flat_map(|limit| MAX.map(|most| (limit, most)))
        {
            (self.limit, self.most, self.more, self.states) = (limit, most, false, 0);
            self.been.clear();
            if self.explains(&Past { calls: 0, again: vec![0; self.events.len()] }, None) {
                return Some(true);
            }
            if !self.more && self.states < limit {
                return Some(false);
            }
        }
        None
    }

    /// Whether the rest can follow, where that is past and left that row.
    fn explains(&mut self, past: &Past, row: Option<Row>) -> bool {
        if past.calls.count_ones() > self.fitted.count_ones() {
            self.fitted = past.calls;
        }
        let told = (0..self.events.len()).filter(|number| !past.has(*number));
        // Nothing comes after an answer that was asked for only then.
        let Some(first_answer) = told.filter_map(|number| Some(self.events[number].told.as_ref()?.0)).min() else {
            return true;
        };
        let events = self.events;
        let over = (0..events.len()).filter(|number| past.has(*number) || past.again[*number] > 0);
        let from = over.map(|number| events[number].asked).max().unwrap_or_default();
        let leads_on = row.as_ref().is_none_or(|row| self.may_lead_on(past, row, from));
        if !leads_on || self.states >= self.limit || !self.is_new(past, row.as_ref()) {
            return false;
        }
        self.steps(past, first_answer).into_iter().any(|step| {
            let (Step::Call(number) | Step::Again(number)) = step;
            let span = Span { from: from.max(events[number].asked), to: first_answer };
            let mut next = past.clone();
            match step {
                Step::Call(_) => next.calls |= 1 << number,
                Step::Again(_) => next.again[number] += 1,
            }
            self.follow(step, row.as_ref(), span).into_iter().any(|row| self.explains(&next, row))
        })
    }

    /// Whether no call is left that was told, while this row was surely there, what it never comes to.
    fn may_lead_on(&self, past: &Past, row: &Row, now: Duration) -> bool {
        let shortened = self.events.iter().filter_map(|event| match event.call {
            Call::Complete { retention, .. } => Some(now.saturating_add(retention)),
            _ => None,
        });
        let stays = shortened.chain([row.expires.from]).min().unwrap_or_default().saturating_sub(self.grants.slack);
        let open = (0..self.events.len()).filter(|number| !past.has(*number)).map(|number| &self.events[number]);
        open.filter_map(|event| Some((event, event.told.as_ref()?)))
            .all(|(event, (at, said))| *at >= stays || row.may_come_to(&event.call, said))
    }

    /// Whether the search was not here before. Where it was with fewer repeats, it found nothing with more to spare.
    fn is_new(&mut self, past: &Past, row: Option<&Row>) -> bool {
        let been = self.been.entry((past.calls, row.cloned())).or_default();
        let covers = |fewer: &Vec<u8>| fewer.iter().zip(&past.again).all(|(fewer, more)| fewer <= more);
        let is_new = !been.iter().any(covers);
        if is_new {
            self.states += 1;
            been.push(past.again.clone());
        }
        is_new
    }

    /// What may come next: rather what was told soon, then what nobody heard of, and repeats last.
    fn steps(&mut self, past: &Past, first_answer: Duration) -> Vec<Step> {
        let asked = || (0..self.events.len()).filter(|number| self.events[*number].asked <= first_answer);
        let (mut known, unknown): (Vec<_>, Vec<_>) =
            asked().filter(|number| !past.has(*number)).partition(|number| self.events[*number].told.is_some());
        known.sort_by_key(|number| self.events[*number].told.as_ref().map(|told| told.0));
        // Where nobody heard of the call, the first of its effects is its own.
        let may_repeat = |number: &usize| {
            let is_first = self.events[*number].told.is_none() && !past.has(*number);
            !is_first && past.again[*number] < self.grants.resends
        };
        let untold = unknown.into_iter().map(Step::Call).chain(asked().filter(may_repeat).map(Step::Again));
        let mut steps: Vec<_> = known.into_iter().map(Step::Call).collect();
        if past.untold(self.events) < self.most {
            steps.extend(untold);
        } else {
            self.more |= untold.count() > 0;
        }
        steps
    }

    /// The rows that this may leave.
    fn follow(&self, step: Step, row: Option<&Row>, span: Span) -> Vec<Option<Row>> {
        let (number, told) = match step {
            Step::Call(number) => (number, self.events[number].told.as_ref()),
            Step::Again(number) => (number, None),
        };
        let span = span.widened(self.grants.slack);
        let outcomes = possible(row, &self.events[number].call, span, Room { some: true, none: true });
        let fits = outcomes.into_iter().filter(|(answer, next)| match told {
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
    use tower_webhook::idempotency::{LostReason, RecordState};

    use super::super::model::{Answer, State};
    use super::super::stand::key;
    use super::*;

    const LEASE: u64 = 100;
    const RETENTION: Duration = Duration::from_millis(10_000);
    const TAKEN: Answer = Answer::Lost(LostReason::Taken(RecordState::Pending));

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

    use Answer::{Acquired, AcquiredOther, Done, Held, Mismatch};

    /// Histories that can have happened, each beside one that differs in one place and cannot.
    fn twins() -> Vec<(&'static str, Vec<Line>, Vec<Line>)> {
        let first = || at(0, 1, claim(1), Acquired(1));
        let gone = Answer::Lost(LostReason::Gone);
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
                "another event waits",
                vec![first(), at(2, 3, claim_of(2, 2), in_flight(98))],
                vec![first(), at(2, 3, claim_of(2, 2), AcquiredOther(2))],
            ),
            (
                "another event has a free key, and is told",
                vec![first(), at(200, 201, claim_of(2, 2), AcquiredOther(2))],
                vec![first(), at(200, 201, claim_of(2, 2), Acquired(2))],
            ),
            (
                "the same event is told nothing",
                vec![first(), at(200, 201, claim(2), Acquired(2))],
                vec![first(), at(200, 201, claim(2), AcquiredOther(2))],
            ),
            (
                "another event is told again",
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(202, 203, claim_of(2, 2), AcquiredOther(2)),
                ],
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(202, 203, claim_of(2, 2), Acquired(2)),
                ],
            ),
            (
                "a record stays one that has seen two events",
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(400, 401, claim_of(3, 2), AcquiredOther(3)),
                ],
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(400, 401, claim_of(3, 2), Acquired(3)),
                ],
            ),
            (
                "done is another event's",
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim_of(2, 2), Mismatch(RecordState::Done))],
                vec![first(), at(2, 3, complete(1), Held), at(4, 5, claim_of(2, 2), Done(1, 1))],
            ),
            (
                "what is done belongs to the event that took the key",
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(202, 203, complete(2), Held),
                    at(204, 205, claim(3), Mismatch(RecordState::Done)),
                ],
                vec![
                    first(),
                    at(200, 201, claim_of(2, 2), AcquiredOther(2)),
                    at(202, 203, complete(2), Held),
                    at(204, 205, claim(3), Done(2, 2)),
                ],
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

    /// Histories that need so many repeats of one call, or that none explain.
    fn repeats() -> Vec<(&'static str, Option<u8>, Vec<Line>)> {
        // The first claim once more, late: nobody was told, and its token holds the key.
        let late =
            vec![at(0, 1, claim(1), Acquired(1)), at(2, 3, release(1), Held), at(50, 51, claim(2), in_flight(95))];
        let later = vec![at(200, 201, claim(2), Acquired(3)), at(400, 401, claim(3), Acquired(5))];
        let early = |sent| {
            vec![
                at(sent, 300, claim(1), Acquired(3)),
                at(5, 6, claim(2), in_flight(98)),
                at(150, 151, claim(3), Acquired(2)),
            ]
        };
        let unknown =
            vec![unknown(0, claim(1)), at(5, 6, claim(2), in_flight(95)), at(150, 151, claim(3), Acquired(2))];
        let once_more = [unknown.clone(), vec![at(300, 301, claim(4), in_flight(50))]].concat();
        vec![
            ("after its answer", Some(1), late.clone()),
            ("after its answer, twice", Some(2), [late, later].concat()),
            ("before its answer", Some(1), early(0)),
            ("before it was sent", None, early(7)),
            ("a call that nobody heard of", Some(0), unknown),
            ("and it again", Some(1), once_more),
        ]
    }

    #[test]
    fn a_client_that_sends_again_may_take_effect_as_often_again() {
        for (name, needed, lines) in repeats() {
            let told = |resends| told(&lines, Grants { resends, ..Grants::default() });
            if let Some(Err(violation)) = needed.map(told) {
                panic!("{name}: refused\n{violation}");
            }
            for fewer in 0..needed.unwrap_or(10) {
                assert!(told(fewer).is_err(), "{name}: passes with {fewer}");
            }
        }
    }

    /// As real servers told them. Each was too hard for a search that tried either few effects first or all at once.
    #[test]
    fn what_took_many_effects_or_few_of_many_is_explained() {
        let claim = |token, lease, retention, most| {
            let (lease, retention) = (millis(lease), millis(retention));
            Call::Claim { token, event: 1, lease, retention, most }
        };
        let long = |token, lease| claim(token, lease, 600_000, None);
        let brief = |token, lease| claim(token, lease, 150, None);
        let twice = |token, lease| claim(token, lease, 150, Some(2));
        let many = vec![
            unknown(0, long(1, 23)),
            at(17, 17, long(2, 34), in_flight(8)),
            unknown(36, long(3, 15)),
            unknown(59, long(4, 19)),
            at(64, 64, long(1, 23), in_flight(13)),
            unknown(82, long(5, 28)),
            at(92, 93, long(6, 34), in_flight(17)),
            at(98, 99, long(3, 15), in_flight(11)),
            at(107, 107, long(7, 18), in_flight(3)),
            unknown(117, long(8, 21)),
            at(119, 120, long(4, 19), in_flight(18)),
            at(125, 127, long(9, 4), in_flight(11)),
            at(133, 133, long(10, 37), in_flight(5)),
            unknown(143, long(11, 29)),
            at(144, 144, long(5, 28), in_flight(27)),
            at(152, 152, long(12, 17), in_flight(20)),
            unknown(179, long(8, 21)),
            unknown(204, long(11, 29)),
            at(570, 570, long(13, 53), Acquired(9)),
        ];
        let few = vec![
            unknown(0, twice(1, 62)),
            unknown(6, brief(2, 40)),
            unknown(20, twice(3, 20)),
            unknown(41, brief(4, 19)),
            unknown(55, brief(5, 33)),
            at(69, 218, twice(1, 62), Acquired(2)),
            unknown(70, brief(6, 5)),
            unknown(84, twice(7, 7)),
            unknown(90, brief(8, 53)),
            unknown(107, brief(9, 17)),
            unknown(113, brief(10, 40)),
            at(131, 187, brief(11, 8), Acquired(1)),
            at(147, 193, brief(12, 57), in_flight(5)),
            at(188, 194, Call::Release { token: 11, delay: millis(14) }, Held),
            at(219, 220, Call::Renew { token: 1, lease: millis(45) }, Held),
            at(221, 222, Call::Release { token: 1, delay: millis(11) }, Held),
            at(544, 545, brief(13, 5), Acquired(1)),
        ];
        for (name, lines) in [("many", many), ("few of many", few)] {
            if let Err(violation) = told(&lines, Grants { slack: millis(2), resends: 4 }) {
                panic!("{name}: refused\n{violation}");
            }
        }
    }

    /// What is left out early is never found later.
    #[test]
    fn what_a_row_never_comes_to_does_not_follow_from_it() {
        let tags = [RecordState::Pending, RecordState::Done, RecordState::Poison];
        let said = |fence| {
            let done = (1..=2).map(move |answer| Done(fence, answer));
            let tagged = tags.into_iter().flat_map(|tag| [Mismatch(tag), Answer::Lost(LostReason::Taken(tag))]);
            let others =
                [Acquired(fence), AcquiredOther(fence), Answer::Poison(fence), in_flight(0), Held, Answer::Full];
            done.chain(tagged).chain(others).chain([Answer::Lost(LostReason::Gone)])
        };
        let claims = |token| {
            let most = |most| Call::Claim { token, event: 1, lease: millis(LEASE), retention: RETENTION, most };
            [claim(token), claim_of(token, 2), most(Some(2))]
        };
        let calls: Vec<_> =
            (1..=2).flat_map(|of| claims(of).into_iter().chain([complete(of), renew(of), release(of)])).collect();
        let mut rows = Vec::new();
        for state in [State::Pending, State::Done(1), State::Done(2), State::Poison] {
            for (number, other) in (0..18).flat_map(|number| [(number, false), (number, true)]) {
                let holder = [None, Some(1), Some(2)][number / 2 % 3];
                let (fence, until) = ([1, 2, 3][number / 6], [0, 99][number % 2]);
                let (until, expires) = (Span::exactly(millis(until)), Span::exactly(RETENTION));
                rows.push(Row { event: 1, other, fence, holder, state, until, expires });
            }
        }
        let now = Span::exactly(millis(1));
        for (row, call) in rows.iter().flat_map(|row| calls.iter().map(move |call| (row, call))) {
            for (answer, next) in possible(Some(row), call, now, Room { some: true, none: true }) {
                assert!(row.may_come_to(call, &answer), "{row:?}, {call:?}: {answer:?}");
                let next = next.unwrap();
                for (call, said) in calls.iter().flat_map(|call| (1..=4).flat_map(said).map(move |said| (call, said))) {
                    let later = next.may_come_to(call, &said);
                    assert!(!later || row.may_come_to(call, &said), "{row:?}, then {next:?}, {call:?}: {said:?}");
                }
            }
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
