//! The readable key of an event.

use std::fmt::{self, Write};
use std::sync::Arc;

use arrayvec::ArrayString;

/// The readable idempotency key of an event, before it is hashed for a store. It may hold identifiers of a payment.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EventKey(Arc<str>);

impl EventKey {
    /// The key of these parts, joined by `|`. A part that itself holds `|` or `\` is escaped, so that no two lists of
    /// parts make the same key.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        // Most are short enough to be written with no allocation but that of the key.
        let mut short = ArrayString::<160>::new();
        if write(parts, &mut short).is_ok() {
            return Self(short.as_str().into());
        }
        let mut long = String::new();
        // A `String` has room for all.
        write(parts, &mut long).unwrap_or_default();
        Self(long.into())
    }

    /// The key that reads so, as it was stored.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn write(parts: &[&str], out: &mut impl Write) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.write_char('|')?;
        }
        // All of them are looked at, which is faster than to stop.
        if !part.bytes().fold(false, |found, byte| found | matches!(byte, b'|' | b'\\')) {
            out.write_str(part)?;
            continue;
        }
        for letter in part.chars() {
            if matches!(letter, '|' | '\\') {
                out.write_char('\\')?;
            }
            out.write_char(letter)?;
        }
    }
    Ok(())
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_make_one_key() {
        let lists: [&[&str]; 6] = [&["a", "b"], &["a|b"], &["a\\", "b"], &["a\\|b"], &["a", "", "b"], &["ab"]];
        let keys: std::collections::HashSet<_> = lists.iter().map(|parts| EventKey::of(parts)).collect();
        assert_eq!(keys.len(), lists.len());
        assert_eq!(EventKey::of(&["transfer.completed", "7b"]).as_str(), "transfer.completed|7b");
    }
}
