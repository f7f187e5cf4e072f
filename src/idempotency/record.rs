//! One key's record and what each operation makes of it: no lock, no map, and time is an argument.
//!
//! ```text
//!             claim                       complete(token)
//! (absent) ----------> Pending, held ----------------------> Done ---- retention ends ---> (absent)
//!                        |     ^
//!     release, or the    |     |  claim by another token: fence + 1
//!     lease has passed   v     |
//!                      Pending, free ---- claim, but the fence is at its most ----> Poison
//! ```

use std::time::Duration;

use tokio::time::Instant;

use super::key::Fingerprint;
use super::store::{Claim, Held, LostWhy, StateTag, StoredResponse, Terms, Token};

/// Longer durations count as this one, so that no sum of times overflows.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

pub(super) struct Record {
    fingerprint: Fingerprint,
    fence: u64,
    state: State,
    expires: Instant,
}

enum State {
    /// Nobody else may claim before `until`. A released record has no holder.
    Pending {
        holder: Option<Token>,
        until: Instant,
    },
    Done {
        by: Token,
        response: StoredResponse,
    },
    Poison,
}

impl Record {
    /// The record of a key that was absent, claimed.
    pub(super) fn claimed(token: Token, fingerprint: Fingerprint, terms: &Terms, now: Instant) -> Self {
        let until = after(now, terms.lease);
        let expires = after(now, terms.retention).max(until);
        Self { fingerprint, fence: 1, state: State::Pending { holder: Some(token), until }, expires }
    }

    /// When the record may be forgotten.
    pub(super) fn expires(&self) -> Instant {
        self.expires
    }

    /// Whether it may be forgotten now.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires <= now
    }

    /// The fence of the last claim.
    pub(super) fn fence(&self) -> u64 {
        self.fence
    }

    pub(super) fn claim(&mut self, token: &Token, fingerprint: &Fingerprint, terms: &Terms, now: Instant) -> Claim {
        if self.fingerprint != *fingerprint {
            return Claim::Mismatch { state: self.tag() };
        }
        match &self.state {
            State::Done { response, .. } => {
                return Claim::Done { fence: self.fence, response: response.clone() };
            }
            State::Poison => return Claim::Poison { attempts: self.fence },
            State::Pending { holder: Some(holder), .. } if holder == token => {}
            State::Pending { until, .. } if now < *until => {
                return Claim::InFlight { retry_in: until.duration_since(now) };
            }
            State::Pending { .. } if terms.max_attempts.is_some_and(|most| u64::from(most.get()) <= self.fence) => {
                self.state = State::Poison;
                return Claim::Poison { attempts: self.fence };
            }
            State::Pending { .. } => self.fence = self.fence.saturating_add(1),
        }
        *self = Self { fence: self.fence, ..Self::claimed(*token, *fingerprint, terms, now) };
        Claim::Acquired { fence: self.fence }
    }

    pub(super) fn renew(&mut self, token: &Token, lease: Duration, now: Instant) -> Held {
        match &mut self.state {
            State::Pending { holder: Some(holder), until } if holder == token => {
                *until = after(now, lease);
                self.expires = self.expires.max(*until);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    pub(super) fn complete(
        &mut self,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
        now: Instant,
    ) -> Held {
        match &self.state {
            State::Done { by, .. } if by == token => Held::Ok,
            State::Pending { holder: Some(holder), .. } if holder == token => {
                self.state = State::Done { by: *token, response: response.clone() };
                self.expires = after(now, retention);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    pub(super) fn release(&mut self, token: &Token, delay: Duration, now: Instant) -> Held {
        match &mut self.state {
            State::Pending { holder, until } if holder.as_ref() == Some(token) => {
                *holder = None;
                *until = after(now, delay);
                self.expires = self.expires.max(*until);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    fn lost(&self) -> Held {
        Held::Lost(LostWhy::Taken(self.tag()))
    }

    fn tag(&self) -> StateTag {
        match self.state {
            State::Pending { .. } => StateTag::Pending,
            State::Done { .. } => StateTag::Done,
            State::Poison => StateTag::Poison,
        }
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time.min(LONGEST)).unwrap_or(now)
}
