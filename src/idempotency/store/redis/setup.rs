//! How a store is set up.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::address::{Address, CONNECTING};
use super::client::Client;
use super::lines::{Lines, Pool, SharedLine};
use super::setup_error::SetupError;
use super::store::RedisStore;
use super::wait::Wait;

/// Builds a [`RedisStore`].
#[must_use]
pub struct RedisSetup {
    address: Result<Address, SetupError>,
    prefix: Cow<'static, str>,
    deadline: Duration,
    wait: Option<Wait>,
    connections: usize,
    roots: Option<Vec<u8>>,
}

impl RedisStore {
    /// Connects to the server at this URL, with every setting at its default.
    ///
    /// # Errors
    ///
    /// [`SetupError`] for an address that cannot be used, and when the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, SetupError> {
        Self::at(url).connect().await
    }

    /// The settings of a store at this URL.
    pub fn at(url: &str) -> RedisSetup {
        RedisSetup::new(url)
    }
}

impl RedisSetup {
    pub(super) fn new(url: &str) -> Self {
        Self {
            address: Address::parse(url),
            prefix: Cow::Borrowed("whd1:"),
            deadline: Duration::from_secs(2),
            wait: None,
            connections: 16,
            roots: None,
        }
    }

    /// What every key begins with. Applications that share a server keep apart by it. Default: `whd1:`.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The time for one operation with all of its tries. A receiver waits for its store no longer than 2 seconds. Default:
    /// 2 seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Answers only with what that many replicas have, and waits for them no longer than this: what a call wrote, and what
    /// it found. Fewer replicas are [`StoreErrorKind::Unavailable`](super::super::StoreErrorKind::Unavailable), and the claim is not
    /// acquired. A full server then refuses the repeat of a done event too, with
    /// [`StoreErrorKind::Full`](super::super::StoreErrorKind::Full). Default: no replica is waited for.
    pub fn wait(mut self, replicas: u32, time: Duration) -> Self {
        self.wait = Some(Wait { replicas, time });
        self
    }

    /// With [`wait`](Self::wait): how many operations are in hand at once, each on a connection of its own. Default: 16.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// The only certificate authority that is trusted for `rediss://`, as PEM. Default: the machine's roots.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// The store, without a connection: the first operation makes it.
    ///
    /// # Errors
    ///
    /// [`SetupError`] for an address or a setting that cannot be used.
    pub fn build(self) -> Result<RedisStore, SetupError> {
        let address = self.address?;
        let refuse = |why| Err(SetupError::new(why));
        if self.deadline < Duration::from_millis(10) {
            return refuse("the deadline is shorter than 10 ms");
        }
        if self.prefix.len() > 64 || self.prefix.contains(['{', '}']) {
            return refuse("the prefix is longer than 64 bytes or holds a brace");
        }
        if self.connections == 0 {
            return refuse("there must be at least one connection");
        }
        // Half of the deadline, so that there is time for a second try on a new connection.
        let attempt = self.deadline.checked_div(2).unwrap_or(self.deadline);
        if self.wait.is_some_and(|wait| !wait.is_possible(attempt)) {
            return refuse("wait needs a replica, and a time from 1 ms to less than half of the deadline");
        }
        let target = Arc::new(address.target(self.roots, attempt)?);
        let cluster = target.is_cluster();
        if self.wait.is_some() && cluster {
            return refuse("wait is not for a cluster, where a key may move before its replicas are counted");
        }
        let time = if target.is_single() { attempt } else { attempt.max(CONNECTING) };
        let lines = match self.wait {
            None => Lines::Shared(SharedLine::new(target, time)),
            Some(_) => Lines::Own(Pool::new(target, time, self.connections)),
        };
        let (prefix, wait, deadline) = (self.prefix, self.wait, self.deadline);
        let calls = AtomicU64::new(0);
        Ok(RedisStore::new(Client { lines, prefix, deadline, attempt, wait, cluster, calls }))
    }

    /// The store, connected.
    ///
    /// # Errors
    ///
    /// [`SetupError`] for an address or a setting that cannot be used, and when the server cannot be reached: one within
    /// half of the deadline, Sentinel or a cluster within 3 seconds if that is longer.
    pub async fn connect(self) -> Result<RedisStore, SetupError> {
        let store = self.build()?;
        let patience = store.client.attempt.max(CONNECTING);
        store.client.lines.take(patience).await.map_err(|error| SetupError::connection(&error))?.answered();
        Ok(store)
    }
}

/// The address is not printed, since it may hold a password.
impl fmt::Debug for RedisSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSetup")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
