//! What came of one delivery, and what a test says of it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::book::Book;
use super::shelf::Stands;
use super::words;
use crate::error::{Rejection, RejectionKind};
use crate::idempotency::REPLAYED;
use crate::sender::Came;
use crate::testing::deliver::DeliverError;

/// What came of one delivery. Its methods assert, and panic with what was promised, what was answered, and why.
///
/// A genuine delivery that is refused is a broken promise in the end, unless the test says that it had to be.
pub struct Sent {
    pub(super) book: Arc<Book>,
    pub(super) entry: usize,
    pub(super) path: String,
    pub(super) numbers: Vec<u64>,
    pub(super) came: Came,
    pub(super) answer: Result<Response<Bytes>, DeliverError>,
}

#[allow(clippy::panic, clippy::missing_panics_doc, reason = "an assertion of a test is there to panic")]
#[allow(clippy::return_self_not_must_use, reason = "what was asserted needs no more use")]
impl Sent {
    /// It was accepted, as the provider counts: by its status, and by its body where the provider reads it.
    #[track_caller]
    pub fn accepted(self) -> Self {
        match self.came {
            Came::Delivered(_) => self,
            _ => self.fails("it had to be accepted", words::hint(&self.answer)),
        }
    }

    /// It was accepted as a repeat: its events were handled before, and not again.
    #[track_caller]
    pub fn replayed(self) -> Self {
        let sent = self.accepted();
        let is_repeat = sent.response().is_some_and(|response| response.headers().contains_key(REPLAYED));
        if !is_repeat {
            sent.fails("it had to be known as a repeat", ": was it handled before, under the same key?");
        }
        sent.not_handled()
    }

    /// It was refused, or put off, with this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> Self {
        let sent = self.not_accepted();
        if sent.status().is_none_or(|given| given.as_u16() != status) {
            sent.fails(format_args!("it had to be refused with {status}"), "");
        }
        sent
    }

    /// It was refused for this reason, by a receiver of this crate.
    #[track_caller]
    pub fn refused_as(self, kind: RejectionKind) -> Self {
        let sent = self.not_accepted();
        if sent.rejection().is_none_or(|why| why.kind() != kind) {
            sent.fails(format_args!("it had to be refused as {kind}"), "");
        }
        sent
    }

    /// It was refused or put off, whatever was answered. Nobody complains of that in the end.
    #[track_caller]
    pub fn not_accepted(self) -> Self {
        if let Came::Delivered(_) = self.came {
            self.fails("it had to be refused", "");
        }
        self.book.expect_refusal(self.entry);
        self
    }

    /// Each of its events is a dead letter, for a reason that has these words in it. Nobody complains in the end that it was not
    /// handled.
    #[track_caller]
    pub fn dead_letter(self, reason: &str) -> Self {
        self.put_aside("a dead letter", reason, |stands| match stands {
            Stands::Dead(why) => Some(why),
            _ => None,
        })
    }

    /// The same of one that is parked.
    #[track_caller]
    pub fn parked(self, reason: &str) -> Self {
        self.put_aside("parked", reason, |stands| match stands {
            Stands::Parked(why) => Some(why),
            _ => None,
        })
    }

    #[track_caller]
    fn put_aside(self, how: &str, reason: &str, why: fn(&Stands) -> Option<&String>) -> Self {
        for number in &self.numbers {
            let stands = self.book.shelf.stands(*number);
            if stands.as_ref().and_then(why).is_none_or(|why| !why.contains(reason)) {
                let promise = format!("{} had to be {how}, {reason:?}", self.book.name(*number));
                self.fails(promise, &format!(", and it is {stands:?}: is its worker watched, and has it settled?"));
            }
            self.book.ledger.put_aside(*number);
        }
        self
    }

    /// Each of its events was handled to the end once, in all deliveries so far.
    #[track_caller]
    pub fn handled_once(self) -> Self {
        if self.numbers.is_empty() {
            self.fails("each of its events had to be handled once, and it has none that can be read", "");
        }
        for number in &self.numbers {
            let (name, done) = (self.book.name(*number), self.book.done(*number));
            if done != 1 {
                let promise = format!("{name} had to be handled once, and it was handled {done} times");
                let hint =
                    if done == 0 { ": did a handler fail, or does no receiver of this crate call it?" } else { "" };
                self.fails(promise, hint);
            }
        }
        self
    }

    /// No handler was called in this delivery.
    #[track_caller]
    pub fn not_handled(self) -> Self {
        let calls = self.book.calls(self.entry);
        if calls > 0 {
            self.fails(format_args!("no handler had to be called (calls: {calls})"), "");
        }
        self
    }

    #[track_caller]
    fn fails(&self, promise: impl fmt::Display, hint: &str) -> ! {
        let broken = self.book.ledger.examples();
        let so_far =
            if broken.is_empty() { String::new() } else { format!("\nbroken so far:\n  {}", broken.join("\n  ")) };
        panic!("{self}, where {promise}{hint}{so_far}")
    }
}

impl Sent {
    /// What was answered. `None`: nothing was, since the app failed.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        self.answer.as_ref().ok()
    }

    /// With which status.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.response().map(Response::status)
    }

    /// Why a receiver of this crate refused it, where one did.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.response()?.extensions().get()
    }

    /// What the provider makes of the answer.
    #[must_use]
    pub fn came(&self) -> Came {
        self.came
    }

    /// How often a handler was called in this delivery, or for what it has stored.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.book.calls(self.entry)
    }

    /// `refused with 401 (signature_mismatch: ..)`
    pub(super) fn outcome(&self) -> String {
        let words = words::of_answer(&self.answer);
        match self.came {
            Came::Delivered(_) => format!("accepted with {words}"),
            Came::Refused(_) => format!("refused with {words}"),
            Came::Unacknowledged(_) => format!("answered {words} without the acknowledgement that the provider reads"),
            Came::Nothing(_) => words,
        }
    }
}

/// `/aella, transfer.completed|7b: refused with 401 (signature_mismatch: ..)`
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for number in &self.numbers {
            write!(f, ", {}", self.book.name(*number))?;
        }
        write!(f, ": {}", self.outcome())
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
