//! What the keeper and the test both have a hand on: the process, and how it stands with it.

use std::net::SocketAddr;
use std::process::{self, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem, thread};

use tokio::sync::watch;

use super::not_up::NotUp;
use crate::fail_point::Crash;

/// Between two looks at the process.
pub(super) const LOOK: Duration = Duration::from_millis(5);

/// An end of a process that nobody had dropped.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Death {
    /// How it ended.
    pub status: ExitStatus,
    /// What it was armed with.
    pub armed: Option<Crash>,
}

/// How it stands with the process.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) address: Option<SocketAddr>,
    pub(super) is_up: bool,
    pub(super) deaths: Vec<Death>,
    /// It is given up.
    pub(super) not_up: Option<NotUp>,
}

/// What the keeper and the test both have a hand on.
pub(super) struct Handles {
    process: Mutex<Option<process::Child>>,
    is_over: AtomicBool,
    states: watch::Sender<State>,
}

impl Handles {
    pub(super) fn new() -> (Arc<Self>, watch::Receiver<State>) {
        let (sender, receiver) = watch::channel(State::default());
        let handles = Self { process: Mutex::new(None), is_over: AtomicBool::new(false), states: sender };
        (Arc::new(handles), receiver)
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.with(|process| process.as_ref().map(process::Child::id))
    }

    pub(super) fn kill(&self) {
        // One that has ended is not there to be killed.
        self.with(|process| process.as_mut().map(process::Child::kill));
    }

    /// The process is killed, and not started again.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.kill();
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Option<process::Child>) -> T) -> T {
        look(&mut self.process.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.states.send_modify(change);
    }

    /// Its status, when it has ended. It is not there any more then.
    pub(super) fn status(&self) -> io::Result<Option<ExitStatus>> {
        self.with(|process| {
            let status = process.as_mut().map_or(Ok(None), process::Child::try_wait)?;
            if status.is_some() {
                *process = None;
            }
            Ok(status)
        })
    }

    /// Its status, waited for until then; or none, and it is killed.
    pub(super) fn status_until(&self, end: Instant) -> io::Result<Option<ExitStatus>> {
        while Instant::now() < end && !self.is_over() {
            if let Some(status) = self.status()? {
                return Ok(Some(status));
            }
            thread::sleep(LOOK);
        }
        self.reap();
        Ok(None)
    }

    pub(super) fn reap(&self) {
        if let Some(mut process) = self.with(mem::take) {
            drop(process.kill());
            drop(process.wait());
        }
    }
}
