//! What all who ask share: the way to the writer, and to the readers.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use tokio::sync::{Notify, mpsc, oneshot};

use super::super::{InboxError, InboxErrorKind};
use super::disk::Disk;
use super::fault::{Fault, kind_of, of_open};
use super::keys::Keys;
use super::ledger::Ledger;
use super::names::Block;
use super::pace::Pace;
use super::readers::Readers;
use super::reins::Reins;
use super::setup::SqliteSetup;
use super::space::Space;
use super::task::{Job, Task, Write};
use super::writer::Writer;
use super::{connect, suspects};

/// So many commands wait for the writer, and further callers wait for their turn.
const WAITING: usize = 1024;

#[derive(Debug)]
pub(super) struct Handle {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    pub(super) woken: Arc<Notify>,
    /// Of an owner.
    pub(super) disk: Option<Disk>,
    is_poisoned: Arc<AtomicBool>,
}

impl Handle {
    pub(super) async fn start(path: PathBuf, setup: SqliteSetup, is_owner: bool) -> Result<Self, InboxError> {
        let starting = tokio::task::spawn_blocking(move || Self::start_blocking(path, setup, is_owner));
        starting.await.unwrap_or_else(|error| Err(InboxError::new(InboxErrorKind::Unavailable).caused_by(error)))
    }

    fn start_blocking(path: PathBuf, setup: SqliteSetup, is_owner: bool) -> Result<Self, InboxError> {
        let path = connect::real(path, is_owner)?;
        let lock = is_owner.then(|| connect::lock(&path)).transpose()?;
        let probe = |lock| Disk::probe(lock, &connect::beside(&path, ".lock"), setup.must_be_durable);
        let disk = lock.as_ref().map(probe).transpose()?;
        let mut connection = connect::writer(&path, &setup, is_owner)?;
        let reins = Reins::on(&mut connection).map_err(|error| of_open(&error))?;
        let mut keys = Keys::new(setup.batch);
        if is_owner {
            let failed = |error: rusqlite::Error| InboxError::new(kind_of(&error)).caused_by(error.to_string());
            suspects::of_owners_gone(&connection).map_err(failed)?;
            let numbers = Ledger::read(&connection).map_err(failed)?.numbers;
            // Where keys cannot be read nothing is accepted, and what is there can be handled all the same.
            let _ = keys.follow(&connection, numbers);
        }
        let woken = Arc::new(Notify::new());
        let is_poisoned = Arc::new(AtomicBool::new(false));
        let (jobs, waiting) = mpsc::channel(WAITING);
        let writer = Writer {
            connection,
            reins,
            path: path.clone(),
            quota: setup.quota,
            keys,
            names: Block::default(),
            group: setup.group,
            busy_timeout: setup.busy_timeout,
            is_full: false,
            shrunk: None,
            pace: Pace::default(),
            space: Space::default(),
            woken: Arc::clone(&woken),
            is_poisoned: Arc::clone(&is_poisoned),
            _lock: lock,
        };
        let writer = Builder::new()
            .name("inbox-writer".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|error| InboxError::new(InboxErrorKind::Unavailable).caused_by(error))?;
        let readers = Arc::new(Readers::new(path, setup));
        Ok(Self { jobs: Some(jobs), writer: Some(writer), readers, woken, is_poisoned, disk })
    }

    /// Has it run in a transaction, and hears of it after the commit.
    pub(super) fn write<T: Send + 'static>(
        &self,
        weight: usize,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> impl Future<Output = Result<T, InboxError>> {
        self.send(weight, false, work)
    }

    /// The same, in a transaction that it shares with no other.
    pub(super) fn write_alone<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> impl Future<Output = Result<T, InboxError>> {
        self.send(0, true, work)
    }

    /// The work stands in a box before the future is made, which is then small, as are those that hold it.
    fn send<T: Send + 'static, F: FnMut(&mut Write<'_>) -> Result<T, Fault> + Send + 'static>(
        &self,
        weight: usize,
        is_alone: bool,
        work: F,
    ) -> impl Future<Output = Result<T, InboxError>> + use<'_, T, F> {
        let (asker, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Task { work, weight, is_alone, result: None, asker });
        async move {
            let Some(jobs) = &self.jobs else { return Err(self.gone()) };
            jobs.send(job).await.map_err(|_| self.gone())?;
            answer.await.map_or_else(|_| Err(self.gone()), |(result, _)| result)
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        if self.is_poisoned.load(Ordering::Acquire) {
            return Err(self.gone());
        }
        self.readers.read(work).await
    }

    /// The writer has ended before its time.
    fn gone(&self) -> InboxError {
        if self.is_poisoned.load(Ordering::Acquire) {
            InboxError::new(InboxErrorKind::Poisoned)
        } else {
            InboxError::new(InboxErrorKind::Unavailable).caused_by("its writer is gone")
        }
    }
}

/// Waits for the commit in hand: after this the file may be opened again. The writer closes last, and so checkpoints.
impl Drop for Handle {
    fn drop(&mut self) {
        self.readers.close();
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
