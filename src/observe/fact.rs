//! [`Fact`]: something that became of a delivery or of one of its events.

use std::error::Error;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Rejection;

/// Whoever takes note of what becomes of deliveries: each fact once, in the task that found it out. It must not block.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of a fact.
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>);

    /// One for this receiver alone, which is told its facts in this one's place: where it is less work to know beforehand whose
    /// facts they are. Default: `None`.
    fn of_receiver(&self, receiver: &str, provider: &str) -> Option<Box<dyn Observer>> {
        let _ = (receiver, provider);
        None
    }
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct About<'a> {
    /// The receiver's name. Empty for a layer that stands alone.
    pub receiver: &'a str,
    /// The provider's name. Empty for a layer that stands alone.
    pub provider: &'a str,
    /// The id of the key or the name of the credentials that proved the delivery, once they have.
    pub key_id: Option<&'a str>,
    /// When it was proved, by the receiver's clock. `None` until then, and for what happens to a stored event later.
    pub proved_at: Option<Timestamp>,
    /// The event's idempotency key as a store sees it: a hash. `None` for what is about a whole delivery.
    pub key: Option<&'a [u8; 32]>,
    /// Which try of the event this is, by its fencing token, where it was claimed.
    pub attempt: Option<NonZeroU64>,
}

/// Something that became of a delivery, or of an event. It holds no secret and no payload.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fact<'a> {
    /// A delivery was answered with this rejection, and none of its events ran; or all that can be read are done, and this
    /// is why the rest cannot be.
    Rejected(&'a Rejection),
    /// A delivery was proved by the key that [`About::key_id`] names.
    KeyUsed {
        /// The scheme's name.
        scheme: &'static str,
    },
    /// The provider that is [tried beside](crate::Receiver::candidate) the one that decides would have proved this delivery,
    /// by the key that [`About::key_id`] names.
    CandidateFits {
        /// The candidate's scheme.
        scheme: &'static str,
        /// Whether the one that decides has proved it too.
        is_proved: bool,
    },
    /// The provider that is [tried beside](crate::Receiver::candidate) the one that decides would have refused a delivery
    /// that is proved, and why.
    CandidateRefuses {
        /// The candidate's scheme.
        scheme: &'static str,
        /// What it would have been answered.
        rejection: &'a Rejection,
    },
    /// A proved delivery was decoded into so many events that can be read.
    Accepted {
        /// Their number.
        events: usize,
    },
    /// Members of a delivery's events could not be read as what they should be, and are absent.
    MembersAbsent {
        /// Their names.
        names: &'a [String],
    },
    /// An event was handled.
    Handled,
    /// An event had been handled before, and was answered as it was then.
    Replayed,
    /// An event was not handled: its handler failed or asked for a later try, or it could not run now.
    Failed(&'a Rejection),
    /// Another event under a completed key was acknowledged and not handled, since the route asks for that.
    AcknowledgedUnhandled(&'a Rejection),
    /// The key of an event that runs was known with another payload, which nobody completed: somebody should find out
    /// which of the two the sender means.
    OtherPayload,
    /// The lease of an event was lost while its handler runs. Of a stored event it may be found at its end alone.
    LeaseLost {
        /// How many renewals had failed in a row. 0: the store has given it to another.
        failed_renewals: u32,
    },
    /// A lease was renewed after it had run out. Most likely a handler blocks its thread.
    RenewedLate,
    /// A handler has had its event for several leases.
    HandlerSlow {
        /// For so long.
        after: Duration,
    },
    /// A handler has reached its limit: its lease is reported as lost, and a moment later it is dropped.
    HandlerTimedOut {
        /// The limit.
        after: Duration,
    },
    /// A handled event was answered while the store does not know it yet; it is marked in the background.
    CompletionLate,
    /// A handled event is not marked in the store: a repeat may run it again.
    CompletionUnknown(&'a (dyn Error + 'static)),
    /// A handled and answered event was claimed by another before it was marked: it may have run twice.
    CompletionLost,
    /// A claim could not be released: it ends with its lease.
    ReleaseFailed(&'a (dyn Error + 'static)),
    /// The store could not say whether an event is done.
    StoreDown(&'a (dyn Error + 'static)),
    /// An event runs without a claim, since the route asks for that and the store could not say.
    Unprotected(&'a (dyn Error + 'static)),
    /// An event is in the inbox, under this number, and will be handled.
    Stored {
        /// Its number there.
        id: i64,
    },
    /// The key of an event was in the inbox with another payload: it is kept apart, for people, and never handled.
    Quarantined {
        /// Its number there.
        id: i64,
    },
    /// An attempt at a stored event failed, or asked for another.
    RetryLater {
        /// It is due after this time.
        after: Duration,
        /// What went wrong.
        reason: &'a str,
    },
    /// A stored event is a dead letter: nobody handles it, until somebody replays it.
    Buried {
        /// What went wrong.
        reason: &'a str,
    },
    /// A stored event waits for people to decide.
    Parked {
        /// Why.
        reason: &'a str,
    },
    /// A stored event was handed to nobody, since its row or its payload cannot be read: it waits for people, as a dead letter or
    /// parked. Told by the inbox that found it, to the log alone.
    SetAside {
        /// Its number there.
        id: i64,
        /// What is wrong with it.
        reason: &'a str,
    },
    /// A delivery was answered, whatever with. Reported where somebody listens beside the log.
    Answered {
        /// So long after its head was there.
        after: Duration,
        /// How long the provider waits, where that is published.
        within: Option<Duration>,
    },
    /// A handler gave an event back, whatever came of it. Reported where somebody listens beside the log.
    HandlerEnded {
        /// For so long it had it.
        after: Duration,
    },
    /// Dead letters of an inbox pile up: there are four fifths of what may lie there, or more. Once, until there are fewer again.
    DeadLettersPile {
        /// So many there are.
        dead: u64,
        /// So many may be: [`Worker::dead_letters`](crate::inbox::Worker::dead_letters).
        quota: u64,
    },
    /// A receiver was built with a store that forgets when the process ends.
    ForgetsAtExit,
}
