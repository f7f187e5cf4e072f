//! What is checked, and on what.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::idempotency::DedupeStore;

/// A store under test.
pub trait Subject: Sync {
    /// Its type.
    type Store: DedupeStore;

    /// A fresh store that holds no key.
    fn store(&self) -> impl Future<Output = Self::Store> + Send;

    /// A fresh store with room for exactly that many keys. Default: there is none, and that part of L7 is not checked.
    fn bounded(&self, keys: usize) -> impl Future<Output = Option<Self::Store>> + Send {
        let _ = keys;
        std::future::ready(None)
    }

    /// Lets time pass for the store. Default: tokio's sleep, which is no wait at all when the clock is paused.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }

    /// The unit of time, in which leases are 4 and retentions 20. Answers must be quicker. Default: 100 ms.
    fn tick(&self) -> Duration {
        Duration::from_millis(100)
    }
}

/// The laws that the suite checks. Their numbers are those of [`DedupeStore`]'s contract.
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
