//! A store in memory that keeps the laws, and can be away.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, Replayed, Stats, Stored, StoredState,
};

#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Inner>);

#[derive(Default)]
struct Inner {
    rows: Mutex<BTreeMap<i64, Row>>,
    bell: Notify,
    /// Every call fails.
    pub(super) is_away: AtomicBool,
    /// No renewal is answered.
    renews_nothing: AtomicBool,
    /// Nobody is woken, and nothing is known of what is due.
    is_mute: AtomicBool,
    renewals: AtomicU32,
    leases: AtomicU32,
    /// What was asked to go, in seconds: bodies from before, and when.
    purges: Mutex<Vec<(i64, i64)>>,
}

#[derive(Clone)]
struct Row {
    event: NewEvent,
    state: StoredState,
    due: Timestamp,
    token: Option<LeaseToken>,
    fence: u64,
    attempts: u32,
    reason: Option<String>,
    blocks: bool,
}

/// A row in short: its state, its attempts, and why the last one failed.
pub(super) type Short = (StoredState, u32, Option<String>);

impl Fake {
    pub(super) fn away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::SeqCst);
    }

    pub(super) fn renews_nothing(&self) {
        self.0.renews_nothing.store(true, Ordering::SeqCst);
    }

    pub(super) fn mute(&self) {
        self.0.is_mute.store(true, Ordering::SeqCst);
    }

    pub(super) fn renewals(&self) -> u32 {
        self.0.renewals.load(Ordering::SeqCst)
    }

    pub(super) fn leases(&self) -> u32 {
        self.0.leases.load(Ordering::SeqCst)
    }

    pub(super) fn purges(&self) -> Vec<(i64, i64)> {
        self.0.purges.lock().unwrap().clone()
    }

    pub(super) fn row(&self, id: i64) -> Short {
        let row = self.0.rows.lock().unwrap()[&id].clone();
        (row.state, row.attempts, row.reason)
    }

    /// As if so many attempts had been begun, and none had ended.
    pub(super) fn begun(&self, id: i64, attempts: u32) {
        self.0.rows.lock().unwrap().get_mut(&id).unwrap().attempts = attempts;
    }

    /// Somebody replays it, and it is done.
    pub(super) fn done(&self, id: i64) {
        self.0.rows.lock().unwrap().get_mut(&id).unwrap().state = StoredState::Done;
    }

    /// Somebody else holds it from now on.
    pub(super) fn taken(&self, id: i64) {
        let mut rows = self.0.rows.lock().unwrap();
        let row = rows.get_mut(&id).unwrap();
        (row.token, row.fence, row.due) = (Some(LeaseToken([0xee; 16])), row.fence + 1, Timestamp::MAX);
    }

    fn reach(&self) -> Result<(), InboxError> {
        match self.0.is_away.load(Ordering::SeqCst) {
            true => Err(InboxError::new(InboxErrorKind::Unavailable)),
            false => Ok(()),
        }
    }

    fn held(&self, held: &Leased, change: impl FnOnce(&mut Row)) -> Result<Ended, InboxError> {
        self.reach()?;
        let mut rows = self.0.rows.lock().unwrap();
        let row = rows.get_mut(&held.id.0).unwrap();
        if row.state != StoredState::Running || row.token != Some(held.token) || row.fence != held.fence {
            return Ok(Ended::Lost);
        }
        change(row);
        Ok(Ended::Done)
    }

    fn end(
        &self,
        held: &Leased,
        state: StoredState,
        due: Timestamp,
        reason: Option<&str>,
    ) -> Result<Ended, InboxError> {
        self.held(held, |row| {
            (row.state, row.due, row.token, row.reason) = (state, due, None, reason.map(str::to_owned))
        })
    }
}

fn is_open(row: &Row) -> bool {
    matches!(row.state, StoredState::Ready | StoredState::Running)
}

