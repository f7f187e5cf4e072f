//! What a harness has sent, what was answered, and who was called for it.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::shelf::{Seen, Shelf};
use super::verdict::{Broke, BrokenPromises, Kept, Told};
use crate::delivery::{Delivery, Ended, Witness};
use crate::provider::EventKey;
use crate::sender::storm::Report;
use crate::sender::{Broken, Handling, Ledger, Tally};

/// How a delivery is to be judged.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// It has to be accepted, unless the test says otherwise.
    Genuine,
    /// The test alone knows.
    Free(&'static str),
    /// It has to be refused: this is what was done to it.
    Forged(String),
}

/// All that happened. What is called an entry is the place of a delivery in it.
pub(super) struct Book {
    pub(super) ledger: Ledger,
    pub(super) shelf: Shelf,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    numbers: HashMap<(usize, String), u64>,
    events: Vec<Event>,
    entries: Vec<Entry>,
    storms: Vec<Report>,
    may_refuse: bool,
}

struct Event {
    name: Arc<str>,
    done: u64,
}

struct Entry {
    what: String,
    answer: String,
    is_forged: bool,
    was_taken: bool,
    calls: u64,
    refusal: Option<Refusal>,
}

/// A refusal that nobody expected so far.
#[derive(Clone)]
struct Refusal {
    numbers: Vec<u64>,
    words: String,
    comes_again: bool,
}

impl Book {
    pub(super) fn new() -> Self {
        Self { ledger: Ledger::new(), shelf: Shelf::default(), pages: Mutex::default() }
    }

    /// The numbers of these events in the ledger. One that is new is not judged unless it is sent.
    pub(super) fn numbers(&self, party: usize, keys: &[EventKey]) -> Vec<u64> {
        let mut pages = self.pages();
        keys.iter().map(|key| self.number(&mut pages, party, key.as_str())).collect()
    }

    /// The number of something that has no key.
    pub(super) fn number_of(&self, party: usize, what: &str) -> u64 {
        self.number(&mut self.pages(), party, what)
    }

    fn number(&self, pages: &mut Pages, party: usize, key: &str) -> u64 {
        let Pages { numbers, events, .. } = pages;
        *numbers.entry((party, key.to_owned())).or_insert_with(|| {
            let name = Arc::from(key);
            let number = self.ledger.enter_as(Handling::Works, &name);
            self.ledger.excuse(number);
            events.push(Event { name, done: 0 });
            number
        })
    }

    pub(super) fn name(&self, number: u64) -> String {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.pages().events.get(place).map_or_else(String::new, |event| event.name.to_string())
    }

    /// How often its handling came to its end, in all.
    pub(super) fn done(&self, number: u64) -> u64 {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.pages().events.get(place).map_or(0, |event| event.done)
    }

    /// How many calls there were in one delivery.
    pub(super) fn calls(&self, entry: usize) -> u64 {
        self.pages().entries.get(entry).map_or(0, |entry| entry.calls)
    }

    /// A delivery is about to be sent.
    pub(super) fn begin(&self, path: &str, names: &[String], way: &Way) -> usize {
        let how = match way {
            Way::Genuine => "",
            Way::Free(how) => how,
            Way::Forged(how) => how,
        };
        let names = names.join(" ");
        let what = [path, &names, how].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let mut pages = self.pages();
        pages.entries.push(Entry {
            what: what.join(", "),
            answer: "nobody waited for an answer".to_owned(),
            is_forged: matches!(way, Way::Forged(_)),
            was_taken: false,
            calls: 0,
            refusal: None,
        });
        pages.entries.len() - 1
    }

    pub(super) fn answered(&self, entry: usize, words: &str) {
        self.with(entry, |entry| words.clone_into(&mut entry.answer));
    }

    /// What had to be refused was answered 2xx.
    pub(super) fn taken(&self, entry: usize, numbers: &[u64], what: &dyn fmt::Display) {
        numbers.iter().for_each(|number| self.ledger.taken(*number, what));
        self.with(entry, |entry| entry.was_taken = true);
    }

    /// A genuine delivery was not accepted. `words`: what was answered.
    pub(super) fn refused(&self, entry: usize, numbers: &[u64], words: String, comes_again: bool) {
        let refusal = Refusal { numbers: numbers.to_vec(), words, comes_again };
        self.with(entry, |entry| entry.refusal = Some(refusal));
    }

