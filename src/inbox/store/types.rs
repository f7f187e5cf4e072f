//! What an inbox's engine speaks in.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;

use crate::delivery::{Fingerprint, KeyHash};
use crate::error::BoxError;

/// The number of a stored event, in the order in which they were accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for EventId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Who holds a lease: 16 random bytes, new for each call of [`lease`](super::InboxStore::lease).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct LeaseToken(pub [u8; 16]);

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseToken(..)")
    }
}

/// An event that is to be stored.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewEvent {
    /// What tells it from others.
    pub key: KeyHash,
    /// The readable key, for people and for what it is handed to.
    pub readable_key: String,
    /// What it says, in 16 bytes.
    pub fingerprint: Fingerprint,
    /// The receiver's name.
    pub receiver: String,
    /// Whose event it is, of a receiver that serves several tenants.
    pub tenant: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// The event's name, such as `transfer.completed`.
    pub event: String,
    /// Events of one lane are handled one after the other, whoever received them. `None`: it waits for nobody.
    pub lane: Option<String>,
    /// When it happened, by its provider.
    pub occurred_at: Option<Timestamp>,
    /// Which key proved it.
    pub key_id: Option<String>,
    /// Headers that go along with it, name and value; never one that proves.
    pub headers: Vec<(String, String)>,
    /// The plaintext of this one event.
    pub payload: Bytes,
    /// The key is remembered until then.
    pub key_until: Timestamp,
}

/// What tells it from others: what it says, and the headers beside it, are not for a log.
impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("key", &self.key)
            .field("receiver", &self.receiver)
            .field("event", &self.event)
            .field("length", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl NewEvent {
    /// An event of this key and fingerprint that says this, with everything else empty.
    #[must_use]
    pub fn new(key: KeyHash, fingerprint: Fingerprint, payload: impl Into<Bytes>, key_until: Timestamp) -> Self {
        Self {
            key,
            readable_key: String::new(),
            fingerprint,
            receiver: String::new(),
            tenant: None,
            provider: String::new(),
            event: String::new(),
            lane: None,
            occurred_at: None,
            key_id: None,
            headers: Vec::new(),
            payload: payload.into(),
            key_until,
        }
    }
}

/// What became of an event that was to be stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Accepted {
    /// It is on disk.
    Stored(EventId),
    /// It was there already.
    Duplicate(EventId),
    /// Its key was there with another payload: kept apart, for people, and never handled.
    Quarantined(EventId),
}

/// An event that is held.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Leased {
    /// Which one.
    pub id: EventId,
    /// Who holds it.
    pub token: LeaseToken,
    /// Grows with each lease of the event.
    pub fence: u64,
    /// How many attempts there were, this one among them.
    pub attempt: u32,
    /// Until when it is held.
    pub until: Timestamp,
    /// An event of its lane before it is a dead letter, which was skipped.
    pub follows_dead: bool,
    /// Whoever held it before has never ended its lease: nobody knows how far its attempt came. An engine must say so.
    pub outcome_unknown: bool,
    /// The event as it was stored.
    pub event: NewEvent,
}

impl Leased {
    /// An event that is held so.
    #[must_use]
    pub fn new(id: EventId, token: LeaseToken, fence: u64, attempt: u32, until: Timestamp, event: NewEvent) -> Self {
        Self { id, token, fence, attempt, until, follows_dead: false, outcome_unknown: false, event }
    }
}

/// What becomes of a lane when one of its events is a dead letter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LanePolicy {
    /// The next has its turn, and every later one knows: [`Leased::follows_dead`].
    #[default]
    SkipAndFlag,
    /// All later ones wait until somebody replays the dead letter and it is done, or erases it.
    BlockLane,
}

/// What became of the end of a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Ended {
    /// It is as it was said.
    Done,
    /// Somebody else holds it by now, or has ended it: nothing was changed.
    Lost,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoredState {
    /// It waits for an attempt.
    Ready,
    /// It is held.
    Running,
    /// It was handled.
    Done,
    /// No further attempt, until somebody replays it.
    Dead,
    /// Nobody knows its type, or nobody knows how its last attempt ended: people decide.
    Parked,
    /// Its key came with another payload before.
    Quarantined,
}

