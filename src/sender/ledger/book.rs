//! What a ledger holds, and how it is judged.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use crate::sender::tally::{Broken, Tally};
use crate::sender::transport::{NoAnswer, in_words};

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

#[derive(Default)]
pub(super) struct Book {
    /// Whether a 2xx may come before the handler.
    pub(super) stores_first: bool,
    /// Whether lanes are kept in order.
    pub(super) keeps_lanes: bool,
    pub(super) is_closed: bool,
    /// How often the receiver went down.
    pub(super) downs: u64,
    pub(super) events: Vec<Event>,
    /// How many of them are stored and wait for their handlers.
    pub(super) waiting: u64,
    /// How often a sender's or a handler's part has come to its end.
    pub(super) progress: u64,
    /// The event of this id at that receiver, where it is not the one of this number.
    pub(super) elsewhere: HashMap<(u64, String), u64>,
    /// What is known of an event beside, for people.
    pub(super) notes: HashMap<u64, String>,
    /// The latest event of each lane that was called.
    pub(super) lanes: HashMap<u64, u64>,
    pub(super) called_again: u64,
    pub(super) overtaken: u64,
    pub(super) broken: [u64; Broken::ALL.len()],
    /// The first few that were broken, in words.
    pub(super) examples: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct Event {
    pub(super) name: Option<Arc<str>>,
    pub(super) lane: Option<u64>,
    pub(super) has_no_number: bool,
    pub(super) handling: Handling,
    pub(super) was_sent: bool,
    pub(super) was_accepted: bool,
    pub(super) was_refused: bool,
    pub(super) was_taken: bool,
    pub(super) is_excused: bool,
    /// Its 2xx may come before its handler.
    pub(super) is_stored: bool,
    /// It was accepted, and need not be handled.
    pub(super) is_put_aside: bool,
    pub(super) is_done: bool,
    pub(super) calls: u32,
    pub(super) failed: u32,
    /// How often it was called again when it was done.
    pub(super) redone: u64,
    /// How often nobody heard that it was done.
    pub(super) unheard: u64,
    /// How often the receiver had gone down before it was sent.
    pub(super) downs_before: u64,
    /// What was said to its sender's last try that came to nothing.
    pub(super) said: Option<Result<StatusCode, NoAnswer>>,
    /// What its handler may be called with. Empty: nobody knows.
    pub(super) says: Arc<[u64]>,
    /// The highest so far.
    pub(super) fence: Option<u64>,
}

impl Event {
    /// Whether it was accepted, and is to be handled still.
    pub(super) fn waits(&self) -> bool {
        self.was_accepted && !self.is_done && !self.is_put_aside && self.handling != Handling::Poison
    }

    fn waits_in_store(&self) -> bool {
        self.is_stored && self.waits()
    }

    /// How many of its two parts, its sender's and its handler's, have come to their end.
    fn ends(&self) -> u64 {
        u64::from(self.was_accepted || self.was_refused || self.is_excused) + u64::from(self.is_done)
    }
}

/// So many examples are kept.
const EXAMPLES: usize = 20;

impl Book {
    pub(super) fn event(&mut self, number: u64) -> Option<&mut Event> {
        self.events.get_mut(index(number))
    }

    /// Changes an event, and counts what ends by it.
    pub(super) fn change(&mut self, number: u64, change: impl FnOnce(&mut Event)) {
        let Some(event) = self.events.get_mut(index(number)) else { return };
        let before = (u64::from(event.waits_in_store()), event.ends());
        change(event);
        self.waiting = (self.waiting + u64::from(event.waits_in_store())).saturating_sub(before.0);
        self.progress += event.ends().saturating_sub(before.1);
    }

