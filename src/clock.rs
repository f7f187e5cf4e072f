//! Time and randomness as arguments: [`Clock`] for the wall clock, [`Entropy`] for nonces and tokens.
//!
//! Leases and deadlines use tokio's monotonic clock, which a test can pause; this module is for what must be
//! compared with a time that somebody else wrote down.

use std::fmt;

pub use jiff::Timestamp;

/// The wall clock. It may fail, and then nothing that depends on it is accepted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a clock",
    note = "a clock is `SystemClock`, a `Timestamp` that stands still, or `Fn() -> Option<Timestamp>`"
)]
pub trait Clock: Send + Sync + 'static {
    /// The time now, or `None` when there is no telling.
    fn now(&self) -> Option<Timestamp>;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Option<Timestamp> {
        Timestamp::try_from(std::time::SystemTime::now()).ok()
    }
}

/// A clock that stands still, for tests.
impl Clock for Timestamp {
    fn now(&self) -> Option<Timestamp> {
        Some(*self)
    }
}

impl<F> Clock for F
where
    F: Fn() -> Option<Timestamp> + Send + Sync + 'static,
{
    fn now(&self) -> Option<Timestamp> {
        self()
    }
}

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    ///
    /// When the source has none. Nothing is sealed or claimed then.
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The operating system's source.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(out).map_err(|_| NoEntropy)
    }
}

impl<F> Entropy for F
where
    F: Fn(&mut [u8]) -> Result<(), NoEntropy> + Send + Sync + 'static,
{
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        self(out)
    }
}

/// The source of random bytes failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of random bytes failed")
    }
}

impl std::error::Error for NoEntropy {}
