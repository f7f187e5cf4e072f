//! The four providers, by the names and paths under which both sides know them.

use std::fmt;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Who {
    Mambu,
    Aella,
    Opp,
    Bank,
}

impl Who {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Mambu => "/mambu",
            Self::Aella => "/aella",
            Self::Opp => "/opp",
            Self::Bank => "/bank",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path().trim_start_matches('/'))
    }
}