    pub(super) fn broke(&mut self, promise: Broken, number: u64, why: impl fmt::Display) {
        if let Some(count) = self.broken.get_mut(promise.place()) {
            *count += 1;
        }
        if self.examples.len() < EXAMPLES {
            let called = match self.events.get(index(number)) {
                Some(Event { name: Some(name), has_no_number: true, .. }) => name.to_string(),
                Some(Event { name: Some(name), .. }) => format!("{number} ({name})"),
                Some(_) => number.to_string(),
                None => "of nobody".to_owned(),
            };
            self.examples.push(format!("{promise}: event {called}: {why}"));
        }
    }

    pub(super) fn called(&mut self, number: Option<u64>, fence: Option<u64>) -> Handling {
        let Some((number, event)) = number.and_then(|number| Some((number, self.event(number)?))) else {
            self.broke(Broken::WronglyAccepted, u64::MAX, "a handler was called for what was never sent");
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
            self.again(before, number, fence);
        } else {
            self.in_order(number, before.lane);
        }
        handling
    }

    /// What its handler was called with.
    pub(super) fn called_with(&mut self, number: u64, said: Option<u64>) {
        let says = self.event(number).map(|event| Arc::clone(&event.says)).unwrap_or_default();
        if !says.is_empty() && said.is_none_or(|said| !says.contains(&said)) {
            self.broke(Broken::WronglyAccepted, number, "its handler was called with something else than was sent");
        }
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

    fn again(&mut self, before: Event, number: u64, fence: Option<u64>) {
        let is_newer = match (before.fence, fence) {
            (Some(before), Some(now)) => now > before,
            // Who knows no fences may call again what has failed.
            (None, _) => before.failed == before.calls,
            (Some(_), None) => false,
        };
        let is_redone = before.is_done && self.stores_first;
        // Each time it went down, it may have been before it noted that this event is done.
        let may_be_redone = before.redone < (self.downs - before.downs_before) + before.unheard;
        self.change(number, |event| event.redone += u64::from(is_redone));
        if before.was_accepted && !before.is_stored {
            self.broke(Broken::HandledTwice, number, "called again after its sender had a 2xx");
        } else if !is_newer {
            let fences = (before.fence.unwrap_or_default(), fence.unwrap_or_default());
            let why = format_args!("called again with fence {} after {}", fences.1, fences.0).to_string();
            self.broke(Broken::HandledTwice, number, why);
        } else if is_redone && !may_be_redone {
            self.broke(Broken::HandledTwice, number, "called again when it was done, and the receiver did not go down");
        } else {
            self.called_again += 1;
        }
    }

    /// Judges what has not come to an end, once, and counts.
    pub(super) fn close(&mut self) -> Tally {
        let left = if self.is_closed { 0 } else { self.events.len() as u64 };
        self.is_closed = true;
        for number in 0..left {
            let Some(event) = self.event(number).cloned() else { continue };
            if event.handling == Handling::Poison {
                continue;
            }
            if event.waits() {
                let why = self.noted("accepted, and never handled", number);
                self.broke(Broken::Lost, number, why);
            }
            if !event.was_accepted && !event.was_refused && !event.is_excused {
                let why = match event.said.filter(|_| !self.notes.contains_key(&number)) {
                    Some(said) => format!("not accepted to the end: {}", in_words(said)),
                    None => self.noted("not accepted to the end", number),
                };
                self.broke(Broken::Unsettled, number, why);
            }
        }
        let accepted = self.events.iter().filter(|event| event.was_accepted).count() as u64;
        Tally {
            events: self.events.len() as u64,
            accepted,
            called_again: self.called_again,
            overtaken: self.overtaken,
            broken: self.broken,
        }
    }

    fn noted(&self, what: &str, number: u64) -> String {
        self.notes.get(&number).map_or_else(|| what.to_owned(), |note| format!("{what}: {note}"))
    }

    pub(super) fn hash(&self) -> u64 {
        let mut all = xxhash_rust::xxh3::Xxh3::new();
        for event in &self.events {
            let flags = [event.was_sent, event.was_accepted, event.was_refused, event.was_taken, event.is_done];
            all.update(&flags.map(u8::from));
            all.update(event.name.as_deref().unwrap_or_default().as_bytes());
        }
        all.digest()
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
