//! What SQLite's errors mean for a caller.

use rusqlite::{Error, ErrorCode};

use super::super::{InboxError, InboxErrorKind};

/// Why a command did not do it.
#[derive(Debug)]
pub(super) enum Fault {
    /// It wrote nothing, and says why.
    Refused(InboxError),
    /// It failed, perhaps half-way: what it wrote must be undone.
    Failed(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What was read says nothing, and the statement went well.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}

/// Of an error within a transaction.
pub(super) fn kind_of(error: &Error) -> InboxErrorKind {
    match error {
        error if is_unreadable(error) => InboxErrorKind::Unusable,
        _ => match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => InboxErrorKind::Full,
            Some(ErrorCode::SystemIoFailure) => InboxErrorKind::Poisoned,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => InboxErrorKind::Unusable,
            _ => InboxErrorKind::Unavailable,
        },
    }
}

/// Of an error of the commit itself. What is not known to have left everything as it was leaves it in doubt.
pub(super) fn kind_of_commit(error: &Error) -> InboxErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => InboxErrorKind::Full,
        Some(ErrorCode::DatabaseBusy) => InboxErrorKind::Unavailable,
        _ => InboxErrorKind::Poisoned,
    }
}

/// A constraint that is looked at no sooner does not hold. The transaction is still open, and can be undone.
pub(super) fn is_refusal(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Of an error before anything is written.
pub(super) fn of_open(error: &Error) -> InboxError {
    let kind = match kind_of(error) {
        InboxErrorKind::Poisoned => InboxErrorKind::Unavailable,
        kind => kind,
    };
    InboxError::new(kind).caused_by(error.to_string())
}

pub(super) fn unusable(why: impl Into<String>) -> InboxError {
    InboxError::new(InboxErrorKind::Unusable).caused_by(why.into())
}
