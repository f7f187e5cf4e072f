//! What facts do not say, and somebody else tells.

use std::time::Duration;

/// What is known of a receiver before anything comes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Known {
    /// The id of the key that its sender should use. `None`: nobody says, and `slot` is `unknown`.
    pub current_key: Option<String>,
    /// How long after the first try of a notification that never gets through its provider switches the webhook off. `None`:
    /// it never does.
    pub switched_off_after: Option<Duration>,
}

impl Known {
    /// The id of the key that its sender should use. Default: nobody says.
    #[must_use]
    pub fn current_key(mut self, id: impl Into<String>) -> Self {
        self.current_key = Some(id.into());
        self
    }

    /// Its provider switches the webhook off when a notification has not got through for so long. Default: never.
    #[must_use]
    pub fn switched_off_after(mut self, time: Duration) -> Self {
        self.switched_off_after = Some(time);
        self
    }
}

/// How an inbox stands.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InboxLevels {
    /// Events that wait.
    pub ready: u64,
    /// How long the oldest of them has been due, in seconds.
    pub oldest_age: f64,
    /// Dead letters.
    pub dead: u64,
    /// Bytes of its write-ahead log, where it has one here.
    pub wal_bytes: Option<u64>,
}

impl InboxLevels {
    /// So many events wait, the oldest for so many seconds, and so many are dead letters.
    #[must_use]
    pub fn new(ready: u64, oldest_age: f64, dead: u64) -> Self {
        Self { ready, oldest_age, dead, wal_bytes: None }
    }

    /// So long is its write-ahead log. Default: it has none here.
    #[must_use]
    pub fn wal_bytes(mut self, bytes: u64) -> Self {
        self.wal_bytes = Some(bytes);
        self
    }
}
