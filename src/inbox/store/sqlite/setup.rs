//! How an inbox's file is opened.

use std::path::Path;
use std::time::Duration;

use super::super::{InboxError, Quota};
use super::store::SqliteInbox;

/// How a [`SqliteInbox`] is opened: every setting has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteSetup {
    pub(super) quota: Quota,
    pub(super) page_size: u32,
    pub(super) busy_timeout: Duration,
    pub(super) group: usize,
}

impl Default for SqliteSetup {
    fn default() -> Self {
        Self { quota: Quota::default(), page_size: 8192, busy_timeout: Duration::from_secs(5), group: 64 }
    }
}

impl SqliteSetup {
    /// Beyond this nothing is accepted.
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }

    /// The size of a page in a file that is new: a power of two from 512 to 65536. 8192 by default.
    pub fn page_size(mut self, bytes: u32) -> Self {
        self.page_size = bytes;
        self
    }

    /// How long a write waits for a visitor's, or a visitor's for the owner's. 5 seconds by default.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many commands share a transaction at most. 64 by default.
    pub fn group(mut self, most: usize) -> Self {
        self.group = most.max(1);
        self
    }

    /// Opens a file as its one owner; what does not exist is made. Leases of an owner that is gone are due again at once.
    ///
    /// # Errors
    ///
    /// Another owner has it, it is no inbox or of a newer version, or this is an SQLite that may lose commits.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteInbox, InboxError> {
        SqliteInbox::start(path.as_ref().to_owned(), self, true).await
    }

    /// Opens a file that somebody else may own, to look and to replay, purge or erase. It makes no file, ends no lease and
    /// never checkpoints.
    ///
    /// # Errors
    ///
    /// There is no such file, it is no inbox or of another version, or this is an SQLite that may lose commits.
    pub async fn visit(self, path: impl AsRef<Path>) -> Result<SqliteInbox, InboxError> {
        SqliteInbox::start(path.as_ref().to_owned(), self, false).await
    }
}
