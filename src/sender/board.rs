//! Where the notifications of a webhook stand, and whether it delivers at all.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::notification::{Attempt, Came, Id, Notification, State};
use super::profile::{LongFailure, Pending};
use crate::provider::{Acknowledgement, Message};

/// Whether a webhook delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// It delivers.
    Active,
    /// It is new, and has not been activated.
    Inactive,
    /// Its provider has switched it off.
    SwitchedOff {
        /// So long after its beginning.
        after: Duration,
    },
}

pub(super) struct Board {
    pub(super) status: Status,
    pub(super) entries: Vec<Entry>,
    /// How many of them have a task.
    pub(super) running: usize,
}

pub(super) struct Entry {
    pub(super) notification: Notification,
    pub(super) message: Message,
    /// What the answer has to say, where the provider reads it.
    expected: Option<Acknowledgement>,
    /// Whether a task of its own tries it.
    has_task: bool,
}

impl Board {
    pub(super) fn new() -> Self {
        Self { status: Status::Active, entries: Vec::new(), running: 0 }
    }

    pub(super) fn enter(
        &mut self,
        request: Request<Bytes>,
        message: Message,
        expected: Option<Acknowledgement>,
        resends: Option<Id>,
        created: Timestamp,
    ) -> Id {
        let id = Id::new(self.entries.len());
        let idempotency_key = message.idempotency_key.clone();
        let (state, attempts) = (State::Waiting, Vec::new());
        let notification = Notification { id, state, request, attempts, resends, created, idempotency_key };
        self.entries.push(Entry { notification, message, expected, has_task: false });
        id
    }

    pub(super) fn expected(&self, id: Id) -> Option<&Acknowledgement> {
        self.entries.get(id.number())?.expected.as_ref()
    }

    /// What waits and is nobody's task.
    pub(super) fn left(&self) -> Vec<Id> {
        let left = |entry: &&Entry| entry.notification.state == State::Waiting && !entry.has_task;
        self.entries.iter().filter(left).map(|entry| entry.notification.id).collect()
    }

    /// Keeps what came of a try, and whether there will be another. True: the webhook was switched off by it.
    pub(super) fn note(&mut self, id: Id, attempt: Attempt, goes_on: bool, long_failure: LongFailure) -> bool {
        let (is_delivered, now) = (matches!(attempt.came, Came::Delivered(_)), attempt.ended);
        let Some(entry) = self.entries.get_mut(id.number()) else { return false };
        entry.notification.attempts.push(attempt);
        let switches_off = match long_failure {
            LongFailure::SwitchesOff(pending) => Some(pending),
            LongFailure::Fails => None,
        };
        entry.notification.state = match (is_delivered, goes_on, switches_off) {
            (true, ..) => State::Sent,
            (false, true, _) | (false, false, Some(Pending::Kept)) => State::Waiting,
            (false, false, _) => State::Failed,
        };
        let is_at_its_end = !is_delivered && !goes_on && switches_off.is_some();
        if is_at_its_end && self.status == Status::Active {
            self.status = Status::SwitchedOff { after: now };
        }
        // Also what was under way when it was switched off.
        if self.status != Status::Active && switches_off == Some(Pending::Deleted) {
            self.delete_waiting();
        }
        is_at_its_end
    }

    fn delete_waiting(&mut self) {
        let all = self.entries.iter_mut().map(|entry| &mut entry.notification);
        all.filter(|one| one.state == State::Waiting).for_each(|one| one.state = State::Failed);
    }

    pub(super) fn set_task(&mut self, id: Id, has_task: bool) {
        let Some(entry) = self.entries.get_mut(id.number()) else { return };
        entry.has_task = has_task;
        self.running = if has_task { self.running + 1 } else { self.running.saturating_sub(1) };
    }
}
