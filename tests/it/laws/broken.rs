//! The controls: stores that break one rule, for every test here to catch.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{Claim, DedupeStore, Held, StoreError, StoreErrorKind, StoredResponse, Terms, Token};

use super::model::{Answer, Call, Model, Row, State};
use super::stand::{EVENT, number, response};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    /// A completion is written whoever holds the key, if any.
    CompleteUpserts,
    /// A release deletes the record, whoever holds it.
    ReleaseDeletes,
    /// A release deletes the record, and only the holder's does.
    OwnReleaseDeletes,
    /// A claim is granted while another lease runs.
    LeaseIsIgnored,
    /// Another token's claim is granted with the fence of the one before.
    FenceStands,
    /// A repeat of the holder's claim counts as another.
    RepeatCounts,
    /// A claim finds a record that is done and forgets it.
    DoneIsForgotten,
    /// Another record goes when there is no room.
    Evicts,
    /// What was read may be old when it is written.
    ReadsThenWrites,
    /// A key comes free a moment too late.
    LeaseIsLonger,
    /// A free key is refused to another event for as long as its record lives.
    OtherIsRefused,
    /// A free key goes to another event, and nobody is told.
    OtherIsUnsaid,
    /// It is told once, and not when the claim is repeated.
    OtherIsForgotten,
    /// Another event takes a key while its lease runs.
    OtherTakesTheLease,
    /// The record of a key that another event has taken is still the first one's.
    OtherLeavesNoTrace,
}

/// The model as a store, with these flaws.
pub(crate) struct Broken {
    flaws: &'static [Flaw],
    start: Instant,
    model: Mutex<Model>,
}

