//! The laws by name.

use std::fmt;

/// The laws that the suite checks. Their numbers are those of [`DedupeStore`](crate::idempotency::DedupeStore)'s contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Law {
    /// L1: only the holder completes, and only one does.
    OneCompletion,
    /// L2: done stays done until the retention ends.
    DoneStays,
    /// L3: one holder at a time, and the fence grows.
    FenceGrows,
    /// L4: a token that is not the record's own changes nothing.
    StrangersChangeNothing,
    /// L5: a repeated call is answered as before.
    RepeatsAgree,
    /// L6: after a call whose answer was lost, a later one decides.
    UnknownIsDecided,
    /// L7: a live record is never evicted.
    NothingIsEvicted,
    /// L8: another fingerprint is never replayed, and gets a free key with a word about it.
    OtherEventsAreTold,
    /// L9: a key comes free.
    KeysComeFree,
    /// L11: too many claims poison a key.
    TooManyClaimsPoison,
    /// L12: every duration is taken.
    AnyDurationIsTaken,
}

impl Law {
    /// All of them, in the order in which [`check`](super::check) runs them.
    pub const ALL: &'static [Self] = &[
        Self::OneCompletion,
        Self::DoneStays,
        Self::FenceGrows,
        Self::StrangersChangeNothing,
        Self::RepeatsAgree,
        Self::UnknownIsDecided,
        Self::NothingIsEvicted,
        Self::OtherEventsAreTold,
        Self::KeysComeFree,
        Self::TooManyClaimsPoison,
        Self::AnyDurationIsTaken,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneCompletion => "L1, one completion",
            Self::DoneStays => "L2, done stays done",
            Self::FenceGrows => "L3, one holder and a growing fence",
            Self::StrangersChangeNothing => "L4, strangers change nothing",
            Self::RepeatsAgree => "L5, repeats agree",
            Self::UnknownIsDecided => "L6, unknown is decided later",
            Self::NothingIsEvicted => "L7, nothing live is evicted",
            Self::OtherEventsAreTold => "L8, another event is told",
            Self::KeysComeFree => "L9, keys come free",
            Self::TooManyClaimsPoison => "L11, too many claims poison",
            Self::AnyDurationIsTaken => "L12, any duration is taken",
        })
    }
}
