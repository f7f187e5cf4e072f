//! How an inbox in Postgres is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::Quota;
use crate::clock::{Clock, SystemClock};

/// How a [`PostgresInbox`](super::PostgresInbox) is opened: every setting has a default.
#[derive(Clone)]
#[must_use]
pub struct PostgresSetup {
    pub(super) schema: String,
    pub(super) pool: usize,
    pub(super) deadline: Duration,
    pub(super) quota: Quota,
    pub(super) clock: Arc<dyn Clock>,
    #[cfg(feature = "postgres-tls")]
    pub(super) root: Option<Vec<u8>>,
}

impl fmt::Debug for PostgresSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSetup")
            .field("schema", &self.schema)
            .field("pool", &self.pool)
            .field("deadline", &self.deadline)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl Default for PostgresSetup {
    fn default() -> Self {
        Self {
            schema: "tower_webhook".to_owned(),
            pool: 8,
            deadline: Duration::from_secs(5),
            quota: Quota::default(),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "postgres-tls")]
            root: None,
        }
    }
}

impl PostgresSetup {
    /// The schema that its tables are in; what does not exist is made. At most 40 of `a` to `z`, `0` to `9` and `_`.
    /// `tower_webhook` by default.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How many connections its calls have at most. Transactions of handlers ([`in_transaction`](super::PostgresInbox::in_transaction))
    /// have as many of their own, so that nobody who stores or renews waits behind them. With the one on which it hears of others'
    /// events an inbox has twice as many and one at most, and without such handlers as many and one. 8 by default.
    pub fn pool(mut self, connections: usize) -> Self {
        self.pool = connections.max(1);
        self
    }

    /// How long a call may take, the wait for a connection included. 5 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Beyond this nothing is accepted, and after that nothing until it is at four fifths of each. It is measured every 10 seconds,
    /// and then every second. Bytes are those of its tables' files, which Postgres seldom makes smaller (`VACUUM FULL` does); free
    /// disk is nothing that it tells.
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }

    /// This host's clock, which is compared with the database's: the one that receivers and workers have.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The only certificate authority that is trusted, as PEM; the server must speak TLS then. Default: the machine's roots, and
    /// TLS as the URL's `sslmode` says: `disable`, `prefer` (which takes a server that speaks none), or `require`.
    #[cfg(feature = "postgres-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres-tls")))]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root = Some(pem.into());
        self
    }
}
