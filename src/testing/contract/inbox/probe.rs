//! What the laws are written in: calls that say what they expect, and panic when it is not so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::law::Law;
use crate::delivery::{Fingerprint, KeyHash};
use crate::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    Stored, StoredState,
};

pub(super) const LEASE: Duration = Duration::from_secs(30);

/// One inbox.
pub(super) struct Probe<S> {
    law: Law,
    pub(super) store: Arc<S>,
}

/// How a lease ends, or goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Extend,
    Complete,
    Retry,
    Bury(LanePolicy),
    Park,
    Release,
}

impl Call {
    pub(super) const ALL: [Self; 7] = [
        Self::Extend,
        Self::Complete,
        Self::Retry,
        Self::Bury(LanePolicy::SkipAndFlag),
        Self::Bury(LanePolicy::BlockLane),
        Self::Park,
        Self::Release,
    ];

    /// Where the event stands after it.
    pub(super) fn leads_to(self) -> StoredState {
        match self {
            Self::Extend => StoredState::Running,
            Self::Complete => StoredState::Done,
            Self::Retry | Self::Release => StoredState::Ready,
            Self::Bury(_) => StoredState::Dead,
            Self::Park => StoredState::Parked,
        }
    }
}

/// Retries are due so many seconds later.
pub(super) const RETRY: i64 = 5;

pub(super) async fn run<S: InboxStore>(store: &S, held: &Leased, call: Call, second: i64) -> Result<Ended, InboxError> {
    let now = at(second);
    match call {
        Call::Extend => store.extend(held, LEASE, now).await,
        Call::Complete => store.complete(held, now).await,
        Call::Retry => store.retry(held, at(second.saturating_add(RETRY)), "not yet", now).await,
        Call::Bury(lane) => store.bury(held, "no use", lane, now).await,
        Call::Park => store.park(held, "nobody knows it", now).await,
        Call::Release => store.release(held, now).await,
    }
}

impl<S: InboxStore> Probe<S> {
    pub(super) fn new(law: Law, store: S) -> Self {
        Self { law, store: Arc::new(store) }
    }

    /// The law, and the inbox where nobody else has it.
    pub(super) fn into_parts(self) -> (Law, Option<S>) {
        (self.law, Arc::into_inner(self.store))
    }

    #[allow(clippy::panic, reason = "this is a test: a broken law is a panic")]
    pub(super) fn broken(&self, case: &str, got: &dyn fmt::Debug) -> ! {
        panic!("{} is broken: {case}, but got {got:?}", self.law)
    }

    pub(super) fn expect(&self, holds: bool, case: &str, got: &dyn fmt::Debug) {
        if !holds {
            self.broken(case, got);
        }
    }

    pub(super) fn answered<T>(&self, answer: Result<T, InboxError>, case: &str) -> T {
        answer.unwrap_or_else(|error| self.broken(&format!("{case}: the inbox answers"), &error))
    }

    pub(super) async fn accept(&self, events: Vec<NewEvent>, second: i64) -> Vec<Accepted> {
        let count = events.len();
        let accepted = self.answered(self.store.accept(events, at(second)).await, "accept");
        self.expect(accepted.len() == count, "accept says of each event what it is", &accepted);
        accepted
    }

    /// One event that is new.
    pub(super) async fn stores(&self, event: NewEvent, second: i64) -> EventId {
        match self.accept(vec![event], second).await.first() {
            Some(Accepted::Stored(id)) => *id,
            other => self.broken("a new key is Stored", &other),
        }
    }

    pub(super) async fn leases(&self, token: u8, most: usize, second: i64) -> Vec<Leased> {
        let leased = self.store.lease(LeaseToken([token; 16]), most, LEASE, at(second)).await;
        let leased = self.answered(leased, "lease");
        self.expect(leased.len() <= most, "no more is leased than was asked for", &leased);
        self.expect(leased.iter().all(|held| held.token.0 == [token; 16]), "the token is the caller's", &leased);
        leased
    }

    /// The one event that is due.
    pub(super) async fn leases_one(&self, token: u8, second: i64, case: &str) -> Leased {
        let mut leased = self.leases(token, 10, second).await;
        match (leased.pop(), leased.is_empty()) {
            (Some(held), true) => held,
            (last, _) => self.broken(&format!("{case}: one event is leased"), &(leased, last)),
        }
    }

    pub(super) async fn leases_none(&self, token: u8, second: i64, case: &str) {
        let leased = self.leases(token, 10, second).await;
        self.expect(leased.is_empty(), &format!("{case}: nothing is leased"), &leased);
    }

