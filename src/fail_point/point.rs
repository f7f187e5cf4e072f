//! The points by name, and a death at one of them.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident = $name:literal,)*) => {
        /// A place on a delivery's way at which a process can die.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// What it is called in [`VARIABLE`](super::VARIABLE).
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// The whole body is there, and nobody has looked at it.
    Collected = "collected",
    /// The body is proved and decrypted, and not decoded.
    Opened = "opened",
    /// The events of a delivery are decoded, and on their way to an inbox.
    Admitted = "admitted",
    /// They are written into an inbox's file, and not committed. The engine writes in a thread of its own, which a test that
    /// arms its own thread does not reach.
    Written = "written",
    /// They are committed to an inbox, and there is no answer yet.
    Stored = "stored",
    /// The store has granted the event, or the inbox has leased it, and the handler is not called.
    Claimed = "claimed",
    /// The handler has done the event, and the store does not know.
    Handled = "handled",
    /// The event is marked as done, or goes on being marked in the background. Without an inbox there is no answer yet.
    Completed = "completed",
    /// The answer leaves the receiver, and no byte of it is written. Answers to repeats and to failures count too; those to
    /// a delivery that was rejected before it was opened do not.
    Answered = "answered",
}

impl Point {
    /// Those on the way of a delivery that is answered when its events are handled, in their order.
    pub const HANDLED_FIRST: &[Self] =
        &[Self::Collected, Self::Opened, Self::Claimed, Self::Handled, Self::Completed, Self::Answered];

    /// Those on the way of a delivery that is answered when its events are stored, in their order. The last three are the
    /// worker's, and may come before the answer.
    pub const STORED_FIRST: &[Self] = &[
        Self::Collected,
        Self::Opened,
        Self::Admitted,
        Self::Written,
        Self::Stored,
        Self::Answered,
        Self::Claimed,
        Self::Handled,
        Self::Completed,
    ];

    /// A death when it is reached for the n-th time in a process, counted over all deliveries. At least 1.
    #[must_use]
    pub const fn nth(self, n: u32) -> Crash {
        match NonZeroU32::new(n) {
            Some(nth) => Crash { point: self, nth },
            None => Crash { point: self, nth: NonZeroU32::MIN },
        }
    }
}

/// Where and when a process is to die. As text it is `claimed:3`, or `claimed` for the first time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Crash {
    point: Point,
    nth: NonZeroU32,
}

impl Crash {
    /// Where.
    #[must_use]
    pub const fn point(self) -> Point {
        self.point
    }

    /// When it is reached for which time.
    #[must_use]
    pub const fn times(self) -> NonZeroU32 {
        self.nth
    }
}

/// When it is reached for the first time.
impl From<Point> for Crash {
    fn from(point: Point) -> Self {
        point.nth(1)
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point.name(), self.nth)
    }
}

impl FromStr for Crash {
    type Err = NoCrash;

    fn from_str(text: &str) -> Result<Self, NoCrash> {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let point = Point::ALL.iter().find(|point| point.name() == name);
        match (point, nth.parse()) {
            (Some(&point), Ok(nth)) => Ok(Self { point, nth }),
            _ => Err(NoCrash(text.to_owned())),
        }
    }
}

/// A text that names no fail point, or no number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoCrash(String);

impl fmt::Display for NoCrash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Point::ALL.iter().map(|point| point.name()).collect();
        write!(f, "{:?} is no crash: it is a fail point and a number from 1, such as \"claimed:3\"", self.0)?;
        write!(f, "; the fail points are {}", names.join(", "))
    }
}

impl Error for NoCrash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_read_as_it_is_written() {
        for &point in Point::ALL {
            assert_eq!(point.nth(7).to_string().parse(), Ok(point.nth(7)));
            assert_eq!(point.name().parse(), Ok(point.nth(1)));
            assert!([Point::HANDLED_FIRST, Point::STORED_FIRST].iter().any(|way| way.contains(&point)), "{point:?}");
        }
        assert_eq!(Point::Claimed.nth(3).to_string(), "claimed:3");
        assert_eq!(Point::Claimed.nth(0), Crash::from(Point::Claimed));
    }

    #[test]
    fn what_names_no_point_is_refused_and_told_which_there_are() {
        for text in ["", "claimd", "Claimed", "claimed:", "claimed:0", "claimed:-1", "claimed:x", ":1", "claimed:1:1"] {
            let refused = text.parse::<Crash>().unwrap_err().to_string();
            assert!(refused.contains("collected, opened, admitted"), "{text}: {refused}");
        }
    }
}
