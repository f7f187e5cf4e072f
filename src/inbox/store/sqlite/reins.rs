//! What others write in the inbox's file is held in: it ends at its time, or when nobody waits for it any more, and it commits
//! nothing by itself.

use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// So many instructions of a statement run between two looks: far less than a millisecond.
const EVERY: c_int = 1000;

/// For how long a work may go on.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) limit: Duration,
    /// Gone with whoever asked for it.
    pub(super) asker: Weak<()>,
}

impl Term {
    pub(super) fn is_over(&self, began: Instant) -> bool {
        began.elapsed() > self.limit || !self.is_awaited()
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.asker.strong_count() > 0
    }
}

/// Of a connection: the work that it is lent to, from when on. It is looked at while a statement runs, in the thread that runs it,
/// so that nobody else need be there to end it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reins(Arc<Mutex<Option<(Instant, Term)>>>);

impl Reins {
    pub(super) fn on(connection: &mut Connection) -> rusqlite::Result<Self> {
        let reins = Self::default();
        let (running, committing) = (reins.clone(), reins.clone());
        connection.progress_handler(EVERY, Some(move || running.is_over()))?;
        // A commit within a work is undone in its place.
        connection.commit_hook(Some(move || committing.lock().is_some()))?;
        Ok(reins)
    }

    pub(super) fn hold(&self, work: Option<(Instant, Term)>) {
        *self.lock() = work;
    }

    fn is_over(&self) -> bool {
        self.lock().as_ref().is_some_and(|(began, term)| term.is_over(*began))
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Term)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
