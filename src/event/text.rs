//! Text of events: up to 24 bytes in place, so that most of an event needs no memory of its own.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use arrayvec::ArrayString;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is read and passed on, and never changed: a name, an id, a currency.
///
/// One of at most [`Text::MAX_INLINE`] bytes lies where the value lies. A longer one is shared, so that no clone of a text
/// copies what it says. For everything else it is a `str`.
///
/// ```
/// use tower_webhook::event::Text;
///
/// let currency: Text = serde_json::from_str(r#""NGN""#)?;
/// assert_eq!(currency, "NGN");
/// assert_eq!(currency.to_lowercase(), "ngn");
/// assert_eq!(String::from(currency), "NGN");
/// assert!(serde_json::from_str::<Text>("566").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Text(Inner);

#[derive(Clone)]
enum Inner {
    Here(ArrayString<{ Text::MAX_INLINE }>),
    Shared(Arc<str>),
}

impl Text {
    /// The most bytes that need no memory of their own.
    pub const MAX_INLINE: usize = 24;

    /// The text as a `str`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Here(text) => text,
            Inner::Shared(text) => text,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(ArrayString::from(text).map_or_else(|_| Inner::Shared(text.into()), Inner::Here))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

/// The empty text.
impl Default for Text {
    fn default() -> Self {
        Self(Inner::Here(ArrayString::new_const()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl Eq for Text {}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other)
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

macro_rules! equals {
    ($($other:ty)*) => {$(
        impl PartialEq<$other> for Text {
            fn eq(&self, other: &$other) -> bool {
                self.as_str() == AsRef::<str>::as_ref(other)
            }
        }

        impl PartialEq<Text> for $other {
            fn eq(&self, other: &Text) -> bool {
                other == self
            }
        }
    )*};
}

equals! { str &str String }

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// Reads what is made of a text, without a `String` in between.
pub(crate) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> TryFrom<&'a str, Error: fmt::Display>,
{
    deserializer.deserialize_str(OfText(PhantomData))
}

struct OfText<T>(PhantomData<T>);

impl<T: for<'a> TryFrom<&'a str, Error: fmt::Display>> Visitor<'_> for OfText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use super::*;

    /// Of the lengths round the border above all.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-c\u{e9}\"\\\\\n]{0,3}", "[a\u{20ac}]{5,12}", "[a-b]{22,26}", any::<String>()]
    }

    #[test]
    fn it_is_four_words_and_an_absent_one_is_no_larger() {
        assert_eq!((size_of::<Text>(), size_of::<Option<Text>>()), (32, 32));
    }

    #[test]
    fn what_fits_lies_in_place_and_what_does_not_is_shared() {
        for (length, here) in [(0, true), (1, true), (23, true), (24, true), (25, false), (36, false), (5000, false)] {
            let text = Text::from("a".repeat(length));
            assert_eq!(matches!(text.0, Inner::Here(_)), here, "{length}");
            if let (Inner::Shared(one), Inner::Shared(other)) = (&text.0, &text.clone().0) {
                assert!(Arc::ptr_eq(one, other), "{length}");
            }
        }
    }

    #[test]
    fn json_is_read_as_a_string_is_and_nothing_else_is_text() {
        for json in ["\"\"", "\"NGN\"", "\"\\u0041\\n\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""] {
            let string: String = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_str::<Text>(json).unwrap(), string, "{json}");
            assert_eq!(serde_json::from_value::<Text>(string.clone().into()).unwrap(), string, "{json}");
        }
        for json in ["null", "1", "1.5", "true", "[]", "{}", "[\"a\"]", "\"a", "\"\\ud800\"", "\"\n\"", ""] {
            let string = serde_json::from_str::<String>(json).unwrap_err();
            assert_eq!(serde_json::from_str::<Text>(json).unwrap_err().to_string(), string.to_string(), "{json}");
        }
        assert_eq!(serde_json::from_str::<Option<Text>>("null").unwrap(), None);
    }

    proptest! {
        #[test]
        fn for_everything_else_it_is_the_text(one in any_text(), other in any_text()) {
            let (a, b) = (Text::from(&one), Text::from(other.as_str()));
            prop_assert_eq!(&a, &one);
            prop_assert_eq!(&one, &a);
            prop_assert!(a == *one.as_str() && a == one.as_str() && one.as_str() == a && *one.as_str() == a);
            prop_assert_eq!((a == b, a.cmp(&b), a.partial_cmp(&b)), (one == other, one.cmp(&other), one.partial_cmp(&other)));
            prop_assert_eq!((format!("{a}"), format!("{a:?}"), format!("{a:>9}")), (one.clone(), format!("{one:?}"), format!("{one:>9}")));
            prop_assert_eq!(serde_json::to_string(&a).unwrap(), serde_json::to_string(&one).unwrap());
            prop_assert_eq!(serde_json::from_str::<Text>(&serde_json::to_string(&one).unwrap()).unwrap(), one.as_str());
            prop_assert_eq!(HashSet::from([a.clone()]).contains(other.as_str()), one == other);
            prop_assert_eq!(BTreeSet::from([a.clone()]).contains(other.as_str()), one == other);
            prop_assert_eq!(String::from(a), one);
        }
    }
}