impl InboxStore for Fake {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        self.reach()?;
        let mut rows = self.0.rows.lock().unwrap();
        let mut accepted = Vec::new();
        for event in events {
            let id = i64::try_from(rows.len()).unwrap() + 1;
            let known = rows.iter().find(|(_, row)| row.event.key == event.key);
            accepted.push(match known {
                Some((id, row)) if row.event.fingerprint == event.fingerprint => Accepted::Duplicate(EventId(*id)),
                Some(_) => Accepted::Quarantined(EventId(id)),
                None => Accepted::Stored(EventId(id)),
            });
            let state = match accepted.last() {
                Some(Accepted::Stored(_)) => StoredState::Ready,
                Some(Accepted::Quarantined(_)) => StoredState::Quarantined,
                _ => continue,
            };
            rows.insert(
                id,
                Row { event, state, due: now, token: None, fence: 0, attempts: 0, reason: None, blocks: false },
            );
        }
        self.0.bell.notify_one();
        Ok(accepted)
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        self.lease_but_of(&[], token, most, lease, now).await
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        self.0.leases.fetch_add(1, Ordering::SeqCst);
        self.reach()?;
        let mut rows = self.0.rows.lock().unwrap();
        let all = rows.clone();
        let is_head = |id: i64, row: &Row| {
            row.event.lane.is_none()
                || !all
                    .range(..id)
                    .any(|(_, other)| other.event.lane == row.event.lane && (is_open(other) || other.blocks))
        };
        let is_due = |id: i64, row: &Row| is_open(row) && row.due <= now && is_head(id, row);
        let due = rows.iter_mut().filter(|(id, row)| is_due(**id, row) && !receivers.contains(&row.event.receiver));
        let mut held = Vec::new();
        for (id, row) in due.take(most) {
            let until = now.checked_add(lease).unwrap();
            let outcome_unknown = row.token.is_some();
            (row.state, row.due, row.token) = (StoredState::Running, until, Some(token));
            (row.fence, row.attempts) = (row.fence + 1, row.attempts + 1);
            let leased = Leased::new(EventId(*id), token, row.fence, row.attempts, until, row.event.clone());
            held.push(Leased { outcome_unknown, ..leased });
        }
        Ok(held)
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        if self.0.renews_nothing.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        self.0.renewals.fetch_add(1, Ordering::SeqCst);
        self.held(held, |row| row.due = now.checked_add(lease).unwrap())
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, StoredState::Done, now, None)
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, _: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, StoredState::Ready, due, Some(reason))
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        let _ = self.held(held, |row| row.blocks = lane == LanePolicy::BlockLane)?;
        self.end(held, StoredState::Dead, now, Some(reason))
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, StoredState::Parked, now, Some(reason))
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.held(held, |row| {
            (row.state, row.due, row.token, row.attempts) = (StoredState::Ready, now, None, row.attempts - 1);
        })
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        self.reach()?;
        let rows = self.0.rows.lock().unwrap();
        let due = rows.values().filter(|row| is_open(row)).map(|row| row.due).min();
        Ok(due.filter(|_| !self.0.is_mute.load(Ordering::SeqCst)))
    }

    async fn woken(&self) {
        self.0.bell.notified().await;
        if self.0.is_mute.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    async fn stats(&self, _: Timestamp) -> Result<Stats, InboxError> {
        self.reach()?;
        let rows = self.0.rows.lock().unwrap();
        let dead = rows.values().filter(|row| row.state == StoredState::Dead).count() as u64;
        Ok(Stats { dead, ..Stats::default() })
    }

    async fn list(&self, _: &Filter, _: usize) -> Result<Vec<Stored>, InboxError> {
        unreachable!("nobody here asks")
    }

    async fn show(&self, _: EventId) -> Result<Option<History>, InboxError> {
        unreachable!("nobody here asks")
    }

    async fn replay(&self, _: &Filter, _: usize, _: bool, _: &str, _: Timestamp) -> Result<Replayed, InboxError> {
        unreachable!("nobody here asks")
    }

    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        self.0.purges.lock().unwrap().push((before.as_second(), now.as_second()));
        self.reach().map(|()| (0, 0))
    }

    async fn erase(&self, _: &str, _: Timestamp) -> Result<u64, InboxError> {
        unreachable!("nobody here asks")
    }
}