impl StoredState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Ready, Self::Running, Self::Done, Self::Dead, Self::Parked, Self::Quarantined];

    /// As it is written for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How many events stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Waiting.
    pub ready: u64,
    /// Held.
    pub running: u64,
    /// Handled.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
    /// For people to decide.
    pub parked: u64,
    /// Kept apart.
    pub quarantined: u64,
    /// How long the one that has waited longest has been due, in seconds.
    pub oldest_age: f64,
}

/// What of an inbox is one receiver's, as far as it was looked at.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ReceiverStats {
    /// The receiver's name.
    pub receiver: String,
    /// Waiting.
    pub ready: u64,
    /// How long the one of these that has waited longest has been due, in seconds.
    pub oldest_age: f64,
    /// Dead letters.
    pub dead: u64,
}

impl ReceiverStats {
    /// Nothing of this receiver's.
    #[must_use]
    pub fn new(receiver: impl Into<String>) -> Self {
        Self { receiver: receiver.into(), ..Self::default() }
    }
}

/// A stored event without its payload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stored {
    /// Which one.
    pub id: EventId,
    /// Its readable key.
    pub key: String,
    /// The receiver's name.
    pub receiver: String,
    /// The provider's name.
    pub provider: String,
    /// The event's name.
    pub event: String,
    /// Its lane.
    pub lane: Option<String>,
    /// Where it stands.
    pub state: StoredState,
    /// How many attempts there were.
    pub attempts: u32,
    /// The fence of its last lease; 0 before the first.
    pub fence: u64,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When the next attempt is due, or its lease ends.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed, or it is where it is.
    pub reason: Option<String>,
    /// Who replayed it last.
    pub replayed_by: Option<String>,
}

/// One stored event with all that is known of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct History {
    /// Where it stands.
    pub stored: Stored,
    /// What it says. `None`: dropped by retention, or erased.
    pub payload: Option<Bytes>,
    /// What happened to it, oldest first: when, what, and why.
    pub steps: Vec<(Timestamp, String, Option<String>)>,
    /// The event of its lane that it waits for.
    pub waits_for: Option<EventId>,
}

/// Without what it says.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("stored", &self.stored)
            .field("steps", &self.steps)
            .field("waits_for", &self.waits_for)
            .finish_non_exhaustive()
    }
}

/// Which events.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Of this number.
    pub id: Option<EventId>,
    /// Of this readable key.
    pub key: Option<String>,
    /// In this state.
    pub state: Option<StoredState>,
    /// Of this name.
    pub event: Option<String>,
    /// Whose reason begins so.
    pub reason: Option<String>,
    /// Accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Of a higher number than this: the last of one page, and the next one follows.
    pub after: Option<EventId>,
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Replayed {
    /// So many fit.
    pub matches: u64,
    /// So many are due again.
    pub replayed: u64,
}

/// Beyond this nothing is accepted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Quota {
    /// Events that are not done.
    pub rows: u64,
    /// Bytes of the store.
    pub bytes: u64,
    /// Free bytes of its disk.
    pub free_disk: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self { rows: 10_000_000, bytes: 20 * 1024 * 1024 * 1024, free_disk: 512 * 1024 * 1024 }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Quota {
    /// A store that was full takes events again when it has no more than this: four fifths of each, one less at least, and a
    /// fourth more of free disk than must be.
    pub(super) fn low(&self) -> Self {
        let low = |most: u64| most.saturating_sub((most / 5).max(1));
        let free_disk = self.free_disk.saturating_add(self.free_disk / 4);
        Self { rows: low(self.rows), bytes: low(self.bytes), free_disk }
    }
}

/// Why an inbox did not do it.
#[derive(Debug)]
pub struct InboxError {
    kind: InboxErrorKind,
    source: Option<BoxError>,
}

/// The kinds of [`InboxError`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InboxErrorKind {
    /// The engine cannot be reached, or did not answer in time.
    Unavailable,
    /// A quota is reached.
    Full,
    /// A write failed such that nobody knows what is on disk: closed until it is opened again.
    Poisoned,
    /// The store is none of ours, of a newer version, or damaged.
    Unusable,
}

impl InboxError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: InboxErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// With what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> InboxErrorKind {
        self.kind
    }
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            InboxErrorKind::Unavailable => "the inbox is not available",
            InboxErrorKind::Full => "the inbox is full",
            InboxErrorKind::Poisoned => "a write of the inbox failed: it is closed until it is opened again",
            InboxErrorKind::Unusable => "the inbox's store cannot be used",
        })?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for InboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
