//! JSON that keeps the order of its members and every digit of its numbers, which `serde_json::Value` does not.

use std::fmt;
use std::str::FromStr;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value that keeps the order of its members and every digit of its numbers: `2500.00` stays `2500.00`.
///
/// It is made of a text, of a `serde_json::Value`, or of a number's digits, and written by [`Written`](super::Written).
///
/// ```
/// use tower_webhook::sender::events::{Json, Written};
///
/// let json: Json = r#"{"fee":2.140,"id":"7b"}"#.parse()?;
/// assert_eq!(Written::Compact.write(json), r#"{"fee":2.140,"id":"7b"}"#);
/// assert_eq!(Written::Compact.write(Json::number("2500.00")), "2500.00");
/// assert_eq!(Written::Compact.write(Json::number("a lot")), r#""a lot""#);
/// assert!("{".parse::<Json>().is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Json(pub(super) Node);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// A number, `true`, `false` or `null`, as it is written.
    Plain(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Json {
    /// The number of these digits, or a string where they are no number of JSON: what is written is JSON in any case.
    #[must_use]
    pub fn number(digits: impl Into<String>) -> Self {
        let digits = digits.into();
        let starts = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        // White space around it is passed over by the parser, and is no digit.
        let whole = |raw: &RawValue| raw.get().len() == digits.len();
        let is_number = starts && serde_json::from_str::<&RawValue>(&digits).is_ok_and(whole);
        Self(if is_number { Node::Plain(digits) } else { Node::Text(digits) })
    }

    pub(in crate::sender) fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self(Node::Object(members.into_iter().map(|(name, Self(node))| (name.to_owned(), node)).collect()))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::List(items.into_iter().map(|Self(node)| node).collect()))
    }

    /// Sets the value at this place. What is missing on the way there is made, what is no object or list there is replaced by
    /// an object, and an index that a list has not adds an item at its end.
    pub(in crate::sender) fn set(&mut self, pointer: &str, value: Self) {
        self.0.set(&steps(pointer), value.0);
    }

    /// Sets the value at this place where something stands there already.
    pub(super) fn replace(&mut self, pointer: &str, value: Self) -> bool {
        self.0.find(&steps(pointer)).map(|there| *there = value.0).is_some()
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        let steps = steps(pointer);
        let Some((last, way)) = steps.split_last() else { return };
        match self.0.find(way) {
            Some(Node::Object(members)) => members.retain(|(name, _)| name != last),
            Some(Node::List(items)) => {
                let at = last.parse::<usize>().ok().filter(|at| *at < items.len());
                at.map(|at| items.remove(at));
            }
            _ => {}
        }
    }
}

/// The steps of a JSON pointer (RFC 6901). A text that is none is read as if a slash stood in front.
fn steps(pointer: &str) -> Vec<String> {
    let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
    match pointer {
        "" => Vec::new(),
        _ => pointer.strip_prefix('/').unwrap_or(pointer).split('/').map(unescaped).collect(),
    }
}

impl Node {
    fn set(&mut self, way: &[String], value: Self) {
        let Some((step, rest)) = way.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self, Self::Object(_) | Self::List(_)) {
            *self = Self::Object(Vec::new());
        }
        if let Some(there) = self.child(step) {
            return there.set(rest, value);
        }
        let mut made = Self::default();
        made.set(rest, value);
        match self {
            Self::Object(members) => members.push((step.clone(), made)),
            Self::List(items) => items.push(made),
            Self::Plain(_) | Self::Text(_) => {}
        }
    }

    fn find(&mut self, way: &[String]) -> Option<&mut Self> {
        way.iter().try_fold(self, |node, step| node.child(step))
    }

    fn child(&mut self, step: &str) -> Option<&mut Self> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(name, _)| name == step).map(|(_, node)| node),
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            Self::Plain(_) | Self::Text(_) => None,
        }
    }

    fn read(raw: &RawValue) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let read = |(name, raw)| Ok((name, Self::read(raw)?));
                members.into_iter().map(read).collect::<Result<_, _>>().map(Self::Object)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items.into_iter().map(Self::read).collect::<Result<_, _>>().map(Self::List)
            }
            Some(b'"') => serde_json::from_str(text).map(Self::Text),
            _ => Ok(Self::Plain(text.to_owned())),
        }
    }
}

