//! What the receiver's process tells the one that started it, a line of JSON each.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::common::Who;

/// One line.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Line {
    /// It takes deliveries at this address.
    Listening(std::net::SocketAddr),
    /// An event is in its handler's hands, which book it.
    Booked(Entry),
    /// A delivery was refused, for this reason.
    Refused(String),
    /// An event was kept apart, since its key came with another payload before.
    KeptApart(String),
    /// What was in hand has finished, and nothing new is taken.
    Drained,
}

/// One event in a handler's hands.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) who: Who,
    pub(crate) key: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) amount: String,
    pub(crate) fence: Option<NonZeroU64>,
    pub(crate) attempt: Option<NonZeroU64>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.amount.is_empty() {
            write!(f, " {}", self.amount)?;
        }
        match self.attempt {
            Some(attempt) if attempt.get() == 1 => Ok(()),
            Some(attempt) => write!(f, ", attempt {attempt}"),
            None => write!(f, ", no attempt is counted"),
        }
    }
}
