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

use std::num::NonZeroU32;
use std::time::Duration;

use super::super::{Claim, Held, LostReason, RecordState, StoredResponse, Terms, Token};
use crate::delivery::Fingerprint;

/// A time, in nanoseconds since its store was made. It ends after 500 years, and longer durations end there.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) const NEVER: Self = Self(u64::MAX);

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
    pub(super) fingerprint: Fingerprint,
    /// When the record may be forgotten.
    pub(super) expires: Moment,
    pub(super) state: State,
}

/// The fence counts claims in 32 bits, as [`Terms::max_attempts`] does. Where those end, no claim is granted any more:
/// the same fence is never given out twice.
pub(super) enum State {
    /// Nobody else may claim before `until`. A released record has no holder. Once there was another payload, it stays said.
    Pending {
        fence: u32,
        holder: Option<Token>,
        until: Moment,
        other_payload: bool,
    },
    Done {
        fence: u32,
        by: Stub,
        /// The default, an empty 200, is what most handlers answer.
        response: StoredResponse,
    },
    Poison {
        fence: u32,
    },
}

/// What a done record keeps of its token, to tell the one who did it from one who comes too late: 48 bits, in which each
/// bit of the token counts. Of tokens that a memory store made, which are counted, that is all.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Stub([u8; 6]);

impl Stub {
    fn of(token: &Token) -> Self {
        let number = u128::from_be_bytes(*token.as_bytes());
        let folded = number ^ number >> 48 ^ number >> 96;
        Self(*folded.to_be_bytes().last_chunk().unwrap_or(&[0; 6]))
    }
}

impl Record {
    /// The record of a key that was absent, claimed.
    pub(super) fn claimed(token: Token, fingerprint: Fingerprint, terms: &Terms, now: Moment) -> Self {
        Self::granted(1, false, token, fingerprint, terms, now)
    }

    fn granted(
        fence: u32,
        other_payload: bool,
        token: Token,
        fingerprint: Fingerprint,
        terms: &Terms,
        now: Moment,
    ) -> Self {
        let until = now.after(terms.lease);
        let expires = now.after(terms.retention).max(until);
        Self { fingerprint, expires, state: State::Pending { fence, holder: Some(token), until, other_payload } }
    }

    pub(super) fn claim(&mut self, token: &Token, fingerprint: &Fingerprint, terms: &Terms, now: Moment) -> Claim {
        let is_other = self.fingerprint != *fingerprint;
        let most = terms.max_attempts.map_or(u32::MAX, NonZeroU32::get);
        let (fence, other_payload) = match &self.state {
            State::Done { .. } if is_other => return Claim::Mismatch { state: RecordState::Done },
            State::Done { fence, response, .. } => {
                return Claim::Done { fence: u64::from(*fence), response: response.clone() };
            }
            State::Poison { fence } => return Claim::Poison { attempts: u64::from(*fence) },
            State::Pending { fence, holder: Some(holder), other_payload, .. } if holder == token && !is_other => {
                (*fence, *other_payload)
            }
            State::Pending { holder: Some(_), until, .. } if now < *until => {
                return Claim::InFlight { retry_in: until.since(now) };
            }
            State::Pending { until, .. } if now < *until => return Claim::Resting { retry_in: until.since(now) },
            State::Pending { fence, .. } if *fence >= most => {
                let fence = *fence;
                self.state = State::Poison { fence };
                return Claim::Poison { attempts: u64::from(fence) };
            }
            State::Pending { fence, other_payload, .. } => (fence.saturating_add(1), *other_payload || is_other),
        };
        *self = Self::granted(fence, other_payload, *token, *fingerprint, terms, now);
        acquired(fence, other_payload)
    }

    pub(super) fn renew(&mut self, token: &Token, lease: Duration, now: Moment) -> Held {
        match &mut self.state {
            State::Pending { holder: Some(holder), until, .. } if holder == token => {
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
            State::Done { by, .. } if *by == Stub::of(token) => Held::Ok,
            State::Pending { fence, holder: Some(holder), .. } if holder == token => {
                self.state = State::Done { fence: *fence, by: Stub::of(token), response: response.clone() };
                self.expires = now.after(retention);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    pub(super) fn release(&mut self, token: &Token, delay: Duration, now: Moment) -> Held {
        match &mut self.state {
            State::Pending { holder, until, .. } if holder.as_ref() == Some(token) => {
                *holder = None;
                *until = now.after(delay);
                self.expires = self.expires.max(*until);
                Held::Ok
            }
            _ => self.lost(),
        }
    }

    fn lost(&self) -> Held {
        Held::Lost(LostReason::Taken(self.tag()))
    }

    fn tag(&self) -> RecordState {
        match self.state {
            State::Pending { .. } => RecordState::Pending,
            State::Done { .. } => RecordState::Done,
            State::Poison { .. } => RecordState::Poison,
        }
    }
}

fn acquired(fence: u32, other_payload: bool) -> Claim {
    Claim::Acquired { fence: u64::from(fence), other_payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: u128) -> Token {
        Token::from_bytes(number.to_be_bytes())
    }

    #[test]
    fn no_fence_is_given_out_twice_where_they_end() {
        let (event, now) = (Fingerprint::of(b"event"), Moment::after_start(Duration::from_secs(1)));
        let terms = Terms::new(Duration::from_secs(60)).lease(Duration::ZERO);
        let mut record = Record::granted(u32::MAX - 1, false, numbered(1), event, &terms, now);
        let last = u64::from(u32::MAX);
        assert_eq!(record.claim(&numbered(2), &event, &terms, now), acquired(u32::MAX, false));
        assert_eq!(record.claim(&numbered(2), &event, &terms, now), acquired(u32::MAX, false));
        assert_eq!(record.claim(&numbered(3), &event, &terms, now), Claim::Poison { attempts: last });
        assert_eq!(record.claim(&numbered(2), &event, &terms, now), Claim::Poison { attempts: last });
    }

    #[test]
    fn each_bit_of_a_token_counts_in_its_stub() {
        for number in [0, 1, u128::from(u64::MAX), 0x1234_5678_9abc_def0_1122_3344_5566_7788] {
            for bit in 0..128 {
                let other = number ^ 1 << bit;
                assert!(Stub::of(&numbered(number)) != Stub::of(&numbered(other)), "bit {bit} of {number:x}");
            }
        }
    }

    #[test]
    fn the_stub_of_a_counted_token_is_all_of_it() {
        for number in [0_u64, 1, 255, 1 << 40, (1 << 48) - 1] {
            assert_eq!(Stub::of(&numbered(number.into())).0[..], number.to_be_bytes()[2..], "{number}");
        }
    }
}
