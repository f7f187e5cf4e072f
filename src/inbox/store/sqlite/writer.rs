//! The one thread that writes: what waits shares a transaction.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};
use tokio::sync::{Notify, mpsc};

use super::super::{InboxError, InboxErrorKind, Quota, tell_set_aside};
use super::fault::{is_refusal, kind_of, kind_of_commit};
use super::keys::Keys;
use super::ledger::Ledger;
use super::names::Block;
use super::pace::Pace;
use super::queue::Queue;
use super::reins::Reins;
use super::space::{self, Space};
use super::task::{Job, Write};
use crate::observe::About;

/// While it is full, the log is made small this often.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) reins: Reins,
    pub(super) path: PathBuf,
    pub(super) quota: Quota,
    pub(super) keys: Keys,
    pub(super) names: Block,
    /// How many commands share a transaction at most.
    pub(super) group: usize,
    pub(super) busy_timeout: Duration,
    pub(super) woken: Arc<Notify>,
    pub(super) is_poisoned: Arc<AtomicBool>,
    /// A quota was reached, and there is no room again yet.
    pub(super) is_full: bool,
    /// When it last tried to make the log small.
    pub(super) shrunk: Option<Instant>,
    pub(super) pace: Pace,
    pub(super) space: Space,
    /// Held for as long as the connection is; after it, since fields are dropped in order.
    pub(super) _lock: Option<File>,
}

/// Where a transaction failed, and what that means for those in it.
struct Broken {
    kind: InboxErrorKind,
    cause: String,
    /// One of its commands failed, and the others need not.
    is_by_one: bool,
}

impl Writer {
    /// Until nobody can send any more, or a write leaves it in doubt what is on disk.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut next = None;
        while let Some(first) = next.take().or_else(|| jobs.blocking_recv()) {
            let mut queue = Queue::new(&mut jobs, &*first, self.group, self.pace.expected());
            let (began, number) = (Instant::now(), self.commit(vec![first], Some(&mut queue)));
            next = queue.alone;
            self.pace.ended(number, began);
            self.shrink();
            if self.is_poisoned.load(Ordering::Acquire) {
                return;
            }
        }
    }

    /// These, and those who join them. How many they were in the end.
    fn commit(&mut self, mut group: Vec<Box<dyn Job>>, queue: Option<&mut Queue<'_>>) -> usize {
        let result = self.transact(&mut group, queue);
        let number = group.len();
        match result {
            Ok(()) => group.into_iter().for_each(|job| job.answer()),
            Err(broken) if broken.is_by_one && number > 1 => {
                for job in group {
                    self.commit(vec![job], None);
                }
            }
            Err(broken) => {
                for job in group {
                    job.refuse(InboxError::new(broken.kind).caused_by(broken.cause.clone()));
                }
            }
        }
        number
    }

    /// A log that is long takes room in which there could be events. It is as long as its longest reader was slow, and stays so
    /// by itself. Nobody is waited for.
    fn shrink(&mut self) {
        let is_early = self.shrunk.is_some_and(|last| last.elapsed() < AGAIN);
        if !self.is_full || self._lock.is_none() || is_early || self.is_poisoned.load(Ordering::Acquire) {
            return;
        }
        self.shrunk = Some(Instant::now());
        let result = self
            .connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        let restored = self.connection.busy_timeout(self.busy_timeout);
        if let Err(error) = result.and(restored)
            && kind_of(&error) == InboxErrorKind::Poisoned
        {
            self.is_poisoned.store(true, Ordering::Release);
        }
    }

    /// All of them in one transaction, or none.
    fn transact(&mut self, group: &mut Vec<Box<dyn Job>>, queue: Option<&mut Queue<'_>>) -> Result<(), Broken> {
        if self.is_poisoned.load(Ordering::Acquire) {
            return Err(Broken {
                kind: InboxErrorKind::Poisoned,
                cause: "by a write before".to_owned(),
                is_by_one: false,
            });
        }
        let result = self.attempt(group, queue);
        let Err(mut broken) = result else { return Ok(()) };
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            broken.kind = InboxErrorKind::Poisoned;
        }
        if broken.kind == InboxErrorKind::Poisoned {
            broken.is_by_one = false;
            self.is_poisoned.store(true, Ordering::Release);
        }
        Err(broken)
    }

    fn attempt(&mut self, group: &mut Vec<Box<dyn Job>>, mut queue: Option<&mut Queue<'_>>) -> Result<(), Broken> {
        let begun = |error: Error| Broken { kind: kind_of(&error), cause: error.to_string(), is_by_one: false };
        let by_one = |error: Error| Broken { kind: kind_of(&error), cause: error.to_string(), is_by_one: true };
        let ended = |error: Error| Broken { kind: kind_of_commit(&error), cause: error.to_string(), is_by_one: false };

        let mut begin = self.connection.prepare_cached("BEGIN IMMEDIATE").map_err(begun)?;
        begin.execute([]).map_err(begun)?;
        let ledger = Ledger::read(&self.connection).map_err(begun)?;
        self.keys.begin();
        let measure = || space::measure(&self.connection, &self.path);
        let space = self.space.at(Instant::now(), &self.quota, measure).map_err(begun)?;
        let mut write = Write {
            connection: &self.connection,
            reins: &self.reins,
            storing: None,
            ledger,
            begun: ledger,
            keys: &mut self.keys,
            names: &mut self.names,
            quota: &self.quota,
            space,
            brought: 0,
            is_full: self.is_full,
            is_woken: false,
            aside: Vec::new(),
        };
        let mut done = 0;
        while let Some(job) = group.get_mut(done) {
            job.run(&mut write).map_err(by_one)?;
            done += 1;
            // Others come while this one is written.
            group.extend(queue.as_mut().and_then(|queue| queue.next(done)));
        }
        write.keys.merge(&self.connection, &mut write.ledger.numbers).map_err(by_one)?;
        if write.ledger != ledger {
            write.ledger.write(&self.connection).map_err(by_one)?;
        }
        let mut commit = self.connection.prepare_cached("COMMIT").map_err(begun)?;
        if let Err(error) = commit.execute([]) {
            let is_refused = is_refusal(&error) && !self.connection.is_autocommit();
            return Err(if is_refused { by_one(error) } else { ended(error) });
        }
        write.keys.committed(ledger.numbers, write.ledger.numbers);
        self.is_full = write.is_full;
        write.aside.iter().for_each(|(id, why)| tell_set_aside(*id, why, &About::default()));
        if write.is_woken {
            // All who wait now, and the next who would.
            self.woken.notify_waiters();
            self.woken.notify_one();
        }
        Ok(())
    }
}
