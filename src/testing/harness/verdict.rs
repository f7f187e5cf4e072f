//! What comes of a harness in the end.

use std::error::Error;
use std::fmt;

use crate::sender::{Broken, Tally};

/// So many deliveries are told of, the last ones.
const TOLD: usize = 40;

/// Every promise was kept.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The events in figures.
    pub tally: Tally,
    /// How many deliveries there were, forged ones among them.
    pub deliveries: u64,
    /// How many had to be refused, and were.
    pub forgeries: u64,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, deliveries, forgeries } = self;
        write!(f, "{deliveries} deliveries, {forgeries} of them forged and refused; ")?;
        write!(f, "{} events accepted, each handled once", tally.accepted)
    }
}

/// A delivery, in a line.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) line: String,
    /// A forgery that was refused as it had to be.
    pub(super) is_dull: bool,
}

/// Promises that were broken: each in a line, then what was sent, and how to send it again. So does its `Debug`, for who unwraps it.
#[derive(Clone)]
pub struct BrokenPromises(pub(super) Box<Broke>);

#[derive(Clone)]
pub(super) struct Broke {
    pub(super) tally: Tally,
    pub(super) broken: Vec<String>,
    pub(super) sent: Vec<Told>,
    pub(super) seed: u64,
    pub(super) storms: Vec<String>,
}

impl BrokenPromises {
    /// How often this promise was broken.
    #[must_use]
    pub fn count(&self, promise: Broken) -> u64 {
        self.0.tally.count(promise)
    }

    /// The first few of them, a line each.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0.broken
    }

    /// Every delivery, a line each: where it went, of which events, what was done to it, what was answered, and who was called.
    pub fn sent(&self) -> impl Iterator<Item = &str> {
        self.0.sent.iter().map(|told| &*told.line)
    }
}

impl fmt::Display for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: u64 = self.0.tally.broken.iter().sum();
        writeln!(f, "promises broken: {count}")?;
        for same in self.0.broken.chunk_by(|one, next| one == next) {
            match (same.first(), same.len()) {
                (Some(line), 1) => writeln!(f, "  {line}")?,
                (Some(line), times) => writeln!(f, "  {line} ({times} times)")?,
                (None, _) => {}
            }
        }
        writeln!(f, "what was sent, but for forgeries that were refused:")?;
        let told: Vec<_> = (1..).zip(&self.0.sent).filter(|(_, told)| !told.is_dull).collect();
        for (number, Told { line, .. }) in told.iter().skip(told.len().saturating_sub(TOLD)) {
            writeln!(f, "  {number}. {line}")?;
        }
        self.0.storms.iter().try_for_each(|storm| writeln!(f, "  a storm: {storm}"))?;
        write!(f, "to replay it: Harness::seed({}), and the same in this order", self.0.seed)
    }
}

impl fmt::Debug for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for BrokenPromises {}
