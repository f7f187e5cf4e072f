//! Places inside a document.

use std::fmt;

use serde_json::value::RawValue;

use super::fault::Fault;
use super::reader::Reader;
use super::strict::text;
use crate::error::{ConfigError, ConfigErrorKind};

/// A JSON pointer (RFC 6901) that has been read: `/data/id`, with `~0` for `~` and `~1` for `/`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pointer {
    text: String,
    steps: Vec<String>,
}

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::JsonPointer`] when it neither is empty nor begins with `/`, or has a `~` before anything but `0`
    /// and `1`.
    pub fn new(text: impl Into<String>) -> Result<Self, ConfigError> {
        let text = text.into();
        let steps = match text.strip_prefix('/') {
            Some(rest) => rest.split('/').map(unescape).collect::<Option<_>>(),
            None => text.is_empty().then(Vec::new),
        };
        match steps {
            Some(steps) => Ok(Self { steps, text }),
            None => Err(ConfigError::new(ConfigErrorKind::JsonPointer(text))),
        }
    }

    /// The text of the scalar at this place: a string's own text, a number's or truth value's JSON text. `None` when the body is
    /// not strict JSON, or has nothing or no scalar there.
    ///
    /// ```
    /// use tower_webhook::json::Pointer;
    ///
    /// let place = Pointer::new("/data/id")?;
    /// assert_eq!(place.scalar(br#"{"data":{"id":"7b","n":1.00}}"#).as_deref(), Some("7b"));
    /// assert_eq!(place.scalar(br#"{"data":{"id":"7b","id":"7c"}}"#), None);
    /// # Ok::<(), tower_webhook::ConfigError>(())
    /// ```
    #[must_use]
    pub fn scalar(&self, body: &[u8]) -> Option<String> {
        lookup(body, self)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unescape(step: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.starts_with(['0', '1']);
    step.split('~').skip(1).all(is_escape).then(|| step.replace("~1", "/").replace("~0", "~"))
}

/// The text of the scalar at this place: a string's own text, a number's or truth value's JSON text. `None` when the
/// body is not strict JSON, or has nothing or no scalar there.
pub(crate) fn lookup(bytes: &[u8], pointer: &Pointer) -> Option<String> {
    find(bytes, pointer).map(|(text, _)| text)
}

/// The same, so that no two scalars have one text: a string that reads like a number or a truth value keeps its quotes,
/// as does one that begins with a quote.
pub(crate) fn lookup_distinct(bytes: &[u8], pointer: &Pointer) -> Option<String> {
    let (text, is_string) = find(bytes, pointer)?;
    if is_string && (text.starts_with('"') || is_bare(&text)) {
        return serde_json::to_string(&text).ok();
    }
    Some(text)
}

/// Whether a text is a number or truth value of JSON, or null.
fn is_bare(text: &str) -> bool {
    let first = text.as_bytes().first();
    first.is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
        && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The text of the scalar at this place, and whether it is a string's.
fn find(bytes: &[u8], pointer: &Pointer) -> Option<(String, bool)> {
    let mut reader = Reader::new(text(bytes).ok()?);
    let found = seek(&mut reader, &pointer.steps).ok()?;
    reader.text.end().ok()?;
    found
}

/// Walks through the next value, and returns the scalar that stands there.
fn seek(reader: &mut Reader<'_>, steps: &[String]) -> Result<Option<(String, bool)>, Fault> {
    let mut found = None;
    match (steps.split_first(), reader.peek()?) {
        (Some((step, rest)), b'{') => {
            let mut object = reader.object()?;
            while let Some(name) = object.name(reader)? {
                match *name.said() == *step.as_bytes() {
                    true => found = seek(reader, rest)?,
                    false => reader.walk()?,
                }
            }
        }
        (Some((step, rest)), b'[') => {
            let mut array = reader.array()?;
            let mut left = index(step);
            while array.has_next(reader)? {
                match left {
                    Some(0) => found = seek(reader, rest)?,
                    _ => reader.walk()?,
                }
                left = left.and_then(|left| left.checked_sub(1));
            }
        }
        (None, b'"') => found = reader.string()?.text().map(|text| (text.into_owned(), true)),
        (None, b'-' | b'0'..=b'9' | b't' | b'f') => found = Some((reader.piece()?.to_owned(), false)),
        _ => reader.walk()?,
    }
    Ok(found)
}

fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { step.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_scalars_and_nothing_else() {
        let body = br#"{"a":{"b":["x",7,true,null,{"c/d":{"~":"deep"}}]},"e":"","n":92.00}"#;
        for (pointer, found) in [
            ("/a/b/0", Some("x")),
            ("/a/b/1", Some("7")),
            ("/a/b/2", Some("true")),
            ("/a/b/3", None),
            ("/a/b/4/c~1d/~0", Some("deep")),
            ("/a/b/00", None),
            ("/a/b/9", None),
            ("/a", None),
            ("/e", Some("")),
            ("/n", Some("92.00")),
            ("/n/x", None),
            ("", None),
        ] {
            assert_eq!(lookup(body, &Pointer::new(pointer).unwrap()).as_deref(), found, "{pointer}");
        }
        let distinct = |json: &str| lookup_distinct(json.as_bytes(), &Pointer::new("").unwrap());
        for (json, found) in [
            ("1", "1"),
            ("\"1\"", "\"1\""),
            ("\"1 \"", "\"1 \""),
            ("\"-1.5e3\"", "\"-1.5e3\""),
            ("true", "true"),
            ("\"true\"", "\"true\""),
            ("\"null\"", "\"null\""),
            ("\"\\\"1\\\"\"", "\"\\\"1\\\"\""),
            ("\"7b12\"", "7b12"),
            ("\"01\"", "01"),
            ("\"tr_1\"", "tr_1"),
            ("\" 1\"", " 1"),
            ("\"\"", ""),
        ] {
            assert_eq!(distinct(json).as_deref(), Some(found), "{json}");
        }
        assert_eq!(lookup(br#"{"a":1,"a":1}"#, &Pointer::new("/a").unwrap()), None);
        assert_eq!(lookup(b"{", &Pointer::new("/a").unwrap()), None);
        for text in ["a", "/~", "/~2", "/~~01", "/~0~", "a/b"] {
            assert_eq!(
                Pointer::new(text).unwrap_err(),
                ConfigError::new(ConfigErrorKind::JsonPointer(text.into())),
                "{text}"
            );
        }
    }
}
