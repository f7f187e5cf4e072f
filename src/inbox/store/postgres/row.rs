//! How things are written in columns.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::super::{InboxError, InboxErrorKind, StoredState};

/// A time in whole microseconds.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

pub(super) fn time(micros: i64) -> Timestamp {
    let bound = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(bound)
}

pub(super) fn long(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Text without zeros, which Postgres keeps nowhere: `\0` stands for one, and `\\` for a backslash.
pub(super) fn put(text: &str) -> String {
    if text.contains(['\\', '\0']) { text.replace('\\', r"\\").replace('\0', r"\0") } else { text.to_owned() }
}

/// The text that was put so.
pub(super) fn took(text: String) -> String {
    if !text.contains('\\') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => {
                if let Some('0') = letters.next() {
                    '\0'
                } else {
                    '\\'
                }
            }
            other => other,
        });
    }
    plain
}

/// A lane in eight bytes. Two lanes that share them wait for each other, and that is all.
pub(super) fn lane_key(schema: &str, lane: &str) -> i64 {
    let digest = Sha256::new().chain_update(schema).chain_update([0]).chain_update(lane).finalize();
    digest.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// A state as its place in [`StoredState::ALL`]: the indexes' conditions name these numbers.
pub(super) fn number(state: StoredState) -> i16 {
    match state {
        StoredState::Ready => 0,
        StoredState::Running => 1,
        StoredState::Done => 2,
        StoredState::Dead => 3,
        StoredState::Parked => 4,
        StoredState::Quarantined => 5,
    }
}

pub(super) fn state(number: i16) -> Result<StoredState, InboxError> {
    let state = usize::try_from(number).ok().and_then(|place| StoredState::ALL.get(place));
    state.copied().ok_or_else(|| damaged("a state that is none"))
}

/// A column, which has the type that the table says.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, place: usize) -> Result<T, InboxError> {
    row.try_get(place).map_err(|error| damaged(error.to_string()))
}

pub(super) fn damaged(what: impl Into<String>) -> InboxError {
    InboxError::new(InboxErrorKind::Unusable).caused_by(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        for text in ["", "plain", "\0", "\\", "\\0", "\\\\0", "a\0\\0\\\\\0", "\u{1F980}\\"] {
            let written = put(text);
            assert!(!written.contains('\0'), "{written:?}");
            assert_eq!(took(written), text);
        }
        assert_ne!(put("\0"), put("\\0"));
    }

    #[test]
    fn what_begins_with_a_text_begins_with_what_is_written_for_it() {
        assert!(put("a\0\\b").starts_with(&put("a\0\\")));
        assert!(!put("a\\0").starts_with(&put("a\0")));
    }

    #[test]
    fn lanes_of_two_inboxes_are_two() {
        assert_ne!(lane_key("a", "b"), lane_key("b", "b"));
        assert_ne!(lane_key("a", "b"), lane_key("a", "c"));
        assert_eq!(lane_key("a", "b"), lane_key("a", "b"));
    }
}
