//! What is wrong with a payload, without a word of it.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

use crate::error::{Rejection, RejectionKind};

pub(super) fn malformed(detail: String) -> Rejection {
    Rejection::new(RejectionKind::PayloadMalformed, detail)
}

/// Why a document was not read.
#[derive(Debug)]
pub(crate) struct Fault(Box<Place>);

#[derive(Debug)]
struct Place {
    what: What,
    /// How many bytes there are up to it.
    at: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Syntax,
    NameTwice,
    ManyNames,
    TooDeep,
    Type,
    Missing(&'static str),
}

impl Fault {
    #[cold]
    fn new(what: What, at: Option<usize>) -> Self {
        Self(Box::new(Place { what, at }))
    }

    pub(super) fn syntax(at: usize) -> Self {
        Self::new(What::Syntax, Some(at))
    }

    pub(super) fn name_twice(at: usize) -> Self {
        Self::new(What::NameTwice, Some(at))
    }

    pub(super) fn many_names(at: usize) -> Self {
        Self::new(What::ManyNames, Some(at))
    }

    pub(super) fn too_deep(at: usize) -> Self {
        Self::new(What::TooDeep, Some(at))
    }

    /// Not the type that was asked for.
    pub(super) fn of_type() -> Self {
        Self::new(What::Type, None)
    }

    /// Whether the document may be strict JSON, and says something else than was asked for.
    pub(super) fn is_data(&self) -> bool {
        matches!(self.0.what, What::Type | What::Missing(_))
    }

    /// With this place, where it has none yet.
    pub(super) fn or_at(mut self, at: usize) -> Self {
        self.0.at.get_or_insert(at);
        self
    }

    #[cfg(test)]
    pub(super) fn at(&self) -> usize {
        self.0.at.unwrap_or_default()
    }

    /// As a rejection of this document, which tells the place and no value.
    pub(super) fn rejection(&self, text: &str) -> Rejection {
        let at = self.0.at.unwrap_or_default();
        let (line, column) = line_and_column(text, at);
        malformed(match self.0.what {
            What::Syntax => format!("not JSON at line {line}, column {column}"),
            What::NameTwice => format!("a name stands twice at byte {at}"),
            What::ManyNames => format!("too many names in one object at byte {at}"),
            What::TooDeep => format!("nested too deeply at byte {at}"),
            What::Type => format!("a member of another type than expected at line {line}, column {column}"),
            What::Missing(name) => format!("missing field `{name}` at line {line}, column {column}"),
        })
    }
}

/// The line, counted from 1, and how many of its bytes there are up to here.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at.min(text.len())).unwrap_or_default();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (lines + 1, at.saturating_sub(start))
}

/// The words of serde's own errors may quote values, and are dropped.
impl Error for Fault {
    fn custom<T: Display>(_: T) -> Self {
        Self::of_type()
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::of_type()
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(What::Missing(name), None)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.what {
            What::Syntax => "not JSON",
            What::NameTwice => "a name stands twice",
            What::ManyNames => "too many names in one object",
            What::TooDeep => "nested too deeply",
            What::Type => "another type than expected",
            What::Missing(_) => "a member is missing",
        })
    }
}

impl std::error::Error for Fault {}
