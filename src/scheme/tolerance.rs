//! The time of sending, where a scheme signs one, and how far it may be from ours.

use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use super::template::{Template, is_token};
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

/// How a time is written: decimal digits and nothing else, counted from 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Whole seconds.
    Seconds,
    /// Whole milliseconds.
    Milliseconds,
}

impl TimeUnit {
    fn nanoseconds(self) -> i128 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
        }
    }
}

/// Where the signed time stands, and how far it may lie in the past and in the future.
///
/// A time beyond either is [`TimestampOutside`](RejectionKind::TimestampOutside), and only after the signature has
/// fitted: a stranger cannot ask for our clock. What is no time at all is refused before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tolerance {
    place: TimePlace,
    unit: TimeUnit,
    past: Duration,
    future: Duration,
}

/// Where a signed time stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TimePlace {
    /// In a header of its own.
    Header(HeaderName),
    /// In the parameter of this name of the signature header.
    Param(String),
}

impl Tolerance {
    /// The longest tolerance. A sender who does not sign its retries anew may need one as long as its schedule.
    pub const MAX: Duration = Duration::from_hours(30 * 24);

    /// What the reference libraries of Standard Webhooks, Stripe and Slack take.
    const USUAL: Duration = Duration::from_mins(5);

    /// The time stands in this header.
    #[must_use]
    pub fn header(name: HeaderName, unit: TimeUnit) -> Self {
        Self { place: TimePlace::Header(name), unit, past: Self::USUAL, future: Self::USUAL }
    }

    /// The time stands in this parameter of the signature header, such as the `t` of `t=…,v1=…`.
    #[must_use]
    pub fn param(name: impl Into<String>, unit: TimeUnit) -> Self {
        Self { place: TimePlace::Param(name.into()), unit, past: Self::USUAL, future: Self::USUAL }
    }

    /// How old a delivery may be, to the nanosecond. Default: 5 minutes.
    #[must_use]
    pub fn past(mut self, longest: Duration) -> Self {
        self.past = longest;
        self
    }

    /// How far ahead of our clock the sender's may be. Default: 5 minutes.
    #[must_use]
    pub fn future(mut self, longest: Duration) -> Self {
        self.future = longest;
        self
    }

    /// Where the time stands.
    #[must_use]
    pub fn place(&self) -> &TimePlace {
        &self.place
    }

    /// How the time is counted.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// How old a delivery may be.
    #[must_use]
    pub fn max_past(&self) -> Duration {
        self.past
    }

    /// How far ahead of our clock the sender's may be.
    #[must_use]
    pub fn max_future(&self) -> Duration {
        self.future
    }

    /// Refuses a tolerance that is none, and a time that anybody can write.
    pub(super) fn check(&self, template: &Template) -> Result<(), ConfigError> {
        if self.past > Self::MAX || self.future > Self::MAX {
            return Err(ConfigError::new(ConfigErrorKind::OutOfRange(
                "the tolerance of the timestamp (at most 30 days)",
            )));
        }
        let (name, signed) = match &self.place {
            TimePlace::Header(name) => (name.as_str(), template.covers_header(name)),
            TimePlace::Param(name) => (name.as_str(), is_token(name) && template.covers_param(name)),
        };
        if signed { Ok(()) } else { Err(ConfigError::new(ConfigErrorKind::TimestampUnsigned(name.to_owned()))) }
    }

    /// The number as it was sent. Whatever else it is, it says nothing of our clock.
    pub(super) fn read(text: &[u8]) -> Result<u64, Rejection> {
        let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
        number.ok_or_else(|| Rejection::new(RejectionKind::HeaderMalformed, "the timestamp is not a plain number"))
    }

    /// Both sides are exact in nanoseconds: the largest number in the largest unit has 95 bits.
    pub(super) fn admit(&self, sent: u64, now: Timestamp) -> Result<(), Rejection> {
        let age = now.as_nanosecond() - i128::from(sent) * self.unit.nanoseconds();
        let within = |longest: Duration| i128::try_from(longest.as_nanos()).unwrap_or(i128::MAX);
        let side = match age {
            late if late > within(self.past) => "past",
            early if early < -within(self.future) => "future",
            _ => return Ok(()),
        };
        Err(Rejection::new(RejectionKind::TimestampOutside, format!("the timestamp lies too far in the {side}")))
    }

    /// The time as it is to be sent. `None` before 1970.
    pub(super) fn write(&self, now: Timestamp) -> Option<String> {
        let number = match self.unit {
            TimeUnit::Seconds => now.as_second(),
            TimeUnit::Milliseconds => now.as_millisecond(),
        };
        u64::try_from(number).ok().map(|number| number.to_string())
    }
}
