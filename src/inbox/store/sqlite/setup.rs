//! How an inbox's file is opened.

use std::time::Duration;

use super::super::Quota;
use super::keys;

/// How a [`SqliteInbox`](super::SqliteInbox) is opened: every setting has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteSetup {
    pub(super) quota: Quota,
    pub(super) page_size: u32,
    pub(super) busy_timeout: Duration,
    pub(super) group: usize,
    /// So many keys wait in memory before they go into their table.
    pub(super) batch: i64,
    pub(super) must_be_durable: bool,
}

impl Default for SqliteSetup {
    fn default() -> Self {
        Self {
            quota: Quota::default(),
            page_size: 8192,
            busy_timeout: Duration::from_secs(5),
            group: 64,
            batch: keys::BATCH,
            must_be_durable: false,
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

    /// Refuses a file that would lie in memory (tmpfs, ramfs), where what was answered 2xx is gone when the machine goes down. Without
    /// it [`SqliteInbox::disk`](super::SqliteInbox::disk) tells: tests may lie there, and the temporary folder of many systems does.
    pub fn on_disk_only(mut self) -> Self {
        self.must_be_durable = true;
        self
    }

    /// How many commands share a transaction at most. 64 by default.
    pub fn group(mut self, most: usize) -> Self {
        self.group = most.max(1);
        self
    }
}
