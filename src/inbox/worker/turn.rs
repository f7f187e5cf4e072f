//! The loop: leases what is due while there are places, and sleeps until something may be.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::super::handler::InboxHandler;
use super::super::store::{InboxError, InboxErrorKind, InboxStore, LeaseToken, Leased};
use super::crew::Crew;
use super::shares::Room;
use crate::delivery::caught;
use crate::observe::{About, Fact};

/// It looks at least so often, whatever it was told.
const POLL: Duration = Duration::from_secs(1);
/// Where something seems due that could not be leased.
const SHORT: Duration = Duration::from_millis(100);

/// What comes after a turn.
enum Next {
    /// Another, at once.
    Again,
    /// Another when the bell rings, and at this time at the latest.
    Wait(Duration),
    /// Another after this time: the store needs a rest.
    Rest(Duration),
}

impl<S: InboxStore, H: InboxHandler> Crew<S, H> {
    pub(super) async fn run(self: Arc<Self>) {
        let listener = Aborted(tokio::spawn(Arc::clone(&self).listen()));
        let there = Arc::clone(&self);
        let retaining = Aborted(tokio::spawn(async move { there.retain().await }));
        let there = Arc::clone(&self);
        let watching = Aborted(tokio::spawn(async move { there.watch_dead_letters().await }));
        while !self.control.is_stopped() {
            let next = caught(self.turn()).await.unwrap_or(Next::Rest(POLL));
            match next {
                Next::Again => {}
                Next::Wait(time) => drop(timeout(time, self.control.bell.notified()).await),
                Next::Rest(time) => drop(timeout(time, self.control.stopped.wait()).await),
            }
        }
        drop((listener, retaining, watching));
        // They all come back, since an attempt ends. It is never closed.
        drop(self.places.acquire_many(self.terms.concurrency).await);
    }

    /// Rings when the store has something new.
    async fn listen(self: Arc<Self>) {
        loop {
            self.store.woken().await;
            self.control.bell.notify_one();
            // A store that is always awake must not keep the others from their turn.
            tokio::task::yield_now().await;
        }
    }

    async fn turn(self: &Arc<Self>) -> Next {
        let places = self.places.available_permits();
        if places == 0 {
            return Next::Wait(POLL);
        }
        let room = self.shares.room(places, usize::try_from(self.terms.at_most).unwrap_or(usize::MAX));
        let since = Instant::now();
        let held = match self.lease(&room).await {
            Ok(held) => held,
            Err(error) => {
                self.terms.listeners.tell(&Fact::StoreDown(&error), &About::default());
                return Next::Rest(POLL);
            }
        };
        let count = held.len();
        self.begin_all(held, since).await;
        match count {
            _ if count >= places => Next::Wait(POLL),
            _ if count >= room.most => Next::Again,
            // What is due may be of those that have as many in hand as they may.
            0 if !room.but_of.is_empty() => Next::Wait(POLL),
            _ => self.until_next(count > 0).await,
        }
    }

    async fn lease(&self, room: &Room) -> Result<Vec<Leased>, InboxError> {
        let unavailable = |what: &'static str| InboxError::new(InboxErrorKind::Unavailable).caused_by(what);
        let mut token = [0; 16];
        self.terms.entropy.fill(&mut token).map_err(|_| unavailable("no random bytes for a token"))?;
        let now = self.now()?;
        let (token, lease, Room { but_of, most }) = (LeaseToken(token), self.terms.lease, room);
        let leasing = async {
            match but_of.is_empty() {
                true => self.store.lease(token, *most, lease, now).await,
                false => self.store.lease_but_of(but_of, token, *most, lease, now).await,
            }
        };
        // What it may have leased all the same comes back when the lease ends.
        timeout(lease, leasing).await.map_err(|_| unavailable("it took too long to lease events"))?
    }

    pub(super) fn now(&self) -> Result<Timestamp, InboxError> {
        let failed = || InboxError::new(InboxErrorKind::Unavailable).caused_by("the clock failed");
        self.terms.clock.now().ok_or_else(failed)
    }

    /// Each in a task of its own. What comes after the end is given back, as is what there is no place for.
    async fn begin_all(self: &Arc<Self>, held: Vec<Leased>, since: Instant) {
        for held in held {
            match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) if !self.control.is_stopped() => {
                    let (crew, share) = (Arc::clone(self), self.shares.take(&held.event.receiver));
                    tokio::spawn(async move {
                        drop(caught(crew.attempt(held, since)).await);
                        drop((place, share));
                        crew.control.bell.notify_one();
                    });
                }
                _ => self.give_back(&held, since).await,
            }
        }
    }

    async fn until_next(&self, has_leased: bool) -> Next {
        let due = match timeout(self.terms.lease, self.store.next_due()).await {
            Ok(Ok(Some(due))) => due,
            Ok(Ok(None)) | Err(_) => return Next::Wait(POLL),
            Ok(Err(error)) => {
                self.terms.listeners.tell(&Fact::StoreDown(&error), &About::default());
                return Next::Rest(POLL);
            }
        };
        let Ok(now) = self.now() else { return Next::Rest(POLL) };
        match Duration::try_from(due.duration_since(now)) {
            Ok(left) if !left.is_zero() => Next::Wait(left.min(POLL)),
            _ if has_leased => Next::Again,
            _ => Next::Wait(SHORT),
        }
    }
}

/// A task that ends with this.
pub(super) struct Aborted<T>(pub(super) JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
