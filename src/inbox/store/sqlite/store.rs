//! The inbox itself: each call goes to the writer or to a reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};

use super::super::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LeaseToken, Leased, NewEvent,
    Replayed, Stats, Stored,
};
use super::end::{self, End};
use super::fault::{Fault, kind_of};
use super::readers::Readers;
use super::row::Micros;
use super::setup::SqliteSetup;
use super::task::{Job, Task, Write};
use super::writer::Writer;
use super::{accept, connect, erase, find, lease, replay, retain};

/// So many commands wait for the writer, and further callers wait for their turn.
const WAITING: usize = 1024;

/// A durable inbox in a file. A clone is the same inbox; the file is closed when the last is dropped.
#[derive(Clone, Debug)]
pub struct SqliteInbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    woken: Arc<Notify>,
    is_poisoned: Arc<AtomicBool>,
}

impl SqliteInbox {
    /// How to open one.
    pub fn setup() -> SqliteSetup {
        SqliteSetup::default()
    }

    /// Opens a file as its one owner, with defaults: [`SqliteSetup::open`].
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or this is an SQLite that may lose commits.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::setup().open(path).await
    }

    /// Opens a file that somebody else may own, with defaults: [`SqliteSetup::visit`].
    ///
    /// # Errors
    ///
    /// There is no such file, it is no inbox or of another version, or this is an SQLite that may lose commits.
    pub async fn visit(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::setup().visit(path).await
    }

    pub(super) async fn start(path: PathBuf, setup: SqliteSetup, is_owner: bool) -> Result<Self, InboxError> {
        let starting = tokio::task::spawn_blocking(move || Self::start_blocking(path, setup, is_owner));
        starting.await.unwrap_or_else(|error| Err(InboxError::new(InboxErrorKind::Unavailable).caused_by(error)))
    }

    fn start_blocking(path: PathBuf, setup: SqliteSetup, is_owner: bool) -> Result<Self, InboxError> {
        let lock = is_owner.then(|| connect::lock(&path)).transpose()?;
        let connection = connect::writer(&path, &setup, is_owner)?;
        if is_owner {
            lease::void_all(&connection)
                .map_err(|error| InboxError::new(kind_of(&error)).caused_by(error.to_string()))?;
        }
        let woken = Arc::new(Notify::new());
        let is_poisoned = Arc::new(AtomicBool::new(false));
        let (jobs, waiting) = mpsc::channel(WAITING);
        let writer = Writer {
            connection,
            path: path.clone(),
            quota: setup.quota,
            group: setup.group,
            woken: Arc::clone(&woken),
            is_poisoned: Arc::clone(&is_poisoned),
            _lock: lock,
        };
        let writer = Builder::new()
            .name("inbox-writer".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|error| InboxError::new(InboxErrorKind::Unavailable).caused_by(error))?;
        let readers = Arc::new(Readers::new(path, setup));
        Ok(Self(Arc::new(Shared { jobs: Some(jobs), writer: Some(writer), readers, woken, is_poisoned })))
    }

    /// Has it run in a transaction, and hears of it after the commit.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        weight: usize,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (asker, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Task { work, weight, result: None, asker });
        let Some(jobs) = &self.0.jobs else { return Err(self.gone()) };
        jobs.send(job).await.map_err(|_| self.gone())?;
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        if self.0.is_poisoned.load(Ordering::Acquire) {
            return Err(self.gone());
        }
        self.0.readers.read(work).await
    }

    async fn end(&self, held: &Leased, end: End, now: Timestamp) -> Result<Ended, InboxError> {
        let (id, token, fence) = (held.id, held.token, held.fence);
        self.write(0, move |write| end::end(write, id, token, fence, &end, Micros::of(now))).await
    }

    /// The writer has ended before its time.
    fn gone(&self) -> InboxError {
        if self.0.is_poisoned.load(Ordering::Acquire) {
            InboxError::new(InboxErrorKind::Poisoned)
        } else {
            InboxError::new(InboxErrorKind::Unavailable).caused_by("its writer is gone")
        }
    }
}

/// Waits for the commit in hand: after this the file may be opened again. The writer closes last, and so checkpoints.
impl Drop for Shared {
    fn drop(&mut self) {
        self.readers.close();
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl InboxStore for SqliteInbox {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        let weight = events.iter().map(|event| event.payload.len()).fold(0, usize::saturating_add);
        self.write(weight, move |write| accept::accept(write, &events, Micros::of(now))).await
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        self.write(0, move |write| lease::lease(write, token, most, lease, Micros::of(now))).await
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        let (id, token, fence) = (held.id, held.token, held.fence);
        let until = Micros::of(now).after(lease);
        self.write(0, move |write| end::extend(write, id, token, fence, until)).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Complete, now).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Retry { due: Micros::of(due), reason: reason.to_owned() }, now).await
    }

    async fn bury(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Bury { reason: reason.to_owned() }, now).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Release, now).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        self.read(find::next_due).await.map(|due| due.map(Micros::time))
    }

    async fn woken(&self) {
        self.0.woken.notified().await;
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        self.read(move |connection| find::stats(connection, Micros::of(now))).await
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        let filter = filter.clone();
        self.read(move |connection| find::list(connection, &filter, most)).await
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        self.read(move |connection| find::show(connection, id)).await
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        replay::replay(self, filter.clone(), most, is_dry_run, by, Micros::of(now)).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        retain::purge(self, Micros::of(bodies_before), Micros::of(now)).await
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        let key = key.to_owned();
        self.write(0, move |write| erase::erase(write, &key, Micros::of(now))).await
    }
}
