//! How a file becomes an inbox.

use std::path::Path;

use super::super::InboxError;
use super::handle::Handle;
use super::setup::SqliteSetup;
use super::store::SqliteInbox;

impl SqliteInbox {
    /// How to open one.
    pub fn setup() -> SqliteSetup {
        SqliteSetup::default()
    }

    /// Opens a file as its one owner, with defaults: [`SqliteSetup::open`].
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or this is an SQLite that may lose commits.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::setup().open(path).await
    }

    /// Opens a file that somebody else may own, with defaults: [`SqliteSetup::visit`].
    ///
    /// # Errors
    ///
    /// There is no such file, it is no inbox or of another version, or this is an SQLite that may lose commits.
    pub async fn visit(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::setup().visit(path).await
    }
}

impl SqliteSetup {
    /// Opens a file as its one owner; what does not exist is made. Leases of an owner that is gone are due again at once.
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or this is an SQLite that may lose commits.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteInbox, InboxError> {
        Handle::start(path.as_ref().to_owned(), self, true).await.map(SqliteInbox::of)
    }

    /// Opens a file that somebody else may own, to look and to replay, purge or erase. It makes no file, ends no lease and
    /// never checkpoints.
    ///
    /// # Errors
    ///
    /// There is no such file, it is no inbox or of another version, or this is an SQLite that may lose commits.
    pub async fn visit(self, path: impl AsRef<Path>) -> Result<SqliteInbox, InboxError> {
        Handle::start(path.as_ref().to_owned(), self, false).await.map(SqliteInbox::of)
    }
}