/// Null.
impl Default for Node {
    fn default() -> Self {
        Self::Plain("null".to_owned())
    }
}

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        // This bounds the depth; raw values have no bound of their own.
        serde_json::from_str::<Value>(text)?;
        Node::read(serde_json::from_str(text)?).map(Self)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => Node::Text(text),
            Value::Array(items) => return Self::list(items.into_iter().map(Self::from)),
            Value::Object(members) => {
                Node::Object(members.into_iter().map(|(name, value)| (name, Self::from(value).0)).collect())
            }
            plain => Node::Plain(plain.to_string()),
        })
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(Node::Text(text.to_owned()))
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self(Node::Text(text))
    }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"b":{"x~/y":[1,{"c":2.50}]},"a":null}"#;

    fn json(text: &str) -> Json {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_set_and_removed_and_all_else_stays() {
        let set = |pointer, value| {
            let mut sample = json(SAMPLE);
            sample.set(pointer, value);
            sample
        };
        assert_eq!(set("/b/x~0~1y/1/c", Json::number("7.0")), json(r#"{"b":{"x~/y":[1,{"c":7.0}]},"a":null}"#));
        assert_eq!(set("/b/x~0~1y/-", "z".into()), json(r#"{"b":{"x~/y":[1,{"c":2.50},"z"]},"a":null}"#));
        assert_eq!(set("a/n/m", "z".into()), json(r#"{"b":{"x~/y":[1,{"c":2.50}]},"a":{"n":{"m":"z"}}}"#));
        assert_eq!(set("", "z".into()), json(r#""z""#));
        let without = |pointer| {
            let mut sample = json(SAMPLE);
            sample.remove(pointer);
            sample
        };
        assert_eq!(without("/b/x~0~1y/0"), json(r#"{"b":{"x~/y":[{"c":2.50}]},"a":null}"#));
        assert_eq!(without("/b"), json(r#"{"a":null}"#));
        for nowhere in ["", "/b/x~0~1y/2", "/c/d", "/a/0"] {
            assert_eq!(without(nowhere), json(SAMPLE), "{nowhere}");
        }
    }

    #[test]
    fn order_and_digits_are_part_of_it() {
        assert_ne!(json(r#"{"a":1,"b":2}"#), json(r#"{"b":2,"a":1}"#));
        assert_ne!(json("2500.00"), json("2500.0"));
        assert_eq!(Json::from(serde_json::json!({"a": [null, true, 7, "é"]})), json(r#"{"a":[null,true,7,"\u00e9"]}"#));
    }

    #[test]
    fn what_stands_is_replaced_and_what_does_not_is_not_made() {
        let mut sample = json(r#"{"a":1}"#);
        let mut replaced = |pointer| sample.replace(pointer, "z".into());
        assert_eq!([replaced("/a"), replaced("/b"), replaced("/a/0")], [true, false, false]);
        assert_eq!(sample, json(r#"{"a":"z"}"#));
    }

    #[test]
    fn digits_are_a_number_or_a_string_and_never_broken_json() {
        for digits in ["2500.00", "-0", "1e3", "0.1000"] {
            assert_eq!(Json::number(digits), json(digits));
        }
        for text in ["", "a", "01", "1.", ".5", "+1", "1 ", " 1", "1,\"x\":2", "null", "true", "[]", "1\n"] {
            assert_eq!(Json::number(text), Json::from(text));
        }
    }

    #[test]
    fn no_depth_is_too_much_for_it() {
        assert!("[".repeat(100_000).parse::<Json>().is_err());
        assert!(("[".repeat(100_000) + &"]".repeat(100_000)).parse::<Json>().is_err());
    }
}
