//! Reading JSON that has one meaning.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fault::{Fault, malformed};
use super::open::Object;
use super::reader::Reader;
use super::scan::plain_length;
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
    let text = text(bytes)?;
    read(Reader::new(text)).map_err(|fault| match check(text) {
        Err(no) if fault.is_data() => no,
        _ => fault.rejection(text),
    })
}

/// The same of text. `None`: it is strict JSON, and of another type.
pub(crate) fn parse_if_typed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<Option<T>, Rejection> {
    match read(Reader::new(text)) {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.is_data() => check(text).map(|()| None),
        Err(fault) => Err(fault.rejection(text)),
    }
}

/// Reads a typed value from a piece of text that a strict reader has been over.
pub(crate) fn parse_checked<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Rejection> {
    read_checked(text).map_err(|fault| fault.rejection(text))
}

pub(super) fn read_checked<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    read(Reader::of_checked(text))
}

fn read<'a, T: Deserialize<'a>>(mut reader: Reader<'a>) -> Result<T, Fault> {
    let read = T::deserialize(&mut reader).and_then(|value| reader.text.end().map(|()| value));
    read.map_err(|fault| fault.or_at(reader.text.at()))
}

/// The text under a name of the outermost object, if it stands in front of everything that holds members of its own.
///
/// It looks no further, so that the rest may be anything: for who wants to know what to read it as.
pub(crate) fn peek<'a>(text: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    if let Some(text) = first(text, wanted) {
        return Some(Cow::Borrowed(text));
    }
    let mut reader = Reader::of_checked(text);
    let mut object = object_at(&mut reader)?;
    while let Some(name) = object.name(&mut reader).ok()? {
        match reader.peek().ok()? {
            b'{' | b'[' => return None,
            b'"' if name.plain() == Some(wanted) => return reader.string().ok()?.text(),
            _ => reader.walk().ok()?,
        }
    }
    None
}

/// The same where it stands in front of all others, as it mostly does, and has no escapes.
fn first<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    // A form feed, which is white space in ASCII, is none in JSON.
    let behind = |text: &'a str, sign: &str| text.trim_start_matches([' ', '\n', '\r', '\t']).strip_prefix(sign);
    let name = behind(behind(text, "{")?, "\"")?.strip_prefix(wanted)?.strip_prefix('"')?;
    let value = behind(behind(name, ":")?, "\"")?;
    let (value, rest) = value.split_at_checked(plain_length(value.as_bytes()))?;
    rest.starts_with('"').then_some(value)
}

fn object_at<'a>(reader: &mut Reader<'a>) -> Option<Object<'a>> {
    if reader.peek().ok()? == b'{' { reader.object().ok() } else { None }
}

/// The text of bytes that must be UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(bytes).map_err(|fault| malformed(format!("not UTF-8 at byte {}", fault.valid_up_to())))
}

/// Refuses what is not strict JSON.
pub(crate) fn check(text: &str) -> Result<(), Rejection> {
    let mut reader = Reader::new(text);
    reader.walk().and_then(|()| reader.text.end()).map_err(|fault| fault.rejection(text))
}

/// The text of strict JSON, and `None` for what is no JSON at all.
///
/// # Errors
///
/// [`PayloadMalformed`](crate::RejectionKind::PayloadMalformed) for what some parser takes as JSON although it has more than
/// one meaning.
pub(crate) fn strict_if_json(bytes: &[u8]) -> Result<Option<&str>, Rejection> {
    match text(bytes).and_then(|text| check(text).map(|()| text)) {
        Ok(text) => Ok(Some(text)),
        Err(no) => match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(no),
            Err(_) => Ok(None),
        },
    }
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

    #[test]
    fn a_peek_takes_the_name_in_front_as_it_takes_any_other() {
        let wanted = "type";
        for (text, found) in [
            (r#"{"type":"a"}"#, Some("a")),
            (" {\t\"type\"\n:\r\"a\" }", Some("a")),
            (r#"{"type":""#, None),
            (r#"{"type":"a"#, None),
            (r#"{"type":"a","type":"b"}"#, Some("a")),
            (r#"{"type":"\u0061"}"#, Some("a")),
            (r#"{"typ\u0065":"a","type":"b"}"#, Some("b")),
            (r#"{"types":"a","type":"b"}"#, Some("b")),
            (r#"{"type":"\x"}"#, None),
            (r#"{"type":7}"#, None),
            (r#"{"type":{"type":"a"}}"#, None),
            (r#"["type":"a"]"#, None),
            ("{\"type\":\"\u{e4}\u{2028}\"}", Some("\u{e4}\u{2028}")),
            ("{\"type\":\"a\nb\"}", None),
            // None of these is white space in JSON.
            ("\u{c}{\"type\":\"a\"}", None),
            ("{\u{c}\"type\":\"a\"}", None),
            ("{\"type\"\u{c}:\"a\"}", None),
            ("{\"type\":\u{c}\"a\"}", None),
            ("{\u{b}\"type\":\"a\"}", None),
            ("{\u{a0}\"type\":\"a\"}", None),
            ("\u{feff}{\"type\":\"a\"}", None),
        ] {
            assert_eq!(peek(text, wanted).as_deref(), found, "{text:?}");
            if let Some(front) = text.strip_prefix('{') {
                assert_eq!(peek(&format!(r#"{{"x":7,{front}"#), wanted).as_deref(), found, "behind another: {text:?}");
            }
        }
    }
}