    /// The test expects that this delivery was refused.
    pub(super) fn expect_refusal(&self, entry: usize) {
        self.with(entry, |entry| entry.refusal = None);
    }

    pub(super) fn may_refuse(&self) {
        self.pages().may_refuse = true;
    }

    /// What came of a storm beside all this.
    pub(super) fn stormed(&self, report: &Report) {
        self.pages().storms.push(report.clone());
    }

    /// Who looks on while this delivery is handled, at once or when it was stored.
    pub(super) fn witness(self: &Arc<Self>, party: usize, entry: usize, way: &Way) -> Witness {
        let forged = match way {
            Way::Forged(how) => Some(Arc::<str>::from(&**how)),
            Way::Genuine | Way::Free(_) => None,
        };
        let (book, how) = (Arc::clone(self), forged.clone());
        let called = move |delivery: &Delivery| {
            let number = book.number_of(party, delivery.key().as_str());
            book.called(number, delivery.fence().map(NonZeroU64::get), entry, how.as_deref())
        };
        let (book, is_forged) = (Arc::clone(self), forged.is_some());
        Witness::new(called).and_of_stored(move |key, readable| {
            let (number, there, how) = (book.number_of(party, readable), Arc::clone(&book), forged.clone());
            book.ledger.stored(number);
            let seen: Seen = Arc::new(move |fence| there.called(number, Some(fence), entry, how.as_deref()));
            book.shelf.put(*key, Some(number), is_forged, seen);
        })
    }

    /// A handler is called for an event of this delivery.
    fn called(self: &Arc<Self>, number: u64, fence: Option<u64>, entry: usize, forged: Option<&str>) -> Ended {
        if let Some(how) = forged {
            self.ledger.taken(number, &format_args!("{how}: its handler was called"));
        }
        self.with(entry, |entry| entry.calls += 1);
        let (call, book) = (self.ledger.called(Some(number), fence), Arc::clone(self));
        Box::new(move |is_done| {
            if is_done {
                call.done();
                book.is_done(number);
            } else {
                call.failed();
            }
        })
    }

    fn is_done(&self, number: u64) {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(event) = self.pages().events.get_mut(place) {
            event.done += 1;
        }
    }

    /// What was kept, or what was broken.
    pub(super) fn close(&self, seed: u64) -> Result<Kept, BrokenPromises> {
        let pages = self.pages();
        let refusals = pages.entries.iter().filter_map(|entry| entry.refusal.as_ref());
        for Refusal { numbers, words, comes_again } in refusals.filter(|_| !pages.may_refuse) {
            for number in numbers {
                match comes_again {
                    true => self.ledger.given_up(*number, words),
                    false => self.ledger.refused(*number, words),
                }
            }
        }
        let (mut tally, mut broken) = (self.ledger.close(), self.ledger.examples());
        let (mut deliveries, mut forgeries) = (pages.entries.len() as u64, pages.forgeries());
        for storm in &pages.storms {
            add(&mut tally, storm);
            (deliveries, forgeries) = (deliveries + storm.requests, forgeries + storm.refused);
            broken.extend(storm.examples.iter().chain(&storm.switched_off).cloned());
        }
        if tally.is_happy() && pages.storms.iter().all(Report::is_happy) {
            return Ok(Kept { tally, deliveries, forgeries });
        }
        let sent = pages.entries.iter().map(Entry::told).collect();
        let storms = pages.storms.iter().map(|storm| storm.replay.clone()).collect();
        Err(BrokenPromises(Box::new(Broke { tally, broken, sent, seed, storms })))
    }

    fn with(&self, entry: usize, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.pages().entries.get_mut(entry) {
            change(entry);
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn forgeries(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.is_forged).count() as u64
    }
}

fn add(tally: &mut Tally, storm: &Report) {
    tally.events += storm.events;
    tally.accepted += storm.accepted;
    tally.called_again += storm.called_again;
    tally.overtaken += storm.overtaken;
    tally.broken.iter_mut().zip(Broken::ALL).for_each(|(all, promise)| *all += storm.count(promise));
}

impl Entry {
    fn told(&self) -> Told {
        let Self { what, answer, calls, .. } = self;
        let called = match calls {
            0 => "no handler called".to_owned(),
            1 => "a handler called".to_owned(),
            calls => format!("a handler called {calls} times"),
        };
        let is_dull = self.is_forged && !self.was_taken && *calls == 0;
        Told { line: format!("{what}: {answer}, {called}"), is_dull }
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}
