//! How an inbox's file is opened.

use std::time::Duration;

use super::super::Quota;

/// How a [`SqliteInbox`](super::SqliteInbox) is opened: every setting has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteSetup {
    pub(super) quota: Quota,
    pub(super) page_size: u32,
    pub(super) busy_timeout: Duration,
    pub(super) group: usize,
    pub(super) may_be_volatile: bool,
}

impl Default for SqliteSetup {
    fn default() -> Self {
        Self {
            quota: Quota::default(),
            page_size: 8192,
            busy_timeout: Duration::from_secs(5),
            group: 64,
            may_be_volatile: false,
        }
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

    /// Also in memory (tmpfs, ramfs), which an owner refuses otherwise: for tests. What was answered 2xx is gone there when the
    /// machine goes down.
    pub fn dangerous_volatile_disk(mut self) -> Self {
        self.may_be_volatile = true;
        self
    }

    /// How many commands share a transaction at most. 64 by default.
    pub fn group(mut self, most: usize) -> Self {
        self.group = most.max(1);
        self
    }
}
