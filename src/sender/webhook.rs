//! One target of a provider's: its notifications, their tries, and what becomes of it when they fail.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::board::{Board, Status};
use super::chance::Chance;
use super::judge::{expected, judge, retry_after};
use super::ladder::Ladder;
use super::notification::{Attempt, Came, Id, Notification, State};
use super::profile::{DeliveryProfile, Payload};
use super::transport::{Answer, NoAnswer, Transport};
use crate::clock::{Entropy, NoEntropy, OsEntropy};
use crate::encoding::Encoding;
use crate::provider::{Message, Provider};
use crate::scheme::{SealError, Sealing};

/// How many tries are under way at once, where nothing else is set.
const AT_ONCE: usize = 64;

/// One target of a provider's, which gets what is sent to it until it has it, or until the provider gives it up.
///
/// Clones are one webhook. Tries are tasks of the tokio runtime that [`send`](Self::send) is called in, whose time they go by.
pub struct Webhook<P, T>(pub(super) Arc<Inner<P, T>>);

pub(super) struct Inner<P, T> {
    target: Uri,
    pub(super) provider: P,
    pub(super) profile: DeliveryProfile,
    transport: T,
    pub(super) entropy: Arc<dyn Entropy>,
    epoch: Timestamp,
    began: Instant,
    chance: Chance,
    at_once: Semaphore,
    board: Mutex<Board>,
    /// One more notification is nobody's task.
    ended: Notify,
    /// The webhook was switched off.
    switched: Notify,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotSent {
    /// The webhook is not active: what happens meanwhile is not sent later either.
    SwitchedOff,
    /// There is no notification of this number.
    Unknown,
    /// The message cannot be sealed.
    Unsealable(SealError),
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SwitchedOff => "the webhook is not active",
            Self::Unknown => "there is no such notification",
            Self::Unsealable(_) => "the message cannot be sealed",
        })
    }
}

impl Error for NotSent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unsealable(error) => Some(error),
            _ => None,
        }
    }
}

impl<P: Provider, T: Transport> Webhook<P, T> {
    /// A webhook at this address, sealed by this provider and delivered as the profile says. It begins now: at the Unix epoch
    /// for its signatures, unless [`starting_at`](Self::starting_at) says another time.
    #[must_use]
    pub fn new(target: Uri, provider: P, profile: DeliveryProfile, transport: T) -> Self {
        Self(Arc::new(Inner {
            target,
            provider,
            profile,
            transport,
            entropy: Arc::new(OsEntropy),
            epoch: Timestamp::UNIX_EPOCH,
            began: Instant::now(),
            chance: Chance::new(0),
            at_once: Semaphore::new(AT_ONCE),
            board: Mutex::new(Board::new()),
            ended: Notify::new(),
            switched: Notify::new(),
        }))
    }