    pub(super) async fn call(&self, held: &Leased, call: Call, second: i64) -> Ended {
        let ended = run(&*self.store, held, call, second).await;
        self.answered(ended, &format!("{call:?}"))
    }

    pub(super) async fn holds(&self, held: &Leased, call: Call, second: i64, case: &str) {
        let ended = self.call(held, call, second).await;
        self.expect(ended == Ended::Done, &format!("{case}: {call:?} is Done"), &ended);
    }

    pub(super) async fn loses(&self, held: &Leased, call: Call, second: i64, case: &str) {
        let ended = self.call(held, call, second).await;
        self.expect(ended == Ended::Lost, &format!("{case}: {call:?} is Lost"), &ended);
    }

    pub(super) async fn shows(&self, id: EventId, case: &str) -> History {
        let shown = self.answered(self.store.show(id).await, case);
        shown.unwrap_or_else(|| self.broken(&format!("{case}: the event is there"), &id))
    }

    pub(super) async fn stands(&self, id: EventId, state: StoredState, case: &str) -> Stored {
        let stored = self.shows(id, case).await.stored;
        self.expect(stored.state == state, &format!("{case}: its state is {}", state.name()), &stored);
        stored
    }

    pub(super) async fn lists(&self, filter: &Filter) -> Vec<Stored> {
        self.answered(self.store.list(filter, 10_000).await, "list")
    }

    pub(super) async fn replays(&self, filter: &Filter, second: i64, case: &str) {
        let replayed = self.store.replay(filter, 10, false, "ann", at(second)).await;
        let replayed = self.answered(replayed, case);
        self.expect(replayed.matches == 1 && replayed.replayed == 1, &format!("{case}: one is replayed"), &replayed);
    }

    pub(super) async fn purges(&self, bodies_before: i64, second: i64, case: &str) -> (u64, u64) {
        // An engine need not be able to count it.
        let counted = self.store.purgeable(at(bodies_before), at(second)).await.ok();
        let purged = self.answered(self.store.purge(at(bodies_before), at(second)).await, case);
        let is_so = counted.is_none_or(|counted| counted == purged);
        self.expect(is_so, &format!("{case}: what was counted is what goes"), &(counted, purged));
        purged
    }

    pub(super) async fn erases(&self, key: &str, second: i64) -> u64 {
        // An engine need not be able to count it.
        let counted = self.store.erasable(key).await.ok();
        let erased = self.answered(self.store.erase(key, at(second)).await, "erase");
        let is_so = counted.is_none_or(|counted| counted == erased);
        self.expect(is_so, "what was counted is what is erased", &(counted, erased));
        erased
    }

    /// What the inbox counts is what it lists.
    pub(super) async fn counts_are_true(&self, second: i64, case: &str) {
        let stats = self.answered(self.store.stats(at(second)).await, case);
        let all = self.lists(&Filter::default()).await;
        let counted = [stats.ready, stats.running, stats.done, stats.dead, stats.parked, stats.quarantined];
        for (state, counted) in StoredState::ALL.into_iter().zip(counted) {
            let there = all.iter().filter(|stored| stored.state == state).count();
            let case = format!("{case}: {} {} are counted", counted, state.name());
            self.expect(u64::try_from(there) == Ok(counted), &case, &there);
        }
    }
}

/// The suite's time, in seconds from its beginning.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second.saturating_add(1_900_000_000)).unwrap_or_default()
}

/// Keys are remembered until this second.
pub(super) const KEY_UNTIL: i64 = 1_000_000;

pub(super) fn event(number: u32, says: &str) -> NewEvent {
    let mut key = [0xA5; 32];
    for (to, from) in key.iter_mut().rev().zip(number.to_le_bytes()) {
        *to = from;
    }
    let fingerprint = Fingerprint::of(says.as_bytes());
    let payload = says.as_bytes().to_vec();
    let event = NewEvent::new(KeyHash::from_bytes(key), fingerprint, payload, at(KEY_UNTIL));
    NewEvent { readable_key: format!("key-{number}"), event: "transfer.completed".to_owned(), ..event }
}

pub(super) fn in_lane(number: u32, lane: &str) -> NewEvent {
    NewEvent { lane: Some(lane.to_owned()), ..event(number, &format!("event {number}")) }
}

pub(super) fn of(id: EventId) -> Filter {
    Filter { id: Some(id), ..Filter::default() }
}

pub(super) fn ids(leased: &[Leased]) -> Vec<EventId> {
    leased.iter().map(|held| held.id).collect()
}
