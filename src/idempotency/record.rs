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

use bytes::Bytes;
use http::StatusCode;

use super::key::Fingerprint;
use super::store::{Claim, Held, LostWhy, StateTag, StoredResponse, Terms, Token};

/// A time, in nanoseconds since its store was made. It ends after 500 years, and longer durations end there.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) fn after_start(time: Duration) -> Self {
        Self(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(Self::after_start(time).0))
    }

    fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

pub(super) struct Record {
    fingerprint: Fingerprint,
    fence: u64,
    state: State,
    expires: Moment,
}

enum State {
    /// Nobody else may claim before `until`. A released record has no holder.
    Pending {
        holder: Option<Token>,
        until: Moment,
    },
    Done {
        by: Token,
        /// `None` is an empty 200, which is what most handlers answer.
        response: Option<Box<StoredResponse>>,
    },
    Poison,
}

impl Record {
    /// The record of a key that was absent, claimed.
    pub(super) fn claimed(token: Token, fingerprint: Fingerprint, terms: &Terms, now: Moment) -> Self {
        let until = now.after(terms.lease);
        let expires = now.after(terms.retention).max(until);
        Self { fingerprint, fence: 1, state: State::Pending { holder: Some(token), until }, expires }
    }

    /// When the record may be forgotten.
    pub(super) fn expires(&self) -> Moment {
        self.expires
    }

    /// Whether it may be forgotten now.
    pub(super) fn is_expired(&self, now: Moment) -> bool {
        self.expires <= now
    }

    /// The fence of the last claim.
    pub(super) fn fence(&self) -> u64 {
        self.fence
    }

    pub(super) fn claim(&mut self, token: &Token, fingerprint: &Fingerprint, terms: &Terms, now: Moment) -> Claim {
        if self.fingerprint != *fingerprint {
            return Claim::Mismatch { state: self.tag() };
        }
        match &self.state {
            State::Done { response, .. } => {
                let response = response.as_deref().cloned().unwrap_or_else(empty);
                return Claim::Done { fence: self.fence, response };
            }
            State::Poison => return Claim::Poison { attempts: self.fence },
            State::Pending { holder: Some(holder), .. } if holder == token => {}
            State::Pending { until, .. } if now < *until => {
                return Claim::InFlight { retry_in: until.since(now) };
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

    pub(super) fn renew(&mut self, token: &Token, lease: Duration, now: Moment) -> Held {
        match &mut self.state {
            State::Pending { holder: Some(holder), until } if holder == token => {
                *until = now.after(lease);
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
        now: Moment,
    ) -> Held {
        match &self.state {
            State::Done { by, .. } if by == token => Held::Ok,
            State::Pending { holder: Some(holder), .. } if holder == token => {
                let response = (*response != empty()).then(|| Box::new(response.clone()));
                self.state = State::Done { by: *token, response };
                self.expires = now.after(retention);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    pub(super) fn release(&mut self, token: &Token, delay: Duration, now: Moment) -> Held {
        match &mut self.state {
            State::Pending { holder, until } if holder.as_ref() == Some(token) => {
                *holder = None;
                *until = now.after(delay);
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

fn empty() -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::new())
}
