//! Which cases show which law.

use super::law::Law;
use super::probe::Probe;
use super::subject::Subject;
use super::{accepting, cutting, ending, lanes, leasing, people};

impl Law {
    /// Checks this law alone.
    ///
    /// # Panics
    ///
    /// When the store breaks it. The message begins with the law.
    pub async fn check<B: Subject>(self, subject: &B) {
        let p = Probe::new(self, subject.store().await);
        match self {
            Self::AcceptedWhole => accepting::accepted_whole(&p).await,
            Self::KeysAreKnown => accepting::keys_are_known(&p).await,
            Self::OneHolder => leasing::one_holder(&p).await,
            Self::FencesGrow => leasing::fences_grow(subject, p).await,
            Self::AttemptsAreCounted => ending::attempts_are_counted(&p).await,
            Self::UnknownIsSaid => ending::unknown_is_said(&p).await,
            Self::StrangersChangeNothing => ending::strangers_change_nothing(&p).await,
            Self::PassedOverWaits => leasing::passed_over(&p).await,
            Self::LanesGoInOrder => lanes::go_in_order(&p).await,
            Self::DeadLettersAreObeyed => lanes::dead_letters_are_obeyed(&p).await,
            Self::ReplayIsBounded => people::replay_is_bounded(&p).await,
            Self::KeysOutliveBodies => people::keys_outlive_bodies(&p).await,
            Self::ErasedIsGone => people::erased_is_gone(&p).await,
            Self::GivenUpIsWhole => cutting::given_up_is_whole(&p).await,
            Self::CountsAreTrue => people::counts_are_true(&p).await,
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