impl Broken {
    pub(crate) fn new(flaws: &'static [Flaw], room: Option<usize>) -> Self {
        Self { flaws, start: Instant::now(), model: Mutex::new(Model::with_room(room)) }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn call(&self, key: &KeyHash, call: Call) -> Answer {
        let mut model = self.model.lock().unwrap();
        if !self.has(Flaw::ReadsThenWrites) {
            return self.answer(&mut model, *key, call);
        }
        let before = model.rows.get(key).cloned();
        drop(model);
        std::thread::yield_now();
        let mut mine = Model::default();
        mine.rows.extend(before.map(|rows| (*key, rows)));
        let answer = self.answer(&mut mine, *key, call);
        self.model.lock().unwrap().rows.append(&mut mine.rows);
        answer
    }

    fn answer(&self, model: &mut Model, key: KeyHash, mut call: Call) -> Answer {
        let now = self.start.elapsed();
        let stored = model.rows.get(&key).and_then(|rows| rows[0].clone());
        match &mut call {
            Call::Complete { token, .. } if self.has(Flaw::CompleteUpserts) => {
                self.hand_over(model, key, *token, now);
            }
            Call::Release { .. } if self.has(Flaw::ReleaseDeletes) => {
                model.rows.remove(&key);
                return Answer::Held;
            }
            Call::Claim { lease, .. } if self.has(Flaw::LeaseIsLonger) => *lease += Duration::from_millis(50),
            Call::Claim { .. } => self.before_claim(model, key, &call),
            _ => {}
        }
        let refused = model.row(key, now).filter(|row| self.has(Flaw::OtherIsRefused) && is_other(row, &call));
        if let Some(row) = refused {
            return Answer::Mismatch(row.tag());
        }
        let mut answer = model.answer(key, &call, now);
        if self.has(Flaw::OwnReleaseDeletes) && matches!(call, Call::Release { .. }) && answer == Answer::Held {
            model.rows.remove(&key);
        }
        if let (true, Some(before), Answer::Acquired(fence)) = (self.has(Flaw::FenceStands), stored, &mut answer) {
            *fence = before.fence;
            model.rows.get_mut(&key).unwrap()[0].as_mut().unwrap().fence = before.fence;
        }
        if let Answer::AcquiredOther(fence) = answer {
            self.after_another_event(model.rows.get_mut(&key).unwrap()[0].as_mut().unwrap());
            return if self.has(Flaw::OtherIsUnsaid) { Answer::Acquired(fence) } else { answer };
        }
        answer
    }

    fn after_another_event(&self, row: &mut Row) {
        if self.has(Flaw::OtherIsForgotten) {
            row.other = false;
        }
        if self.has(Flaw::OtherLeavesNoTrace) {
            row.event = event_of(&Fingerprint::of(&EVENT.to_be_bytes()));
        }
    }

    fn before_claim(&self, model: &mut Model, key: KeyHash, call: &Call) {
        let Call::Claim { token, .. } = *call else { return };
        let full = model.rows.len() >= model.room.unwrap_or(usize::MAX);
        if self.has(Flaw::Evicts) && full && !model.rows.contains_key(&key) {
            model.rows.pop_first();
        }
        let Some(Some(row)) = model.rows.get_mut(&key).map(|rows| &mut rows[0]) else { return };
        if self.has(Flaw::LeaseIsIgnored) || self.has(Flaw::OtherTakesTheLease) && is_other(row, call) {
            (row.until.from, row.until.to) = (Duration::ZERO, Duration::ZERO);
        }
        if self.has(Flaw::RepeatCounts) && row.state == State::Pending && row.holder == Some(token) {
            row.fence += 1;
        }
        if self.has(Flaw::DoneIsForgotten) && matches!(row.state, State::Done(_)) {
            model.rows.remove(&key);
        }
    }

    /// Makes the row pending for that token, unless that token is done with it already.
    fn hand_over(&self, model: &mut Model, key: KeyHash, token: u128, now: Duration) {
        if model.row(key, now).is_none() {
            let (long, event) = (Duration::from_secs(1 << 30), event_of(&Fingerprint::of(&EVENT.to_be_bytes())));
            model.rows.remove(&key);
            model.answer(key, &Call::Claim { token, event, lease: long, retention: long, most: None }, now);
        }
        let row = model.rows.get_mut(&key).unwrap()[0].as_mut().unwrap();
        if row.holder != Some(token) {
            (row.holder, row.state) = (Some(token), State::Pending);
        }
    }
}

impl DedupeStore for Broken {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        event: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let (lease, retention, most) = (terms.lease, terms.retention, terms.max_attempts.map(u32::from));
        let (token, event) = (u128::from_be_bytes(*token.as_bytes()), event_of(event));
        Ok(match self.call(key, Call::Claim { token, event, lease, retention, most }) {
            Answer::Acquired(fence) => Claim::Acquired { fence, other_payload: false },
            Answer::AcquiredOther(fence) => Claim::Acquired { fence, other_payload: true },
            Answer::InFlight(retry_in) => Claim::InFlight { retry_in: retry_in.from },
            Answer::Done(fence, number) => Claim::Done { fence, response: response(number) },
            Answer::Mismatch(state) => Claim::Mismatch { state },
            Answer::Poison(attempts) => Claim::Poison { attempts },
            _ => return Err(StoreErrorKind::Full.into()),
        })
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        let token = u128::from_be_bytes(*token.as_bytes());
        Ok(held(&self.call(key, Call::Renew { token, lease })))
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (token, answer) = (u128::from_be_bytes(*token.as_bytes()), number(response));
        Ok(held(&self.call(key, Call::Complete { token, answer, retention })))
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        let token = u128::from_be_bytes(*token.as_bytes());
        Ok(held(&self.call(key, Call::Release { token, delay })))
    }
}

fn is_other(row: &Row, call: &Call) -> bool {
    matches!(call, Call::Claim { event, .. } if *event != row.event)
}

fn event_of(fingerprint: &Fingerprint) -> u128 {
    u128::from_be_bytes(*fingerprint.as_bytes())
}

fn held(answer: &Answer) -> Held {
    match answer {
        Answer::Lost(why) => Held::Lost(*why),
        _ => Held::Ok,
    }
}
