//! What `inbox` prints.

use serde::Serialize;
use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{self, History, Stored, StoredState};

use crate::lines::Payload;

#[derive(Serialize)]
pub(super) struct Stats {
    ready: u64,
    running: u64,
    done: u64,
    dead: u64,
    parked: u64,
    quarantined: u64,
    oldest_age_s: f64,
}

impl Stats {
    pub(super) fn of(stats: &inbox::Stats) -> Self {
        let inbox::Stats { ready, running, done, dead, parked, quarantined, oldest_age, .. } = *stats;
        Self { ready, running, done, dead, parked, quarantined, oldest_age_s: oldest_age }
    }
}

/// A line of `list`.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    id: String,
    key: &'a str,
    provider: &'a str,
    event: &'a str,
    state: &'static str,
    attempts: u32,
    fence: u64,
    due_at: Option<String>,
    reason: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn of(stored: &'a Stored) -> Self {
        Self {
            id: stored.id.to_string(),
            key: &stored.key,
            provider: &stored.provider,
            event: &stored.event,
            state: stored.state.name(),
            attempts: stored.attempts,
            fence: stored.fence,
            due_at: stored.due_at.map(|time| time.to_string()),
            reason: stored.reason.as_deref(),
        }
    }
}

/// All of one event.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    receiver: &'a str,
    lane: Option<&'a str>,
    received_at: String,
    replayed_by: Option<&'a str>,
    waits_for: Option<String>,
    history: Vec<Step<'a>>,
    /// Left out where it is gone, or nobody is to read it.
    #[serde(flatten)]
    payload: Option<Payload>,
}

#[derive(Serialize)]
struct Step<'a> {
    at: String,
    what: &'a str,
    why: Option<&'a str>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(history: &'a History, is_quiet: bool) -> Self {
        let stored = &history.stored;
        let step = |(at, what, why): &'a (Timestamp, String, Option<String>)| Step {
            at: at.to_string(),
            what,
            why: why.as_deref(),
        };
        Self {
            row: Row::of(stored),
            receiver: &stored.receiver,
            lane: stored.lane.as_deref(),
            received_at: stored.received_at.to_string(),
            replayed_by: stored.replayed_by.as_deref(),
            waits_for: history.waits_for.map(|id| id.to_string()),
            history: history.steps.iter().map(step).collect(),
            payload: history.payload.as_ref().filter(|_| !is_quiet).map(|payload| Payload::of(payload)),
        }
    }
}

/// What one event waits for.
#[derive(Serialize)]
pub(super) struct Why<'a> {
    id: String,
    state: &'static str,
    /// The event of its lane that it waits for.
    waits_for: Option<String>,
    due_at: Option<String>,
    reason: Option<&'a str>,
    why: &'static str,
}

impl<'a> Why<'a> {
    pub(super) fn of(history: &'a History, now: Timestamp) -> Self {
        let stored = &history.stored;
        let is_due = stored.due_at.is_some_and(|due| due <= now);
        let why = match stored.state {
            _ if history.waits_for.is_some() => "an earlier event of its lane is not done",
            StoredState::Ready if is_due => "it is due: the next free worker takes it",
            StoredState::Ready => "its next attempt is not due yet",
            StoredState::Running if is_due => "its lease is over: the next free worker takes it again",
            StoredState::Running => "it is being handled",
            StoredState::Done => "for nothing: it is done",
            StoredState::Dead => "for somebody to replay it: there is no further attempt",
            StoredState::Parked => "for somebody to replay it: its reason says what is to be decided",
            StoredState::Quarantined => "for a person: its key came with another payload before",
            _ => "it is not known",
        };
        Self {
            id: stored.id.to_string(),
            state: stored.state.name(),
            waits_for: history.waits_for.map(|id| id.to_string()),
            due_at: stored.due_at.map(|time| time.to_string()),
            reason: stored.reason.as_deref(),
            why,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Replayed {
    matches: u64,
    replayed: u64,
}

impl Replayed {
    pub(super) fn of(done: inbox::Replayed) -> Self {
        Self { matches: done.matches, replayed: done.replayed }
    }
}

#[derive(Serialize)]
pub(super) struct Purged {
    matches: u64,
    purged: u64,
    bodies: u64,
    keys: u64,
}

impl Purged {
    pub(super) fn of(bodies: u64, keys: u64) -> Self {
        let purged = bodies.saturating_add(keys);
        Self { matches: purged, purged, bodies, keys }
    }

    /// They would be dropped, and are not.
    pub(super) fn counted(bodies: u64, keys: u64) -> Self {
        Self { purged: 0, ..Self::of(bodies, keys) }
    }
}

#[derive(Serialize)]
pub(super) struct Erased {
    pub(super) matches: u64,
    pub(super) erased: u64,
}
