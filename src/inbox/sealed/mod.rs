//! [`Sealed`]: an inbox whose payloads are sealed on disk, over any engine.

mod seal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::store::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, ReceiverStats, Replayed, Stats, Stored, delegated, tell_set_aside,
};
use crate::clock::{Entropy, OsEntropy};
use crate::error::ConfigError;
use crate::observe::About;
use crate::secret::KeyRing;
use seal::{Seals, Unopened};

/// An inbox whose payloads are sealed by AES-256-GCM before the engine gets them, and opened when they are leased or shown.
///
/// The newest valid key of the ring seals, and each of them opens what it has sealed, however long its time is over: a key may
/// leave the ring when nothing under it has a payload any more. What cannot be opened, since its key is gone or somebody has
/// changed it, is [parked](InboxStore::park) with the reason and handed to nobody; when the key is back,
/// [`replay`](InboxStore::replay) makes it due again.
///
/// ```
/// use tower_webhook::inbox::{Sealed, SqliteInbox};
/// use tower_webhook::secret::{Key, KeyRing, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("tower-webhook-sealed-{}.doc", std::process::id()));
/// let key = Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f")?;
/// let inbox = Sealed::new(SqliteInbox::open(&path).await?, KeyRing::new([Key::new("2026-11", key)])?)?;
/// // A key has 32 bytes.
/// assert!(Sealed::new(inbox.engine().clone(), Secret::utf8("too short")?).is_err());
/// # drop(inbox);
/// # for end in ["", "-wal", "-shm", ".lock"] {
/// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
/// # }
/// # Ok(()) }
/// ```
///
/// # Security
///
/// A seal is bound to the event's key, fingerprint, receiver, provider, name and readable key: a payload that is moved to
/// another row is not opened. In the clear stay: these, the tenant, lane, headers, times, the id of the key that proved it, and
/// the reasons of failed attempts. The fingerprint is a hash without a key: whoever can guess a payload can find out that they
/// guessed right. [`erase`](InboxStore::erase) and retention work as ever.
///
/// Nonces are random, 96 bits, so that one key may seal 2^32 payloads (NIST SP 800-38D, section 8.3). [`Sealed::seals`] counts
/// those of this process: rotate when all processes together come near 2^28. At 2^32 it seals no more.
#[derive(Clone)]
pub struct Sealed<S> {
    engine: S,
    seals: Seals,
    entropy: Arc<dyn Entropy>,
    counts: Arc<Mutex<BTreeMap<Arc<str>, u64>>>,
    is_plain_opened: bool,
}

impl<S> Sealed<S> {
    /// Of an engine and keys of 32 bytes each, newest first.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::KeyLength`](crate::error::ConfigErrorKind::KeyLength).
    pub fn new(engine: S, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let seals = Seals::new(&keys.into())?;
        Ok(Self { engine, seals, entropy: Arc::new(OsEntropy), counts: Arc::default(), is_plain_opened: false })
    }

    /// Where nonces come from. By default the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Also what was stored before there was a seal, which is parked otherwise. Whoever can write to the disk can then write
    /// payloads.
    #[must_use]
    pub fn open_plain_too(mut self) -> Self {
        self.is_plain_opened = true;
        self
    }

    /// What keeps the events.
    #[must_use]
    pub fn engine(&self) -> &S {
        &self.engine
    }

    /// How many payloads each key has sealed in this process.
    #[must_use]
    pub fn seals(&self) -> Vec<(Arc<str>, u64)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(id, count)| (Arc::clone(id), *count)).collect()
    }

    fn seal(&self, mut event: NewEvent, now: Timestamp) -> Result<NewEvent, InboxError> {
        let (id, sealed) = self.seals.seal(&event, &*self.entropy, now).map_err(unsealed)?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(id).or_default();
        if *count >= seal::MOST {
            return Err(unsealed("its key has sealed 2^32 payloads: there must be another"));
        }
        *count = count.saturating_add(1);
        event.payload = sealed;
        Ok(event)
    }

    fn is_plain(&self, error: &Unopened) -> bool {
        self.is_plain_opened && matches!(error, Unopened::Plain)
    }
}

fn unsealed(why: impl Into<crate::error::BoxError>) -> InboxError {
    InboxError::new(InboxErrorKind::Unavailable).caused_by(why)
}

impl<S: InboxStore> Sealed<S> {
    async fn open_all(&self, all: Vec<Leased>, now: Timestamp) -> Vec<Leased> {
        let mut opened = Vec::new();
        for held in all {
            // One that cannot be parked holds up no other.
            opened.extend(self.open(held, now).await.unwrap_or_default());
        }
        opened
    }

    /// What cannot be opened is parked. Where that fails its lease ends by itself, and it comes again.
    async fn open(&self, mut held: Leased, now: Timestamp) -> Result<Option<Leased>, InboxError> {
        match self.seals.open(&held.event) {
            Ok(payload) => held.event.payload = payload,
            Err(error) if self.is_plain(&error) => {}
            Err(error) => {
                let reason = error.to_string();
                if let Ended::Done = self.engine.park(&held, &reason, now).await? {
                    let NewEvent { receiver, provider, key, .. } = &held.event;
                    let about = About { receiver, provider, key: Some(key.as_bytes()), ..About::default() };
                    tell_set_aside(held.id, &reason, &about);
                }
                return Ok(None);
            }
        }
        Ok(Some(held))
    }
}

impl<S> fmt::Debug for Sealed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("keys", &self.seals).finish_non_exhaustive()
    }
}

/// What knows nothing of payloads is the engine's.
macro_rules! engine {
    ($this:expr, $inbox:ident => $call:expr) => {{
        let $inbox = &$this.engine;
        $call
    }};
}

impl<S: InboxStore> InboxStore for Sealed<S> {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        let sealed = events.into_iter().map(|event| self.seal(event, now)).collect::<Result<_, _>>()?;
        self.engine.accept(sealed, now).await
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        Ok(self.open_all(self.engine.lease(token, most, lease, now).await?, now).await)
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        Ok(self.open_all(self.engine.lease_but_of(receivers, token, most, lease, now).await?, now).await)
    }

    /// A payload that cannot be opened is not shown, and the last step says why.
    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        let Some(mut history) = self.engine.show(id).await? else { return Ok(None) };
        if let Some(payload) = &history.payload {
            match self.seals.open_shown(&history.stored, payload) {
                Ok(opened) => history.payload = Some(opened),
                Err(error) if self.is_plain(&error) => {}
                Err(error) => {
                    let at = history.steps.last().map_or(history.stored.received_at, |(at, ..)| *at);
                    history.steps.push((at, "its payload cannot be opened".to_owned(), Some(error.to_string())));
                    history.payload = None;
                }
            }
        }
        Ok(Some(history))
    }

    delegated!(engine: extend complete retry bury park release next_due woken stats stats_by_receiver list replay purge purgeable erase erasable);
}
