//! What was sent, what was answered, and what was handled, each noted when it happens: what the oracle judges by.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use super::tally::{Broken, Tally};

/// How an event's handler behaves, where the run decides it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Handling {
    /// It works.
    #[default]
    Works,
    /// It fails at its first call.
    FailsAtFirst,
    /// It takes its time.
    Slow,
    /// It always fails. Such an event need not settle.
    Poison,
}

/// What was sent and what became of it. Clones are one ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    /// Whether a 2xx may come before the handler.
    stores_first: bool,
    /// Whether lanes are kept in order.
    keeps_lanes: bool,
    is_closed: bool,
    events: Vec<Event>,
    /// The event of this id at that receiver, where it is not the one of this number.
    elsewhere: HashMap<(u64, String), u64>,
    /// The latest event of each lane that was called.
    lanes: HashMap<u64, u64>,
    called_again: u64,
    overtaken: u64,
    broken: [u64; Broken::ALL.len()],
    /// The first few that were broken, in words.
    examples: Vec<String>,
}

#[derive(Clone, Default)]
struct Event {
    name: Option<Arc<str>>,
    lane: Option<u64>,
    has_no_number: bool,
    handling: Handling,
    was_sent: bool,
    was_accepted: bool,
    was_refused: bool,
    was_taken: bool,
    is_excused: bool,
    is_done: bool,
    calls: u32,
    failed: u32,
    /// The highest so far.
    fence: Option<u64>,
}

