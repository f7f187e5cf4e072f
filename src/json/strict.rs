//! Reading JSON that has one meaning.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fault::{describe, malformed};
use super::names;
use crate::error::Rejection;

/// Reads a typed value from bytes that must be strict JSON: UTF-8, no name twice in one object at any depth, and no more
/// nesting or names than a real payload has.
///
/// A part of the text that stands in it as a [`RawValue`](serde_json::value::RawValue) has been looked at with the whole.
/// Note that a derived struct takes a JSON array too, and reads its elements by their place.
///
/// ```
/// use tower_webhook::{RejectionKind, json};
///
/// #[derive(serde::Deserialize)]
/// struct Paid {
///     id: String,
/// }
///
/// assert_eq!(json::parse::<Paid>(br#"{"id":"7","more":[]}"#)?.id, "7");
/// let twice = json::parse::<Paid>(br#"{"id":"7","more":{"a":1,"a":2}}"#).map(|paid| paid.id).unwrap_err();
/// assert_eq!(twice.kind(), RejectionKind::PayloadMalformed);
/// # Ok::<(), tower_webhook::Rejection>(())
/// ```
///
/// # Errors
///
/// [`PayloadMalformed`](crate::RejectionKind::PayloadMalformed), with the place of what is wrong and no value.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Rejection> {
    parse_checked(one_meaning(bytes)?)
}

/// Reads a typed value from a piece of text that [`parse`] or [`one_meaning`] has been over.
pub(crate) fn parse_checked<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Rejection> {
    serde_json::from_str(text).map_err(|fault| malformed(describe(&fault)))
}

/// The text of bytes that must be strict JSON.
pub(super) fn strict(bytes: &[u8]) -> Result<&str, Rejection> {
    let text = one_meaning(bytes)?;
    parse_checked::<IgnoredAny>(text).map(|_| text)
}

/// The text of strict JSON, and `None` for what is no JSON at all.
///
/// # Errors
///
/// [`PayloadMalformed`](crate::RejectionKind::PayloadMalformed) for what some parser takes as JSON although it has more than
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::error::RejectionKind;

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
