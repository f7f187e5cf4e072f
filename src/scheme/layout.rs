//! How signatures stand in their header: one, several in a list, or among parameters.

use super::template::is_token;
use crate::error::{ConfigError, ConfigErrorKind};

/// Whether a header holds one signature or several.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// One signature.
    One,
    /// Several, with this text between them.
    List(String),
    /// Parameters such as `t=…,v1=…`.
    Params {
        /// What stands between two parameters.
        separator: String,
        /// The name of those that are signatures.
        signature: String,
    },
}

/// One item of a header. Only parameters have a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) value: &'a str,
}

impl Layout {
    // A sender that changes its keys signs with two or three. Each further one would be compared with every key, at the
    // cost of whoever is sent it.
    pub(super) const MAX_ITEMS: usize = 16;

    /// A separator must not be found in what it separates.
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        let wrong = |why: &'static str| Err(ConfigError::new(ConfigErrorKind::Scheme(why)));
        let (Self::List(separator) | Self::Params { separator, .. }) = self else { return Ok(()) };
        let may_be_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        if separator.is_empty() || !separator.is_ascii() || separator.bytes().any(may_be_inside) {
            return wrong("a separator is a text of neither letters, digits, +, / nor =");
        }
        if prefix.contains(separator.as_str()) {
            return wrong("the prefix of a signature holds the separator");
        }
        match self {
            Self::Params { signature, .. } if !is_token(signature) => {
                wrong("the parameter of the signature has no name")
            }
            _ => Ok(()),
        }
    }

    /// None where there is one signature. One item more than there may be is enough to tell.
    pub(super) fn items<'a>(&self, text: &'a str) -> impl Iterator<Item = Item<'a>> + Clone + use<'a, '_> {
        let (separator, named) = match self {
            Self::One => (None, false),
            Self::List(separator) => (Some(separator), false),
            Self::Params { separator, .. } => (Some(separator), true),
        };
        let items = separator.map(|separator| text.splitn(Self::MAX_ITEMS + 1, separator.as_str()));
        items.into_iter().flatten().map(move |item| {
            let item = item.trim_matches([' ', '\t']);
            match named.then(|| item.split_once('=')).flatten() {
                Some((name, value)) => Item { name: Some(name), value },
                None => Item { name: None, value: item },
            }
        })
    }

    /// The value of a parameter that stands once.
    pub(super) fn param<'a>(&self, text: &'a str, name: &str) -> Result<&'a str, &'static str> {
        let mut values = self.items(text).filter(|item| item.name == Some(name)).map(|item| item.value);
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value),
            (Some(_), Some(_)) => Err("without a repeated parameter"),
            _ => Err("complete: a signed parameter is missing"),
        }
    }

    pub(super) fn write(&self, signature: &str, time: Option<(&str, &str)>) -> String {
        match (self, time) {
            (Self::Params { separator, signature: name }, Some((time_name, time))) => {
                format!("{time_name}={time}{separator}{name}={signature}")
            }
            (Self::Params { signature: name, .. }, None) => format!("{name}={signature}"),
            _ => signature.to_owned(),
        }
    }
}
