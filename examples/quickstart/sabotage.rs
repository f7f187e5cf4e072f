//! Receivers that are broken on purpose, so that the comparison can be seen to fail.

use std::fmt;
use std::str::FromStr;

/// What is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sabotage {
    /// Repeats are handled again.
    Dedupe,
    /// Nobody looks at Aella's signature.
    Verification,
    /// Events are acknowledged and forgotten.
    Handler,
    /// What was stored is gone when the receiver is killed.
    Disk,
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "dedupe" => Ok(Self::Dedupe),
            "verification" => Ok(Self::Verification),
            "handler" => Ok(Self::Handler),
            "disk" => Ok(Self::Disk),
            _ => Err(format!("{text:?} is none of: dedupe, verification, handler, disk")),
        }
    }
}

impl fmt::Display for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dedupe => "dedupe",
            Self::Verification => "verification",
            Self::Handler => "handler",
            Self::Disk => "disk",
        })
    }
}
