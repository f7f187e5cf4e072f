//! The one reference model: what each operation may answer, and which row it leaves.
//!
//! Times are spans, since a caller of a real store knows only that its call took effect between sending and answer.
//! Where every span is a point, as under a paused clock, exactly one thing is possible.

use std::collections::BTreeMap;
use std::time::Duration;

use tower_webhook::delivery::KeyHash;
use tower_webhook::idempotency::{LostReason, RecordState};

/// A time that lies between two.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Span {
    pub(crate) fn exactly(at: Duration) -> Self {
        Self { from: at, to: at }
    }

    pub(crate) fn widened(self, slack: Duration) -> Self {
        Self { from: self.from.saturating_sub(slack), to: self.to.saturating_add(slack) }
    }

    fn after(self, time: Duration) -> Self {
        Self { from: self.from.saturating_add(time), to: self.to.saturating_add(time) }
    }

    fn or_later(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.max(other.to) }
    }

    /// Whether this end may have come by now, and whether it may not.
    fn come(self, now: Self) -> impl Iterator<Item = bool> {
        let (may, may_not) = (now.to >= self.from, now.from < self.to);
        [(may, true), (may_not, false)].into_iter().filter_map(|(possible, come)| possible.then_some(come))
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Call {
    Claim { token: u128, event: u128, lease: Duration, retention: Duration, most: Option<u32> },
    Renew { token: u128, lease: Duration },
    Complete { token: u128, answer: u64, retention: Duration },
    Release { token: u128, delay: Duration },
}

impl Call {
    fn token(&self) -> u128 {
        let (Self::Claim { token, .. }
        | Self::Renew { token, .. }
        | Self::Complete { token, .. }
        | Self::Release { token, .. }) = self;
        *token
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Acquired(u64),
    /// With another payload than the key was known with.
    AcquiredOther(u64),
    InFlight(Span),
    Done(u64, u64),
    Mismatch(RecordState),
    Poison(u64),
    Full,
    Held,
    Lost(LostReason),
}

impl Answer {
    /// Whether a store may have said that.
    pub(crate) fn allows(&self, said: &Self) -> bool {
        match (self, said) {
            (Self::InFlight(may), Self::InFlight(is)) => may.from <= is.from && is.to <= may.to,
            _ => self == said,
        }
    }

    /// The fence that was given out.
    pub(crate) fn granted(&self) -> Option<u64> {
        if let Self::Acquired(fence) | Self::AcquiredOther(fence) = self { Some(*fence) } else { None }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Acquired(_) => "acquired",
            Self::AcquiredOther(_) => "acquired with another payload",
            Self::InFlight(_) => "in flight",
            Self::Done(..) => "done",
            Self::Mismatch(_) => "mismatch",
            Self::Poison(_) => "poison",
            Self::Full => "full",
            Self::Held => "held",
            Self::Lost(LostReason::Gone) => "gone",
            Self::Lost(_) => "taken",
        }
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Row {
    pub(crate) event: u128,
    /// Whether the key was known with another event before.
    pub(crate) other: bool,
    pub(crate) fence: u64,
    pub(crate) holder: Option<u128>,
    pub(crate) state: State,
    /// Before this time nobody but the holder claims.
    pub(crate) until: Span,
    pub(crate) expires: Span,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum State {
    Pending,
    Done(u64),
    Poison,
}

/// Whether there may be room for one more key, and whether there may be none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) some: bool,
    pub(crate) none: bool,
}

pub(crate) type Outcome = (Answer, Option<Row>);

/// All that a call on one key may come to.
pub(crate) fn possible(row: Option<&Row>, call: &Call, now: Span, room: Room) -> Vec<Outcome> {
    let Some(row) = row else { return absent(call, now, room) };
    let mut all = Vec::new();
    for gone in row.expires.come(now) {
        if gone {
            all.extend(absent(call, now, room));
        } else {
            all.extend(row.until.come(now).map(|free| row.clone().step(call, now, free)));
        }
    }
    all.dedup();
    all
}

fn absent(call: &Call, now: Span, room: Room) -> Vec<Outcome> {
    let Call::Claim { event, .. } = call else { return vec![(Answer::Lost(LostReason::Gone), None)] };
    let row =
        Row { event: *event, other: false, fence: 0, holder: None, state: State::Pending, until: now, expires: now };
    let granted = room.some.then(|| row.grant(call, now, 1));
    granted.into_iter().chain(room.none.then_some((Answer::Full, None))).collect()
}

impl Row {
    pub(crate) fn tag(&self) -> RecordState {
        match self.state {
            State::Pending => RecordState::Pending,
            State::Done(_) => RecordState::Done,
            State::Poison => RecordState::Poison,
        }
    }

    fn step(mut self, call: &Call, now: Span, free: bool) -> Outcome {
        let is_other = matches!(call, Call::Claim { event, .. } if *event != self.event);
        let holds = self.holder == Some(call.token()) && !is_other;
        let answer = match (self.state, call) {
            (State::Done(_), Call::Claim { .. }) if is_other => Answer::Mismatch(RecordState::Done),
            (State::Done(answer), Call::Claim { .. }) => Answer::Done(self.fence, answer),
            (State::Poison, Call::Claim { .. }) => Answer::Poison(self.fence),
            (State::Pending, Call::Claim { .. }) if holds => {
                let fence = self.fence;
                return self.grant(call, now, fence);
            }
            (State::Pending, Call::Claim { .. }) if !free => Answer::InFlight(Span {
                from: self.until.from.saturating_sub(now.to),
                to: self.until.to.saturating_sub(now.from),
            }),
            (State::Pending, Call::Claim { most: Some(most), .. }) if self.fence >= u64::from(*most) => {
                (self.state, self.holder) = (State::Poison, None);
                Answer::Poison(self.fence)
            }
            (State::Pending, Call::Claim { .. }) => {
                let fence = self.fence + 1;
                return self.grant(call, now, fence);
            }
            (State::Done(_), Call::Complete { .. }) if holds => Answer::Held,
            (State::Pending, call) if holds => {
                self.change(call, now);
                Answer::Held
            }
            _ => Answer::Lost(LostReason::Taken(self.tag())),
        };
        (answer, Some(self))
    }

    fn grant(mut self, call: &Call, now: Span, fence: u64) -> Outcome {
        let Call::Claim { token, event, lease, retention, .. } = call else { unreachable!("only claims are granted") };
        self.other |= self.event != *event;
        (self.event, self.fence, self.holder) = (*event, fence, Some(*token));
        (self.until, self.expires) = (now.after(*lease), now.after(*retention.max(lease)));
        (if self.other { Answer::AcquiredOther(fence) } else { Answer::Acquired(fence) }, Some(self))
    }

    /// What the holder does to its pending row.
    fn change(&mut self, call: &Call, now: Span) {
        match call {
            Call::Claim { .. } => {}
            Call::Complete { answer, retention, .. } => {
                (self.state, self.expires) = (State::Done(*answer), now.after(*retention));
            }
            Call::Renew { lease: time, .. } | Call::Release { delay: time, .. } => {
                self.until = now.after(*time);
                self.expires = self.expires.or_later(self.until);
            }
        }
        if matches!(call, Call::Release { .. }) {
            self.holder = None;
        }
    }

    /// Whether that may be said at some time while the row is there, whatever happens to it until then.
    pub(crate) fn may_come_to(&self, call: &Call, said: &Answer) -> bool {
        let is_other = matches!(call, Call::Claim { event, .. } if *event != self.event);
        let holds = self.holder == Some(call.token()) && !is_other;
        let may_be = |tag: RecordState| self.state == State::Pending || tag == self.tag();
        let may_grant = |fence: u64| fence > self.fence || holds && fence == self.fence;
        match (self.state, said) {
            (_, Answer::Lost(LostReason::Taken(tag))) => may_be(*tag),
            (State::Pending, Answer::Mismatch(tag)) => *tag == RecordState::Done,
            (State::Pending, Answer::Acquired(fence)) => !self.other && !is_other && may_grant(*fence),
            (State::Pending, Answer::AcquiredOther(fence)) => *fence > self.fence || self.other && may_grant(*fence),
            (State::Pending, Answer::Done(fence, _) | Answer::Poison(fence)) => *fence >= self.fence,
            (State::Pending, Answer::InFlight(_) | Answer::Held) => true,
            (State::Done(_), Answer::Mismatch(tag)) => is_other && *tag == RecordState::Done,
            (State::Done(is), Answer::Done(fence, said)) => !is_other && (self.fence, is) == (*fence, *said),
            (State::Done(_), Answer::Held) => holds && matches!(call, Call::Complete { .. }),
            (State::Poison, Answer::Poison(fence)) => self.fence == *fence,
            _ => false,
        }
    }

    fn may_be_gone(&self, now: Span) -> bool {
        self.expires.come(now).any(|come| come)
    }

    fn may_be_live(&self, now: Span) -> bool {
        self.expires.come(now).any(|come| !come)
    }
}

/// All keys of a store: each with every row that it may have now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) room: Option<usize>,
    pub(crate) rows: BTreeMap<KeyHash, Vec<Option<Row>>>,
}

impl Model {
    pub(crate) fn with_room(room: Option<usize>) -> Self {
        Self { room, rows: BTreeMap::new() }
    }

    /// The answer, where only one is possible.
    pub(crate) fn answer(&mut self, key: KeyHash, call: &Call, now: Duration) -> Answer {
        let mut outcomes = self.outcomes(key, call, Span::exactly(now));
        let (answer, row) = outcomes.pop().expect("something is always possible");
        assert!(outcomes.is_empty(), "at an exact time one thing is possible: {outcomes:?}");
        self.rows.insert(key, vec![row]);
        answer
    }

    /// Follows what a store said, or tells what it may have said instead.
    pub(crate) fn follow(&mut self, key: KeyHash, call: &Call, now: Span, said: &Answer) -> Result<(), Vec<Answer>> {
        let outcomes = self.outcomes(key, call, now);
        let (answers, mut rows): (Vec<_>, Vec<_>) =
            outcomes.iter().filter(|(may, _)| may.allows(said)).cloned().unzip();
        if answers.is_empty() {
            return Err(outcomes.into_iter().map(|(may, _)| may).collect());
        }
        rows.dedup();
        self.rows.insert(key, rows);
        Ok(())
    }

    /// The row of a key, where it is known and live.
    pub(crate) fn row(&self, key: KeyHash, now: Duration) -> Option<&Row> {
        let row = self.rows.get(&key)?.first()?.as_ref();
        row.filter(|row| row.may_be_live(Span::exactly(now)))
    }

    fn outcomes(&self, key: KeyHash, call: &Call, now: Span) -> Vec<Outcome> {
        let (room, fresh) = (self.room_beside(key, now), [None]);
        let rows = self.rows.get(&key).map_or(&fresh[..], Vec::as_slice);
        rows.iter().flat_map(|row| possible(row.as_ref(), call, now, room)).collect()
    }

    fn room_beside(&self, key: KeyHash, now: Span) -> Room {
        let Some(room) = self.room else { return Room { some: true, none: false } };
        let others = || self.rows.iter().filter(|(other, _)| **other != key).map(|(_, rows)| rows);
        let surely =
            |rows: &&Vec<Option<Row>>| rows.iter().all(|row| row.as_ref().is_some_and(|r| !r.may_be_gone(now)));
        let maybe = |rows: &&Vec<Option<Row>>| rows.iter().flatten().any(|row| row.may_be_live(now));
        Room { some: others().filter(surely).count() < room, none: others().filter(maybe).count() >= room }
    }
}
