//! `[inbox]`: events are answered when they are stored, and handled later.

use std::path::PathBuf;
use std::time::Duration;

use super::secret::SecretSource;

/// A durable inbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InboxSpec {
    /// Where its events are.
    pub store: InboxStoreSpec,
    /// How long a worker holds an event without renewal. Default: 30 seconds.
    pub lease: Duration,
    /// When an event that failed is tried again.
    pub retry: RetrySpec,
    /// How long events are remembered.
    pub retention: InboxRetentionSpec,
    /// Beyond this nothing is accepted.
    pub quota: QuotaSpec,
}

impl InboxSpec {
    /// An inbox of SQLite in this file, with the defaults of each field.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(InboxStoreSpec::Sqlite(path.into()))
    }

    /// An inbox in the Postgres of this URL, with the defaults of each field.
    #[must_use]
    pub fn postgres(url: SecretSource) -> Self {
        Self::new(InboxStoreSpec::Postgres(PostgresSpec::new(url)))
    }

    /// An inbox there, with the defaults of each field.
    #[must_use]
    pub fn new(store: InboxStoreSpec) -> Self {
        Self {
            store,
            lease: Duration::from_secs(30),
            retry: RetrySpec::default(),
            retention: InboxRetentionSpec::default(),
            quota: QuotaSpec::default(),
        }
    }
}

/// Where an inbox's events are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InboxStoreSpec {
    /// In this file of SQLite, which one receiver owns.
    Sqlite(PathBuf),
    /// In Postgres, for several receivers.
    Postgres(PostgresSpec),
}

/// An inbox in Postgres.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresSpec {
    /// Its address, which may hold a password.
    pub url: SecretSource,
    /// The schema of its tables: inboxes of one database have one each. Default: the engine's.
    pub schema: Option<String>,
    /// The time for one call. Default: the engine's.
    pub deadline: Option<Duration>,
    /// A file with the only certificate authority that is trusted, as PEM. Default: the machine's.
    pub root_certificate: Option<PathBuf>,
}

impl PostgresSpec {
    /// The inbox at this address.
    #[must_use]
    pub fn new(url: SecretSource) -> Self {
        Self { url, schema: None, deadline: None, root_certificate: None }
    }
}

/// When an event that failed is tried again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RetrySpec {
    /// How long the first wait may be; each further one is twice as long. Default: a second.
    pub base: Duration,
    /// The longest wait. Default: an hour.
    pub cap: Duration,
    /// How many attempts there are, before an event is a dead letter. Default: 20.
    pub attempts: u32,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_hours(1), attempts: 20 }
    }
}

/// How long an inbox remembers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InboxRetentionSpec {
    /// Its keys, where an endpoint says nothing. Default: as long as the provider needs.
    pub keys: Option<Duration>,
    /// What its events say. Default: 7 days.
    pub bodies: Duration,
}

impl Default for InboxRetentionSpec {
    fn default() -> Self {
        Self { keys: None, bodies: Duration::from_hours(7 * 24) }
    }
}

/// Beyond this an inbox accepts nothing. `None`: its own default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct QuotaSpec {
    /// Events that are not done. Default: 10 million.
    pub rows: Option<u64>,
    /// Bytes of its file. Default: 20 GiB.
    pub bytes: Option<u64>,
    /// Free bytes of its disk. Default: 512 MiB.
    pub free_disk: Option<u64>,
}
