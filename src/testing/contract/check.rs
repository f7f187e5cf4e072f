//! Which cases show which law.

use super::law::Law;
use super::probe::Probe;
use super::subject::Subject;
use super::{holding, keeping};

impl Law {
    /// Checks this law alone.
    ///
    /// # Panics
    ///
    /// When the store breaks it. The message begins with the law.
    pub async fn check<B: Subject>(self, subject: &B) {
        let probe = Probe::new(self, subject, subject.store().await);
        match self {
            Self::OneCompletion => keeping::one_completion(&probe).await,
            Self::DoneStays => keeping::done_stays(&probe).await,
            Self::FenceGrows => holding::fence_grows(&probe).await,
            Self::StrangersChangeNothing => holding::strangers_change_nothing(&probe).await,
            Self::RepeatsAgree => holding::repeats_agree(&probe).await,
            Self::UnknownIsDecided => holding::unknown_is_decided(&probe).await,
            Self::NothingIsEvicted => keeping::nothing_is_evicted(&probe).await,
            Self::OtherEventsAreTold => keeping::other_events_are_told(&probe).await,
            Self::KeysComeFree => holding::keys_come_free(&probe).await,
            Self::TooManyClaimsPoison => keeping::too_many_claims_poison(&probe).await,
            Self::AnyDurationIsTaken => keeping::any_duration_is_taken(&probe).await,
        }
    }
}

/// Checks every law.
///
/// # Panics
///
/// At the first law that the store breaks. The message begins with the law.
pub async fn check<B: Subject>(subject: &B) {
    for law in Law::ALL {
        law.check(subject).await;
    }
}
