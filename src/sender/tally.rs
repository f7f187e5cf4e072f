//! Promises, and how often each was broken.

use std::fmt;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Broken {
    /// An event that was accepted was never handled.
    Lost,
    /// A handler was called again with the same or a lower fence; or after the sender had a 2xx, where nothing is stored before; or
    /// where it is, when it was done and more often than the receiver went down.
    HandledTwice,
    /// What had to be refused was answered 2xx, or its handler was called; or a handler was called with something else than was sent.
    WronglyAccepted,
    /// What had to be accepted was answered with an error that is no "come again".
    WronglyRefused,
    /// An event was not accepted within its ladder and the time for healing.
    Unsettled,
    /// The sender had a 2xx before the handler was done, where nothing is stored before.
    AnsweredEarly,
    /// An event was handled behind a later one of its lane, where lanes are kept in order.
    OutOfOrder,
}

/// The events of a ledger in figures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// Events.
    pub events: u64,
    /// Those whose sender had a 2xx.
    pub accepted: u64,
    /// Calls that came again as they may.
    pub called_again: u64,
    /// Events that were first called behind a later one of their lane.
    pub overtaken: u64,
    /// Each that should be 0, in the order of [`Broken::ALL`].
    pub broken: [u64; Broken::ALL.len()],
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Lost,
        Self::HandledTwice,
        Self::WronglyAccepted,
        Self::WronglyRefused,
        Self::Unsettled,
        Self::AnsweredEarly,
        Self::OutOfOrder,
    ];

    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|one| *one == self).unwrap_or_default()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::HandledTwice => "handled twice",
            Self::WronglyAccepted => "wrongly accepted",
            Self::WronglyRefused => "wrongly refused",
            Self::Unsettled => "unsettled",
            Self::AnsweredEarly => "answered early",
            Self::OutOfOrder => "out of order",
        })
    }
}

impl Tally {
    /// How often this promise was broken.
    #[must_use]
    pub fn count(&self, broken: Broken) -> u64 {
        self.broken.get(broken.place()).copied().unwrap_or_default()
    }

    /// Whether no promise was broken.
    #[must_use]
    pub fn is_happy(&self) -> bool {
        self.broken.iter().all(|count| *count == 0)
    }
}
