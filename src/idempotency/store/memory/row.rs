//! A record as it is kept, in 48 bytes: what most records are in the end, done with an empty answer, fits in whole. What
//! else a record may be is kept apart, while it is so.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use super::super::StoredResponse;
use super::record::{Moment, Record, State, Stub};
use super::slab::Slab;
use crate::delivery::{Fingerprint, KeyHash};

/// What tells keys apart: the last 16 of their 32 bytes. Of a hash, any half is as good as another.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Name([u8; 16]);

impl Name {
    pub(super) fn of(key: &KeyHash) -> Self {
        Self(*key.as_bytes().last_chunk().unwrap_or(&[0; 16]))
    }

    /// Where the name belongs in an index.
    ///
    /// A sender chooses what its keys are hashes of, and may search for such as agree in the bits that an index goes by,
    /// so that all of them stand in one place and each claim compares them all. Which bits those are is this process's
    /// secret, and shows in no answer.
    pub(super) fn place(self) -> u64 {
        self.place_by(*SECRET)
    }

    fn place_by(self, [first, last]: [u64; 2]) -> u64 {
        let (low, high) = self.half(0, first).carrying_mul(self.half(8, last), 0);
        low ^ high
    }

    fn half(self, from: usize, secret: u64) -> u64 {
        let half = self.0.get(from..).and_then(|bytes| bytes.first_chunk());
        u64::from_ne_bytes(*half.unwrap_or(&[0; 8])) ^ secret
    }
}

static SECRET: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(0), random.hash_one(1)]
});

pub(super) struct Row {
    name: Name,
    fingerprint: Fingerprint,
    expires: Moment,
    state: Packed,
}

/// The bytes are those of numbers, which would have to lie at multiples of their size.
enum Packed {
    Done {
        fence: u8,
        by: Stub,
    },
    /// Where the state is.
    Apart([u8; 4]),
}

impl Row {
    /// Keeps a record. `None`: there is no more room for a state.
    pub(super) fn close(name: Name, record: Record, states: &mut Slab<State>) -> Option<Self> {
        let Record { fingerprint, expires, state } = record;
        Some(Self { name, fingerprint, expires, state: Packed::new(state, states)? })
    }

