//! What was sent, what was answered, and what was handled, each noted when it happens: what the oracle judges by.

mod book;
mod sayings;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::transport::NoAnswer;
use book::{Book, Event};

pub use super::tally::{Broken, Tally};
pub use book::Handling;

/// What was sent and what became of it. Clones are one ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Mutex<Book>>);

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

    /// Of a receiver that answers 2xx when an event is stored, and calls its handler later. What is done may be called again once
    /// each time that the receiver [went down](Self::went_down).
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

    fn push(&self, mut event: Event) -> u64 {
        let mut book = self.book();
        event.is_stored = book.stores_first;
        book.events.push(event);
        book.events.len() as u64 - 1
    }

    /// Whether something was accepted that is still to be handled, by a receiver that stores it first.
    pub(super) fn has_unhandled(&self) -> bool {
        self.book().waiting > 0
    }

    /// Grows whenever an event's sender or its handler has come to its end.
    pub(super) fn progress(&self) -> u64 {
        self.book().progress
    }

    /// The event says this, JSON in which its name stands: a handler that is [called with](Call::with) anything else has it wrong. Told
    /// again, it may say either.
    pub(super) fn says(&self, number: u64, json: &[u8], name: &str) {
        let sayings = sayings::sayings(json, name);
        self.with(number, |event| event.says = event.says.iter().copied().chain(sayings).collect());
    }

    /// Whether the sender of this event had a 2xx.
    pub(super) fn was_accepted(&self, number: u64) -> bool {
        self.book().event(number).is_some_and(|event| event.was_accepted)
    }

    /// The event need not be accepted in the end.
    pub fn excuse(&self, number: u64) {
        self.with(number, |event| event.is_excused = true);
    }

    /// From now on the event may be handled: it is about to be sent.
    pub fn sent(&self, number: u64) {
        let mut book = self.book();
        let downs = book.downs;
        book.change(number, |event| {
            event.downs_before = if event.was_sent { event.downs_before } else { downs };
            event.was_sent = true;
        });
    }

    /// The receiver went down, and may not have noted what was done last. A [`Storm`](super::storm::Storm) sees it by itself, if it has
    /// connections to lose.
    pub fn went_down(&self) {
        self.book().downs += 1;
    }

    /// The receiver may not have heard that a handler has done this event, and may call it once more.
    pub fn unheard(&self, number: u64) {
        self.with(number, |event| event.unheard += 1);
    }

    /// Whether a 2xx may come before the handler.
    pub(super) fn stores_first(&self) -> bool {
        self.book().stores_first
    }

    /// The sender of this event had a 2xx.
    pub fn accepted(&self, number: u64) {
        let mut book = self.book();
        let Some(event) = book.event(number) else { return };
        let is_early = !event.is_stored && !event.is_done && !event.was_accepted;
        book.change(number, |event| event.was_accepted = true);
        if is_early {
            book.broke(Broken::AnsweredEarly, number, "the sender had a 2xx, and no handler had done it");
        }
    }

    /// Its sender was refused for good. `why`: what was answered.
    pub fn refused(&self, number: u64, why: &dyn fmt::Display) {
        let mut book = self.book();
        if book.event(number).is_none_or(|event| event.was_refused) {
            return;
        }
        book.change(number, |event| event.was_refused = true);
        book.broke(Broken::WronglyRefused, number, why);
    }

    /// Its sender gives up, though it was never refused for good. `why`: what was answered last.
    pub fn given_up(&self, number: u64, why: &dyn fmt::Display) {
        let mut book = self.book();
        if book.event(number).is_none_or(|event| event.was_accepted || event.was_refused) {
            return;
        }
        book.change(number, |event| event.is_excused = true);
        book.broke(Broken::Unsettled, number, why);
    }

    /// A try of its sender's was neither accepted nor refused for good, and this was said.
    pub(super) fn came_to_nothing(&self, number: u64, said: Result<StatusCode, NoAnswer>) {
        self.with(number, |event| event.said = Some(said));
    }

    /// What had to be refused never was. `said`: the last that was said to it.
    pub(super) fn not_refused(&self, number: u64, said: &dyn fmt::Display) {
        self.book().broke(Broken::Unsettled, number, format_args!("nobody refused what had to be refused: {said}"));
    }

    /// What else is known of it, for who reads that it was lost or not settled.
    pub(crate) fn note(&self, number: u64, note: String) {
        self.book().notes.insert(number, note);
    }

    /// It is about to be stored, and may be answered before it is handled.
    #[cfg(feature = "testing")]
    pub(crate) fn stored(&self, number: u64) {
        self.with(number, |event| event.is_stored = true);
    }

    /// It need not be handled, though it was accepted.
    #[cfg(feature = "testing")]
    pub(crate) fn put_aside(&self, number: u64) {
        self.with(number, |event| event.is_put_aside = true);
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
        Call { ledger: self.clone(), number, handling }
    }

    /// The same by this receiver, for runs in which several receivers are sent events of one id.
    pub fn called_by(&self, receiver: &str, number: Option<u64>, fence: Option<u64>) -> Call {
        let own = number.and_then(|number| self.book().elsewhere.get(&(number, receiver.to_owned())).copied());
        self.called(own.or(number), fence)
    }

    /// Judges what has not come to an end, once, and counts.
    #[must_use]
    pub fn close(&self) -> Tally {
        self.book().close()
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
        self.book().hash()
    }

    fn with(&self, number: u64, change: impl FnOnce(&mut Event)) {
        self.book().change(number, change);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of a handler, under way. Dropped without a word it was broken off: nobody knows whether it had an effect.
#[must_use]
pub struct Call {
    ledger: Ledger,
    number: Option<u64>,
    handling: Handling,
}

impl Call {
    /// Which event of the ledger it is.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// It was called with this body. Of an event of a [`Storm`](super::storm::Storm) it has to be the JSON that was sent, or the part of
    /// it that names the event, such as one of a batch; how it is written makes no difference.
    pub fn with(self, body: &[u8]) -> Self {
        if let Some(number) = self.number {
            // Before the book is locked.
            let said = sayings::said(body);
            self.ledger.book().called_with(number, said);
        }
        self
    }

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

    fn end(self, change: impl FnOnce(&mut Event)) {
        if let Some(number) = self.number {
            self.ledger.with(number, change);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("number", &self.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("events", &self.book().events.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
