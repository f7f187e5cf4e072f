//! How things are written in columns.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::super::StoredState;

/// A time in whole microseconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Micros(pub(super) i64);

impl Micros {
    pub(super) fn of(time: Timestamp) -> Self {
        Self(time.as_microsecond())
    }

    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX)))
    }

    pub(super) fn time(self) -> Timestamp {
        let bound = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_microsecond(self.0).unwrap_or(bound)
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// A state as its place in [`StoredState::ALL`]: the indexes' conditions name these numbers.
impl FromSql for StoredState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        let place = usize::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))?;
        Self::ALL.get(place).copied().ok_or(FromSqlError::OutOfRange(number))
    }
}

impl ToSql for StoredState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(number(*self).into())
    }
}

pub(super) fn number(state: StoredState) -> i64 {
    match state {
        StoredState::Ready => 0,
        StoredState::Running => 1,
        StoredState::Done => 2,
        StoredState::Dead => 3,
        StoredState::Parked => 4,
        StoredState::Quarantined => 5,
    }
}

/// Headers as text: names and values in turns, each after its length. `None`: there are none.
pub(super) fn text_of(headers: &[(String, String)]) -> Option<String> {
    let mut text = String::new();
    for part in headers.iter().flat_map(|(name, value)| [name, value]) {
        // Nothing fails that writes to a text.
        let _ = write!(text, "{}:{part}", part.len());
    }
    (!text.is_empty()).then_some(text)
}

/// The headers of such a text.
pub(super) fn headers_of(text: Option<String>) -> rusqlite::Result<Vec<(String, String)>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let part = rest.split_once(':').and_then(|(length, after)| after.split_at_checked(length.parse().ok()?));
        let Some((part, after)) = part else { return Err(FromSqlError::InvalidType.into()) };
        parts.push(part.to_owned());
        rest = after;
    }
    let mut parts = parts.into_iter();
    Ok(std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect())
}
