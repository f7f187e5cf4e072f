//! The laws by name.

use std::fmt;

/// The laws that the suite checks, as [`InboxStore`](crate::inbox::InboxStore)'s module states them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Law {
    /// What is accepted is accepted whole, and comes back as it was.
    AcceptedWhole,
    /// A key that is known is a duplicate, or is quarantined, and the first is never changed.
    KeysAreKnown,
    /// An event has one holder at a time.
    OneHolder,
    /// Fences grow, whatever happens.
    FencesGrow,
    /// Attempts are counted by the lease, and what is given back is not.
    AttemptsAreCounted,
    /// Whose last lease was ended by nobody is said so, and nothing else is.
    UnknownIsSaid,
    /// Whoever has not both token and fence changes nothing.
    StrangersChangeNothing,
    /// Who is passed over loses nothing by it, and takes no other's turn.
    PassedOverWaits,
    /// Of a lane one is held at a time, in order, and lanes are fair to each other.
    LanesGoInOrder,
    /// Dead letters let their lane go on or block it, as it was said.
    DeadLettersAreObeyed,
    /// What is replayed keeps its key, and no more is replayed than was asked for.
    ReplayIsBounded,
    /// Keys outlive bodies, and what is not done outlives both.
    KeysOutliveBodies,
    /// What is erased says nothing any more, and disturbs no other.
    ErasedIsGone,
    /// A call that was given up has happened or not, and a repeat finds out.
    GivenUpIsWhole,
    /// Counts are those of what is there.
    CountsAreTrue,
}

impl Law {
    /// All of them, in the order in which [`check`](super::check()) runs them.
    pub const ALL: &'static [Self] = &[
        Self::AcceptedWhole,
        Self::KeysAreKnown,
        Self::OneHolder,
        Self::FencesGrow,
        Self::AttemptsAreCounted,
        Self::UnknownIsSaid,
        Self::StrangersChangeNothing,
        Self::PassedOverWaits,
        Self::LanesGoInOrder,
        Self::DeadLettersAreObeyed,
        Self::ReplayIsBounded,
        Self::KeysOutliveBodies,
        Self::ErasedIsGone,
        Self::GivenUpIsWhole,
        Self::CountsAreTrue,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcceptedWhole => "accepted whole",
            Self::KeysAreKnown => "keys are known",
            Self::OneHolder => "one holder",
            Self::FencesGrow => "fences grow",
            Self::AttemptsAreCounted => "attempts are counted",
            Self::UnknownIsSaid => "unknown is said",
            Self::StrangersChangeNothing => "strangers change nothing",
            Self::PassedOverWaits => "passed over waits",
            Self::LanesGoInOrder => "lanes go in order",
            Self::DeadLettersAreObeyed => "dead letters are obeyed",
            Self::ReplayIsBounded => "replay is bounded",
            Self::KeysOutliveBodies => "keys outlive bodies",
            Self::ErasedIsGone => "erased is gone",
            Self::GivenUpIsWhole => "given up is whole",
            Self::CountsAreTrue => "counts are true",
        })
    }
}