    /// The record, to change it and [close](Self::close) it again. Its state is the row's no more.
    pub(super) fn open(&self, states: &mut Slab<State>) -> Option<Record> {
        let state = match self.state {
            Packed::Done { fence, by } => State::Done { fence: fence.into(), by, response: StoredResponse::default() },
            Packed::Apart(at) => states.take(u32::from_ne_bytes(at))?,
        };
        Some(Record { fingerprint: self.fingerprint, expires: self.expires, state })
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    /// When the record may be forgotten.
    pub(super) fn expires(&self) -> Moment {
        self.expires
    }

    /// Whether it may be forgotten now.
    pub(super) fn is_expired(&self, now: Moment) -> bool {
        self.expires <= now
    }
}

impl Packed {
    fn new(state: State, states: &mut Slab<State>) -> Option<Self> {
        if let State::Done { fence, by, response } = &state
            && *response == StoredResponse::default()
            && let Ok(fence) = u8::try_from(*fence)
        {
            return Some(Self::Done { fence, by: *by });
        }
        states.put(state).map(|at| Self::Apart(at.to_ne_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::StatusCode;

    use super::super::super::{Claim, Held, Terms, Token};
    use super::*;

    /// Opens and closes the row between any two calls on its record, as the store does.
    struct Kept(Row, Slab<State>);

    impl Kept {
        fn claimed() -> Self {
            let mut states = Slab::default();
            let record = Record::claimed(who(1), event(), &terms(), at(0));
            Self(Row::close(Name::of(&KeyHash::from_bytes([1; 32])), record, &mut states).unwrap(), states)
        }

        fn change<T>(&mut self, change: impl FnOnce(&mut Record) -> T) -> T {
            let mut record = self.0.open(&mut self.1).unwrap();
            let answer = change(&mut record);
            self.0 = Row::close(self.0.name(), record, &mut self.1).unwrap();
            answer
        }

        fn claim(&mut self, token: u8) -> Claim {
            self.change(|record| record.claim(&who(token), &event(), &terms(), at(5)))
        }

        fn complete(&mut self, token: u8, response: &StoredResponse) -> Held {
            self.change(|record| record.complete(&who(token), response, terms().retention, at(5)))
        }

        /// How many states are kept apart.
        fn apart(&self) -> usize {
            self.1.taken()
        }
    }

    fn who(token: u8) -> Token {
        Token::from_bytes([token; 16])
    }

    fn event() -> Fingerprint {
        Fingerprint::of(b"event")
    }

    fn terms() -> Terms {
        Terms::new(Duration::from_secs(60)).lease(Duration::ZERO)
    }

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_row_takes_48_bytes_and_a_state_apart_32() {
        assert_eq!((Slab::<Row>::PLACE, Slab::<State>::PLACE), (48, 32));
    }

    #[test]
    fn only_what_is_done_with_an_empty_answer_is_kept_in_the_row_alone() {
        let other = StoredResponse::new(StatusCode::OK, None, Bytes::from_static(b"ok"));
        for (answer, apart) in [(StoredResponse::default(), 0), (other, 1)] {
            let mut row = Kept::claimed();
            assert_eq!((row.apart(), row.complete(1, &answer), row.apart()), (1, Held::Ok, apart), "{answer:?}");
            assert_eq!(row.claim(2), Claim::Done { fence: 1, response: answer.clone() });
            assert_eq!(row.complete(1, &StoredResponse::default()), Held::Ok, "{answer:?}");
            assert_ne!(row.complete(2, &StoredResponse::default()), Held::Ok, "{answer:?}");
            assert_eq!(row.apart(), apart, "{answer:?}");
            assert!(row.0.expires() == at(65) && !row.0.is_expired(at(64)) && row.0.is_expired(at(65)));
        }
    }

    #[test]
    fn every_fence_is_kept() {
        for (last, apart) in [(2, 0), (255, 0), (256, 1), (300, 1)] {
            let mut row = Kept::claimed();
            for fence in 2..=last {
                let token = u8::try_from(fence % 7).unwrap();
                assert_eq!(row.claim(token + 10), Claim::Acquired { fence, other_payload: false }, "of {last}");
            }
            assert_eq!(row.complete(u8::try_from(last % 7).unwrap() + 10, &StoredResponse::default()), Held::Ok);
            assert_eq!(row.claim(1), Claim::Done { fence: last, response: StoredResponse::default() });
            assert_eq!(row.apart(), apart, "with fence {last}");
        }
    }

    #[test]
    fn keys_are_told_apart_by_each_bit_of_their_last_half() {
        let name = |bytes| Name::of(&KeyHash::from_bytes(bytes));
        let mut names = std::collections::HashSet::from([name([7; 32]).0]);
        for bit in 0..128 {
            let mut bytes = [7; 32];
            bytes[16 + bit / 8] ^= 1 << (bit % 8);
            assert!(names.insert(name(bytes).0), "bit {bit}");
        }
    }

    #[test]
    fn keys_that_agree_in_most_bits_stand_apart() {
        // What a sender may find by searching: names that differ in twelve bits, here at each end of each half.
        for shift in [0, 52, 64, 116] {
            let names = (0..1 << 12).map(|number: u128| Name((number << shift).to_le_bytes()));
            let places: Vec<u64> =
                names.map(|name| name.place_by([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344])).collect();
            for (case, bits) in [("where an index begins to look", 0), ("what it looks for", 57)] {
                let mut at = [0; 128];
                places.iter().for_each(|place| at[usize::try_from(place >> bits & 127).unwrap()] += 1);
                let most = at.iter().max().unwrap();
                assert!(*most < 512, "{case}, names at bit {shift}: {most} of 4096 in one of 128");
            }
        }
    }
}
