//! Strict JSON: what is read here has one meaning.
//!
//! Parsers differ on a name that stands twice (the first wins, the last wins), and whoever signs what the one reads can
//! be heard saying something else by the other. So a repeated name is refused at every depth, before anything typed is
//! read, along with more nesting or more names than any real payload has. Errors tell a place and never a value.

mod identity;
mod lenient;
mod names;
mod pointer;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Rejection, RejectionKind};

pub use identity::Identity;
pub(crate) use lenient::{Absent, parse_leniently};
pub use pointer::Pointer;
pub(crate) use pointer::{lookup, lookup_distinct};

/// Reads a typed value from bytes that must be strict JSON.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Rejection> {
    parse_checked(one_meaning(bytes)?)
}

/// Reads a typed value from a piece of text that [`parse`] or [`one_meaning`] has been over.
pub(crate) fn parse_checked<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Rejection> {
    serde_json::from_str(text).map_err(|fault| malformed(describe(&fault)))
}

/// The text of bytes that must be strict JSON.
fn strict(bytes: &[u8]) -> Result<&str, Rejection> {
    let text = one_meaning(bytes)?;
    parse_checked::<IgnoredAny>(text).map(|_| text)
}

/// The text of strict JSON, and `None` for what is no JSON at all.
///
/// # Errors
///
/// [`PayloadMalformed`](RejectionKind::PayloadMalformed) for what some parser takes as JSON although it has more than
/// one meaning.
pub(crate) fn strict_if_json(bytes: &[u8]) -> Result<Option<&str>, Rejection> {
    match strict(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(no) => match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(no),
            Err(_) => Ok(None),
        },
    }
}

/// UTF-8 in which no name stands twice. Whether it is JSON, only a parser says.
pub(crate) fn one_meaning(bytes: &[u8]) -> Result<&str, Rejection> {
    let text =
        std::str::from_utf8(bytes).map_err(|fault| malformed(format!("not UTF-8 at byte {}", fault.valid_up_to())))?;
    names::check(text)?;
    Ok(text)
}

fn malformed(detail: String) -> Rejection {
    Rejection::new(RejectionKind::PayloadMalformed, detail)
}

/// Where and how, without a word of the payload: serde's own text may quote values.
fn describe(fault: &serde_json::Error) -> String {
    let (line, column) = (fault.line(), fault.column());
    let text = fault.to_string();
    match text.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(missing) if missing.starts_with("missing field `") => format!("{missing} at line {line}, column {column}"),
        _ if fault.is_data() => format!("a member of another type than expected at line {line}, column {column}"),
        _ => format!("not JSON at line {line}, column {column}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_error_tells_the_place_and_no_value() {
        #[derive(Debug, Deserialize)]
        struct Typed {
            #[serde(rename = "id")]
            _id: u8,
        }
        for (text, told) in [
            (r#"{"id":"canary"}"#, "a member of another type than expected at line 1, column 14"),
            (r#"{"id":7,"x":canary}"#, "not JSON at line 1, column 13"),
            (r#"{"canary":7}"#, "missing field `id` at line 1, column 12"),
            (r#"{"canary":7,"canary":8}"#, "a name stands twice at byte 12"),
            (r#"{"id":7} canary"#, "not JSON at line 1, column 10"),
        ] {
            assert_eq!(parse::<Typed>(text.as_bytes()).unwrap_err().detail(), told, "{text}");
        }
        assert_eq!(parse::<Value>(b"\"\xff\"").unwrap_err().detail(), "not UTF-8 at byte 1");
    }

    #[test]
    fn what_some_parser_takes_must_have_one_meaning_and_what_none_takes_may_be_anything() {
        for text in ["{}", "[1,2]", "7", "\"a\"", r#" {"a":{"b":1}} "#] {
            assert_eq!(strict_if_json(text.as_bytes()).unwrap(), Some(text));
        }
        for bytes in [&b"{"[..], b"", b"<a/>", b"\xff", br#"{"a":1,"a":2"#, b"{} {}"] {
            assert_eq!(strict_if_json(bytes).unwrap(), None, "{bytes:?}");
        }
        for bytes in [&br#"{"a":1,"\u0061":2}"#[..], b"{\"a\":\"\xff\"}", "[".repeat(200).replace('[', "[[").as_bytes()]
        {
            let closed = [bytes, &b"]".repeat(if bytes[0] == b'[' { 400 } else { 0 })[..]].concat();
            assert_eq!(strict_if_json(&closed).unwrap_err().kind(), RejectionKind::PayloadMalformed, "{bytes:?}");
        }
    }
}
