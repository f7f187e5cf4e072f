//! Where a delivery says something that its provider leaves to the user: in the body, in a header, or not at all.

use http::{HeaderMap, HeaderName};

use crate::error::{ConfigError, ConfigErrorKind};
use crate::json::{self, Pointer};
use crate::scheme::sole;

/// A place to look at for a name or an id.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lookup {
    /// A string, number or truth value inside a JSON body.
    Json(Pointer),
    /// A header that stands exactly once.
    Header(HeaderName),
    /// The same text for every delivery.
    Fixed(String),
}

impl Lookup {
    /// Looks inside a JSON body, at a pointer of RFC 6901 such as `/event`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::JsonPointer`].
    pub fn json(pointer: impl Into<String>) -> Result<Self, ConfigError> {
        Pointer::new(pointer).map(Self::Json)
    }

    /// Looks at a header.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::HeaderName`].
    pub fn header(name: &str) -> Result<Self, ConfigError> {
        name.parse().map(Self::Header).map_err(|_| ConfigError::new(ConfigErrorKind::HeaderName(name.to_owned())))
    }

    /// Says the same of every delivery.
    #[must_use]
    pub fn fixed(text: impl Into<String>) -> Self {
        Self::Fixed(text.into())
    }

    /// What stands there. `None` when nothing does, or something blank: a placeholder without a value leaves an empty
    /// text behind, which tells nothing from anything.
    #[must_use]
    pub fn find(&self, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        self.find_by(headers, |pointer| json::lookup(body, pointer))
    }

    /// What stands there, as a part of a key: as [`Lookup::find`] has it, but that a JSON string which reads like a
    /// number or a truth value, or begins with a quote, keeps its quotes. So the number `1` is `1`, and the string `"1"`
    /// another key.
    #[must_use]
    pub fn find_distinct(&self, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        self.find_by(headers, |pointer| json::lookup_distinct(body, pointer))
    }

    fn find_by(&self, headers: &HeaderMap, in_body: impl FnOnce(&Pointer) -> Option<String>) -> Option<String> {
        let found = match self {
            Self::Json(pointer) => in_body(pointer),
            Self::Header(name) => sole(headers, name).ok().and_then(|value| String::from_utf8(value.to_vec()).ok()),
            Self::Fixed(text) => Some(text.clone()),
        };
        found.filter(|text| !text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_blank_or_twice_is_not() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-event", "paid"), ("x-blank", " "), ("x-twice", "a"), ("x-twice", "b")] {
            headers.append(name, value.parse().unwrap());
        }
        let body = br#"{"event":"paid","blank":"","n":7,"o":{}}"#;
        for (lookup, found) in [
            (Lookup::json("/event"), Some("paid")),
            (Lookup::json("/n"), Some("7")),
            (Lookup::json("/blank"), None),
            (Lookup::json("/o"), None),
            (Lookup::json("/missing"), None),
            (Lookup::header("X-Event"), Some("paid")),
            (Lookup::header("x-blank"), None),
            (Lookup::header("x-twice"), None),
            (Lookup::header("x-missing"), None),
            (Ok(Lookup::fixed("paid")), Some("paid")),
            (Ok(Lookup::fixed(" ")), None),
        ] {
            let lookup = lookup.unwrap();
            assert_eq!(lookup.find(&headers, body).as_deref(), found, "{lookup:?}");
        }
        assert_eq!(Lookup::json("/event").unwrap().find(&headers, b"{\"event\":\"paid\""), None);
    }

    #[test]
    fn a_place_that_cannot_be_is_refused() {
        assert_eq!(Lookup::json("event").unwrap_err(), ConfigError::new(ConfigErrorKind::JsonPointer("event".into())));
        assert_eq!(
            Lookup::header("x event").unwrap_err(),
            ConfigError::new(ConfigErrorKind::HeaderName("x event".into()))
        );
    }
}