    /// Sealed as if it had begun at this time. Nothing is changed once a clone of it is elsewhere.
    #[must_use]
    pub fn starting_at(mut self, epoch: Timestamp) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.epoch = epoch;
        }
        self
    }

    /// With waits, where they are drawn, from this seed. Default: 0. Nothing is changed once a clone of it is elsewhere.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.chance = Chance::new(seed);
        }
        self
    }

    /// Sends a message: now, and as often as the profile has it. It needs a tokio runtime with its timer.
    ///
    /// # Errors
    ///
    /// [`NotSent`] when the webhook is switched off, and when the message cannot be sealed.
    pub fn send(&self, message: Message) -> Result<Id, NotSent> {
        self.enter(message, None)
    }

    /// Whether it delivers.
    #[must_use]
    pub fn status(&self) -> Status {
        self.board().status
    }

    /// All notifications, in the order in which they were sent.
    #[must_use]
    pub fn history(&self) -> Vec<Notification> {
        self.board().entries.iter().map(|entry| entry.notification.clone()).collect()
    }

    /// Waits until nothing is under way and nothing waits for a next try.
    pub async fn settled(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.board().running == 0 {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn enter(&self, mut message: Message, resends: Option<Id>) -> Result<Id, NotSent> {
        // What is sealed anew at each try must not be given another id each time.
        if self.0.profile.payload == Payload::Resealed && message.idempotency_key.is_none() {
            message.idempotency_key = Some(self.0.new_key()?);
        }
        let request = self.0.seal(&message).map_err(NotSent::Unsealable)?;
        let expected = expected(&self.0.profile, &self.0.provider, &request, &message);
        let mut board = self.board();
        if board.status != Status::Active {
            return Err(NotSent::SwitchedOff);
        }
        let id = board.enter(request, message, expected, resends, self.0.now());
        self.spawn(&mut board, id);
        Ok(id)
    }

    pub(super) fn spawn(&self, board: &mut Board, id: Id) {
        board.set_task(id, true);
        let task = Task { inner: Arc::clone(&self.0), id };
        tokio::spawn(async move { task.inner.deliver(task.id).await });
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board()
    }
}

impl<P, T> Inner<P, T> {
    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new idempotency key: 16 random bytes in hexadecimal.
///
/// # Errors
///
/// When the source has none.
pub fn new_key(entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(Encoding::Hex.encode(&bytes))
}

/// A notification's task, which ends whatever its transport does.
struct Task<P, T> {
    inner: Arc<Inner<P, T>>,
    id: Id,
}

impl<P, T> Drop for Task<P, T> {
    fn drop(&mut self) {
        self.inner.board().set_task(self.id, false);
        self.inner.ended.notify_waiters();
    }
}

impl<P: Provider, T: Transport> Inner<P, T> {
    /// The time that it goes by.
    fn now(&self) -> Timestamp {
        let elapsed = jiff::SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.epoch.saturating_add(elapsed).unwrap_or(self.epoch)
    }

    pub(super) fn seal(&self, message: &Message) -> Result<Request<Bytes>, SealError> {
        let mut request = self.provider.seal(message.clone(), &Sealing::new(self.now(), &*self.entropy))?;
        *request.uri_mut() = message.target.as_ref().unwrap_or(&self.target).clone();
        Ok(request)
    }

    pub(super) fn new_key(&self) -> Result<String, NotSent> {
        new_key(&*self.entropy).map_err(|error| NotSent::Unsealable(error.into()))
    }

    /// Tries until it is delivered, until the ladder is at its end, or until the webhook is switched off.
    async fn deliver(&self, id: Id) {
        let (mut ladder, mut chance) = (Ladder::default(), self.chance.split(id.0 as u64));
        while let Some(request) = self.begin(id, ladder.is_begun()) {
            let at = self.began.elapsed();
            let answer = self.exchange(request).await;
            let asked = answer.as_ref().ok().and_then(|answer| retry_after(&answer.headers));
            let came = judge(&self.profile, self.board().expected(id), answer);
            let attempt = Attempt { at, ended: self.began.elapsed(), came };
            let next = match came {
                Came::Delivered(_) => None,
                _ => ladder.next(&self.profile, asked, &mut chance),
            };
            if self.board().note(id, attempt, next.is_some(), self.profile.long_failure) {
                self.switched.notify_waiters();
            }
            let Some(wait) = next else { return };
            self.wait(wait).await;
        }
    }

    /// The request of the next try. `None`: the webhook was switched off meanwhile.
    fn begin(&self, id: Id, again: bool) -> Option<Request<Bytes>> {
        let mut board = self.board();
        if board.status != Status::Active {
            return None;
        }
        let entry = board.entries.get_mut(id.0)?;
        if again
            && self.profile.payload == Payload::Resealed
            && let Ok(request) = self.seal(&entry.message)
        {
            entry.notification.request = request;
        }
        entry.notification.state = State::Sending;
        Some(entry.notification.request.clone())
    }

    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        // It is never closed.
        let _place = self.at_once.acquire().await;
        timeout(self.profile.answer_within, self.transport.exchange(request)).await.unwrap_or(Err(NoAnswer::TimedOut))
    }

    /// Until the next try is due, or the webhook is switched off.
    async fn wait(&self, wait: Duration) {
        let due = Instant::now() + wait;
        loop {
            let switched = self.switched.notified();
            if self.board().status != Status::Active || timeout_at(due, switched).await.is_err() {
                return;
            }
        }
    }
}

impl<P, T> Clone for Webhook<P, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P, T> fmt::Debug for Webhook<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("target", &self.0.target)
            .field("profile", &self.0.profile)
            .finish_non_exhaustive()
    }
}
