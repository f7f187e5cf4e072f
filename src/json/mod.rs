//! Strict JSON: what is read here has one meaning.
//!
//! Parsers differ on a name that stands twice (the first wins, the last wins), and whoever signs what the one reads can
//! be heard saying something else by the other. So a repeated name is refused at every depth, before anything typed is
//! read, along with more nesting or more names than any real payload has. Errors name a place and never a value.

mod fault;
mod identity;
mod lenient;
mod names;
mod pointer;
mod strict;

pub use identity::Identity;
pub(crate) use lenient::{Absent, parse_leniently};
pub use pointer::Pointer;
pub(crate) use pointer::{lookup, lookup_distinct};
pub use strict::parse;
pub(crate) use strict::{one_meaning, parse_checked, strict_if_json};
