//! Strict JSON: what is read here has one meaning.
//!
//! Parsers differ on a name that stands twice (the first wins, the last wins), and whoever signs what the one reads can
//! be heard saying something else by the other. So a repeated name is refused at every depth, whether or not anything
//! typed is read from there, along with more nesting or more names than any real payload has. Errors name a place and
//! never a value.
//!
//! One pass does it all: a reader goes over the text once, and whoever wants a type reads it from there
//! as it passes, by serde, and with it the [`Identity`] of what it says. It has a grammar of its own, since serde_json
//! shows neither the text of a number nor where a value begins and ends; what it takes, serde_json takes too, and so say
//! the tests and a fuzz target.

mod absent;
mod de;
mod escape;
mod fault;
mod identity;
mod key;
mod lenient;
mod names;
mod open;
mod pointer;
mod quoted;
mod reader;
mod scan;
mod seen;
mod strict;
mod sum;
mod text;
mod tried;

pub(crate) use absent::Absent;
pub use identity::Identity;
pub(crate) use lenient::{parse_leniently, second_look};
pub use pointer::Pointer;
pub(crate) use pointer::{lookup, lookup_distinct};
pub(crate) use seen::{Identified, Piece, Scalar, Span};
pub use strict::parse;
pub(crate) use strict::{check, parse_checked, parse_if_typed, peek, strict_if_json, text};
pub(crate) use tried::{Tried, Try};

#[cfg(test)]
mod tests;
