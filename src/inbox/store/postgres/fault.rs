//! What Postgres's errors mean for a caller.

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::super::{InboxError, InboxErrorKind};

/// The text of a refusal of a connection that is right to be refused, now and later.
pub(super) const REFUSED: &str = "refused: ";

/// Raised by our own functions.
const FULL: &str = "WH001";

pub(super) fn of(error: &Error) -> InboxError {
    InboxError::new(kind_of(error)).caused_by(said(error))
}

/// Never the detail, which quotes values.
fn said(error: &Error) -> String {
    match error.as_db_error() {
        Some(database) => format!("{} ({})", database.message(), database.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// A connection that was lost leaves it open whether it has happened: a repeat finds out.
fn kind_of(error: &Error) -> InboxErrorKind {
    let Some(code) = error.code() else { return InboxErrorKind::Unavailable };
    match code.code() {
        FULL => InboxErrorKind::Full,
        _ if *code == SqlState::DISK_FULL => InboxErrorKind::Full,
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => InboxErrorKind::Unavailable,
        // Names, types or rights that are not as they should be, and damage.
        code if ["42", "XX", "22", "28", "3D", "3F"].iter().any(|class| code.starts_with(class)) => {
            InboxErrorKind::Unusable
        }
        _ => InboxErrorKind::Unavailable,
    }
}

/// Another try may do: nothing has happened, and whoever was in the way is gone.
pub(super) fn is_passing(error: &Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE) || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

pub(super) fn of_pool(error: &PoolError) -> InboxError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => of(error),
        PoolError::PostCreateHook(HookError::Message(text)) if text.starts_with(REFUSED) => {
            InboxError::new(InboxErrorKind::Unusable).caused_by(text.to_string())
        }
        other => InboxError::new(InboxErrorKind::Unavailable).caused_by(other.to_string()),
    }
}

pub(super) fn late() -> InboxError {
    InboxError::new(InboxErrorKind::Unavailable).caused_by("no answer in time")
}
