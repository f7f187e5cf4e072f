//! Who joins a transaction that has begun.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::task::Job;

/// A group takes no further command when it brings so many bytes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// Who is expected is waited for in steps of this length, and no further after one in which nobody came.
const STEP: Duration = Duration::from_micros(20);

/// What waits for the writer, as far as it may share a transaction.
pub(super) struct Queue<'a> {
    jobs: &'a mut mpsc::Receiver<Box<dyn Job>>,
    /// How many share a transaction at most.
    most: usize,
    weight: usize,
    is_closed: bool,
    /// How many are expected, and how long they are waited for.
    expected: usize,
    patience: Duration,
    /// One that came next, and shares no transaction.
    pub(super) alone: Option<Box<dyn Job>>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(
        jobs: &'a mut mpsc::Receiver<Box<dyn Job>>,
        first: &dyn Job,
        most: usize,
        (expected, patience): (usize, Duration),
    ) -> Self {
        Self { jobs, most, weight: first.weight(), is_closed: first.is_alone(), expected, patience, alone: None }
    }

    /// One more, for a group of so many.
    pub(super) fn next(&mut self, group: usize) -> Option<Box<dyn Job>> {
        if self.is_closed || group >= self.most || self.weight >= GROUP_BYTES {
            return None;
        }
        let job = self.jobs.try_recv().ok().or_else(|| self.wait(group))?;
        if job.is_alone() {
            self.is_closed = true;
            self.alone = Some(job);
            return None;
        }
        self.weight = self.weight.saturating_add(job.weight());
        Some(job)
    }

    fn wait(&mut self, group: usize) -> Option<Box<dyn Job>> {
        if group >= self.expected || self.patience.is_zero() {
            return None;
        }
        let began = Instant::now();
        thread::sleep(STEP);
        self.patience = self.patience.saturating_sub(began.elapsed());
        self.jobs.try_recv().ok()
    }
}