/// So many examples are kept.
const EXAMPLES: usize = 20;

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// Of a receiver that answers 2xx when an event is handled, and never before.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Of a receiver that answers 2xx when an event is stored, and calls its handler later, again after each crash.
    #[must_use]
    pub fn of_an_inbox() -> Self {
        let ledger = Self::new();
        ledger.book().stores_first = true;
        ledger
    }

    /// Of a receiver that handles the events of a lane one after the other, in the order in which they were entered.
    #[must_use]
    pub fn that_keeps_lanes(self) -> Self {
        self.book().keeps_lanes = true;
        self
    }

    /// A new event. Its number counts from 0.
    #[must_use]
    pub fn enter(&self, handling: Handling) -> u64 {
        self.push(Event { handling, ..Event::default() })
    }

    /// A new event, which a broken promise is told of by this name.
    #[must_use]
    pub fn enter_named(&self, handling: Handling, name: &Arc<str>) -> u64 {
        self.push(Event { handling, name: Some(Arc::clone(name)), ..Event::default() })
    }

    /// Puts an event into a lane, such as its account's.
    pub fn in_lane(&self, number: u64, lane: u64) {
        self.with(number, |event| event.lane = Some(lane));
    }

    /// What this receiver calls the event of the first number is the event of the second: another's, of the same id.
    pub fn elsewhere(&self, number: u64, receiver: impl Into<String>, event: u64) {
        self.book().elsewhere.insert((number, receiver.into()), event);
    }

    /// A new event, which a broken promise is told of by this name alone.
    #[must_use]
    pub fn enter_as(&self, handling: Handling, name: &Arc<str>) -> u64 {
        self.push(Event { handling, name: Some(Arc::clone(name)), has_no_number: true, ..Event::default() })
    }

    fn push(&self, event: Event) -> u64 {
        let mut book = self.book();
        book.events.push(event);
        book.events.len() as u64 - 1
    }

    /// The event need not be accepted in the end.
    pub fn excuse(&self, number: u64) {
        self.with(number, |event| event.is_excused = true);
    }

    /// From now on the event may be handled: it is about to be sent.
    pub fn sent(&self, number: u64) {
        self.with(number, |event| event.was_sent = true);
    }

    /// The sender of this event had a 2xx.
    pub fn accepted(&self, number: u64) {
        let mut book = self.book();
        let stores_first = book.stores_first;
        let Some(event) = book.event(number) else { return };
        let is_early = !stores_first && !event.is_done && !event.was_accepted;
        event.was_accepted = true;
        if is_early {
            book.broke(Broken::AnsweredEarly, number, "the sender had a 2xx, and no handler had done it");
        }
    }

    /// Its sender was refused for good. `why`: what was answered.
    pub fn refused(&self, number: u64, why: &dyn fmt::Display) {
        let mut book = self.book();
        let Some(event) = book.event(number).filter(|event| !event.was_refused) else { return };
        event.was_refused = true;
        book.broke(Broken::WronglyRefused, number, why);
    }

    /// Its sender gives up, though it was never refused for good. `why`: what was answered last.
    pub fn given_up(&self, number: u64, why: &dyn fmt::Display) {
        let mut book = self.book();
        let Some(event) = book.event(number).filter(|event| !event.was_accepted && !event.was_refused) else { return };
        event.is_excused = true;
        book.broke(Broken::Unsettled, number, why);
    }

    /// What had to be refused was answered 2xx. `what` it was.
    pub fn taken(&self, number: u64, what: &dyn fmt::Display) {
        let mut book = self.book();
        let Some(event) = book.event(number).filter(|event| !event.was_taken) else { return };
        event.was_taken = true;
        book.broke(Broken::WronglyAccepted, number, what);
    }

    /// A handler is called. `None`: with what is no event of this ledger.
    pub fn called(&self, number: Option<u64>, fence: Option<u64>) -> Call {
        let handling = self.book().called(number, fence);
        Call { ledger: self.clone(), number, handling, ended: false }
    }

    /// The same by this receiver, for runs in which several receivers are sent events of one id.
    pub fn called_by(&self, receiver: &str, number: Option<u64>, fence: Option<u64>) -> Call {
        let own = number.and_then(|number| self.book().elsewhere.get(&(number, receiver.to_owned())).copied());
        self.called(own.or(number), fence)
    }

    /// Whether it was called and done.
    #[must_use]
    pub fn is_done(&self, number: u64) -> bool {
        self.book().events.get(index(number)).is_some_and(|event| event.is_done)
    }

    /// Judges what has not come to an end, once, and counts.
    #[must_use]
    pub fn close(&self) -> Tally {
        let mut book = self.book();
        let left = if book.is_closed { 0 } else { book.events.len() as u64 };
        book.is_closed = true;
        for number in 0..left {
            let Some(event) = book.event(number).cloned() else { continue };
            if event.handling == Handling::Poison {
                continue;
            }
            if event.was_accepted && !event.is_done {
                book.broke(Broken::Lost, number, "accepted, and never handled");
            }
            if !event.was_accepted && !event.was_refused && !event.is_excused {
                book.broke(Broken::Unsettled, number, "not accepted to the end");
            }
        }
        let accepted = book.events.iter().filter(|event| event.was_accepted).count() as u64;
        Tally {
            events: book.events.len() as u64,
            accepted,
            called_again: book.called_again,
            overtaken: book.overtaken,
            broken: book.broken,
        }
    }

    /// The first few broken promises, a line each.
    #[must_use]
    pub fn examples(&self) -> Vec<String> {
        self.book().examples.clone()
    }

    /// What each event was and what became of it, as one number: the same for two runs that came to the same. How often a handler was
    /// called is not in it, which hangs on who was faster.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let book = self.book();
        let mut all = xxhash_rust::xxh3::Xxh3::new();
        for event in &book.events {
            let flags = [event.was_sent, event.was_accepted, event.was_refused, event.was_taken, event.is_done];
            all.update(&flags.map(u8::from));
            all.update(event.name.as_deref().unwrap_or_default().as_bytes());
        }
        all.digest()
    }

    fn with(&self, number: u64, change: impl FnOnce(&mut Event)) {
        if let Some(event) = self.book().event(number) {
            change(event);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn event(&mut self, number: u64) -> Option<&mut Event> {
        self.events.get_mut(index(number))
    }

    fn broke(&mut self, promise: Broken, number: u64, why: impl fmt::Display) {
        if let Some(count) = self.broken.get_mut(promise.place()) {
            *count += 1;
        }
        if self.examples.len() < EXAMPLES {
            let called = match self.events.get(index(number)) {
                Some(Event { name: Some(name), has_no_number: true, .. }) => name.to_string(),
                Some(Event { name: Some(name), .. }) => format!("{number} ({name})"),
                _ => number.to_string(),
            };
            self.examples.push(format!("{promise}: event {called}: {why}"));
        }
    }

    fn called(&mut self, number: Option<u64>, fence: Option<u64>) -> Handling {
        let stores_first = self.stores_first;
        let Some((number, event)) = number.and_then(|number| Some((number, self.event(number)?))) else {
            self.broke(Broken::WronglyAccepted, 0, "a handler was called for what was never sent");
            return Handling::Works;
        };
        let before = event.clone();
        event.calls += 1;
        event.fence = before.fence.max(fence);
        let handling = match before.handling {
            Handling::FailsAtFirst if before.calls > 0 => Handling::Works,
            handling => handling,
        };
        if !before.was_sent && !before.was_taken {
            event.was_taken = true;
            self.broke(
                Broken::WronglyAccepted,
                number,
                "its handler was called before a delivery that proves it was sent",
            );
        } else if before.calls > 0 {
            self.again(before, number, fence, stores_first);
        } else {
            self.in_order(number, before.lane);
        }
        handling
    }

    /// At its first call: none of its lane that was entered later was called before.
    fn in_order(&mut self, number: u64, lane: Option<u64>) {
        let Some(lane) = lane else { return };
        let latest = self.lanes.entry(lane).or_insert(number);
        let is_overtaken = *latest > number;
        *latest = number.max(*latest);
        self.overtaken += u64::from(is_overtaken);
        if is_overtaken && self.keeps_lanes {
            self.broke(Broken::OutOfOrder, number, "called behind a later event of its lane");
        }
    }

    fn again(&mut self, before: Event, number: u64, fence: Option<u64>, stores_first: bool) {
        let is_newer = match (before.fence, fence) {
            (Some(before), Some(now)) => now > before,
            // Who knows no fences may call again what has failed.
            (None, _) => before.failed == before.calls,
            (Some(_), None) => false,
        };
        if before.was_accepted && !stores_first {
            self.broke(Broken::HandledTwice, number, "called again after its sender had a 2xx");
        } else if !is_newer {
            let fences = (before.fence.unwrap_or_default(), fence.unwrap_or_default());
            let why = format_args!("called again with fence {} after {}", fences.1, fences.0).to_string();
            self.broke(Broken::HandledTwice, number, why);
        } else {
            self.called_again += 1;
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A call of a handler, under way. Dropped without a word it was broken off: nobody knows whether it had an effect.
#[must_use]
pub struct Call {
    ledger: Ledger,
    number: Option<u64>,
    handling: Handling,
    ended: bool,
}

impl Call {
    /// What the run wants of this call.
    #[must_use]
    pub fn handling(&self) -> Handling {
        self.handling
    }

    /// It had its effect.
    pub fn done(self) {
        self.end(|event| event.is_done = true);
    }

    /// It failed, and had no effect.
    pub fn failed(self) {
        self.end(|event| event.failed += 1);
    }

    fn end(mut self, change: impl FnOnce(&mut Event)) {
        self.ended = true;
        if let Some(number) = self.number {
            self.ledger.with(number, change);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("number", &self.number).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("events", &self.book().events.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ledger: &Ledger, steps: impl FnOnce(&Ledger, u64)) -> Vec<(Broken, u64)> {
        let number = ledger.enter(Handling::Works);
        steps(ledger, number);
        let tally = ledger.close();
        Broken::ALL.into_iter().map(|one| (one, tally.count(one))).filter(|(_, count)| *count > 0).collect()
    }

    fn judged(steps: impl FnOnce(&Ledger, u64)) -> Vec<(Broken, u64)> {
        run(&Ledger::new(), steps)
    }

    fn done(ledger: &Ledger, number: u64, fence: Option<u64>) {
        ledger.called(Some(number), fence).done();
    }

    #[test]
    fn sent_handled_and_accepted_is_well() {
        assert_eq!(
            judged(|ledger, number| {
                ledger.sent(number);
                done(ledger, number, Some(1));
                ledger.accepted(number);
                ledger.accepted(number);
            }),
            []
        );
    }

    #[test]
    fn a_higher_fence_before_the_sender_had_a_2xx_is_called_again_and_no_more() {
        let ledger = Ledger::new();
        let broken = run(&ledger, |ledger, number| {
            ledger.sent(number);
            drop(ledger.called(Some(number), Some(1)));
            ledger.called(Some(number), Some(2)).failed();
            done(ledger, number, Some(5));
            ledger.accepted(number);
        });
        assert_eq!((broken, ledger.close().called_again), (vec![], 2));
    }

    #[test]
    fn the_same_fence_a_lower_one_and_none_are_twice_and_so_is_any_after_a_2xx() {
        for (first, second, accepted) in [
            (Some(1), Some(1), false),
            (Some(2), Some(1), false),
            (Some(1), None, false),
            (None, None, false),
            (Some(1), Some(2), true),
        ] {
            let broken = judged(|ledger, number| {
                ledger.sent(number);
                done(ledger, number, first);
                if accepted {
                    ledger.accepted(number);
                }
                done(ledger, number, second);
                ledger.accepted(number);
            });
            assert_eq!(broken, [(Broken::HandledTwice, 1)], "{first:?} {second:?} {accepted}");
        }
    }

    #[test]
    fn who_knows_no_fence_may_call_again_what_failed() {
        let broken = judged(|ledger, number| {
            ledger.sent(number);
            ledger.called(Some(number), None).failed();
            done(ledger, number, None);
            ledger.accepted(number);
        });
        assert_eq!(broken, []);
    }

    #[test]
    fn what_is_accepted_and_never_handled_is_lost_and_was_answered_early() {
        let broken = judged(|ledger, number| {
            ledger.sent(number);
            ledger.accepted(number);
        });
        assert_eq!(broken, [(Broken::Lost, 1), (Broken::AnsweredEarly, 1)]);
        let late = judged(|ledger, number| {
            ledger.sent(number);
            ledger.accepted(number);
            done(ledger, number, Some(1));
        });
        assert_eq!(late, [(Broken::AnsweredEarly, 1),]);
        let stored = run(&Ledger::of_an_inbox(), |ledger, number| {
            ledger.sent(number);
            ledger.accepted(number);
            drop(ledger.called(Some(number), Some(1)));
            done(ledger, number, Some(2));
        });
        assert_eq!(stored, []);
    }

    #[test]
    fn what_is_neither_accepted_nor_refused_is_unsettled_but_for_poison() {
        assert_eq!(judged(|ledger, number| ledger.sent(number)), [(Broken::Unsettled, 1)]);
        assert_eq!(judged(|ledger, number| ledger.refused(number, &401)), [(Broken::WronglyRefused, 1)]);
        let ledger = Ledger::new();
        let poison = ledger.enter(Handling::Poison);
        ledger.sent(poison);
        assert!(ledger.close().is_happy());
    }

    #[test]
    fn an_event_is_told_of_by_its_name_and_what_is_excused_need_not_settle() {
        let ledger = Ledger::new();
        let also = ledger.enter_named(Handling::Works, &"no fault".into());
        let named = ledger.enter_as(Handling::Works, &"transfer|7b".into());
        let excused = ledger.enter(Handling::Works);
        ledger.given_up(named, &"answered 503");
        ledger.excuse(excused);
        assert_eq!(ledger.close().count(Broken::Unsettled), 2, "{also} too");
        assert_eq!(
            ledger.examples(),
            ["unsettled: event transfer|7b: answered 503", "unsettled: event 0 (no fault): not accepted to the end"]
        );
        ledger.accepted(excused);
        ledger.given_up(excused, &"it was accepted");
        assert_eq!(ledger.close().count(Broken::Unsettled), 2);
    }

    #[test]
    fn what_was_never_proved_may_not_be_handled_or_answered_2xx() {
        assert_eq!(
            judged(|ledger, number| {
                done(ledger, number, Some(1));
                ledger.sent(number);
                ledger.accepted(number);
            }),
            [(Broken::WronglyAccepted, 1)]
        );
        assert_eq!(
            judged(|ledger, number| {
                ledger.taken(number, &"forged");
                ledger.sent(number);
                done(ledger, number, Some(1));
                ledger.accepted(number);
            }),
            [(Broken::WronglyAccepted, 1)]
        );
        assert_eq!(
            judged(|ledger, number| {
                ledger.sent(number);
                done(ledger, number, Some(1));
                ledger.accepted(number);
                ledger.called(None, Some(1)).done();
                ledger.called(Some(77), Some(1)).done();
            }),
            [(Broken::WronglyAccepted, 2)]
        );
    }

    #[test]
    fn a_lane_that_is_kept_is_called_in_its_order_and_other_lanes_may_be_ahead() {
        let run = |ledger: &Ledger, order: [usize; 3]| {
            let events = [1, 1, 2].map(|lane| {
                let event = ledger.enter(Handling::Works);
                ledger.in_lane(event, lane);
                ledger.sent(event);
                event
            });
            for at in order {
                done(ledger, events[at], Some(1));
                ledger.accepted(events[at]);
            }
            let tally = ledger.close();
            (tally.overtaken, tally.count(Broken::OutOfOrder))
        };
        assert_eq!(run(&Ledger::new().that_keeps_lanes(), [2, 0, 1]), (0, 0));
        assert_eq!(run(&Ledger::new().that_keeps_lanes(), [1, 0, 2]), (1, 1));
        assert_eq!(run(&Ledger::new(), [1, 0, 2]), (1, 0));
    }

    #[test]
    fn one_id_at_two_receivers_is_two_events() {
        let ledger = Ledger::new();
        let [own, other] = [(); 2].map(|()| ledger.enter(Handling::Works));
        ledger.elsewhere(own, "other", other);
        for (receiver, event) in [("own", own), ("other", other)] {
            ledger.sent(event);
            ledger.called_by(receiver, Some(own), Some(1)).done();
            ledger.accepted(event);
        }
        assert!(ledger.close().is_happy());
        ledger.called_by("other", Some(own), Some(2)).done();
        assert_eq!(ledger.close().count(Broken::HandledTwice), 1);
    }

    #[test]
    fn the_first_call_fails_where_the_run_wants_it() {
        let ledger = Ledger::new();
        let number = ledger.enter(Handling::FailsAtFirst);
        ledger.sent(number);
        let first = ledger.called(Some(number), Some(1));
        assert_eq!(first.handling(), Handling::FailsAtFirst);
        first.failed();
        assert_eq!(ledger.called(Some(number), Some(2)).handling(), Handling::Works);
        let (one, other) = (Ledger::new(), Ledger::new());
        assert_eq!(one.enter_named(Handling::Works, &"a".into()), other.enter_named(Handling::Works, &"b".into()));
        assert_ne!(one.hash(), other.hash());
        other.accepted(0);
        assert_ne!(other.hash(), ledger.hash());
        assert_eq!(ledger.examples(), Vec::<String>::new());
    }
}
