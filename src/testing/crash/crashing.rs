//! [`Crashing`]: how a receiver is run in a process of its own.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::child::Child;
use super::handles::Handles;
use super::keeper::{Keeper, Plan};
use super::not_up::NotUp;
use crate::fail_point::Crash;

/// How a receiver is run in a process of its own.
#[must_use = "nothing runs until it is started"]
pub struct Crashing(Plan);

impl Crashing {
    /// A receiver that this command starts at this address: port 0 at first, and then the one that it took. Its stdin ends with
    /// this process, its stdout is read, and [`VARIABLE`](super::VARIABLE) is set for it or removed.
    pub fn new(command: impl FnMut(SocketAddr) -> Command + Send + 'static) -> Self {
        Self(Plan {
            command: Box::new(command),
            address_in: Arc::new(listening),
            crashes: VecDeque::new(),
            up_within: Duration::from_secs(20),
        })
    }

    /// The first start is armed with the first of these, the next one with the second, and those behind the last with none.
    /// Default: none is armed.
    pub fn crashes<C: Into<Crash>>(mut self, crashes: impl IntoIterator<Item = C>) -> Self {
        self.0.crashes = crashes.into_iter().map(Into::into).collect();
        self
    }

    /// Where it listens, by a line of its stdout. The first line in which an address is found counts. Default: the line is
    /// `{"listening":"127.0.0.1:8080"}`.
    pub fn address_in(mut self, find: impl Fn(&str) -> Option<SocketAddr> + Send + Sync + 'static) -> Self {
        self.0.address_in = Arc::new(find);
        self
    }

    /// The longest that a start may take. Default: 20 seconds.
    pub fn up_within(mut self, time: Duration) -> Self {
        self.0.up_within = time;
        self
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    ///
    /// [`NotUp`] when it does not, or ends before.
    pub async fn start(self) -> Result<Child, NotUp> {
        let (handles, states) = Handles::new();
        let keeper = Keeper::new(self.0, Arc::clone(&handles)).start().map_err(|error| NotUp::because(&error))?;
        Child::up(handles, states, keeper).await
    }
}

impl fmt::Debug for Crashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crashing").field("crashes", &self.0.crashes).finish_non_exhaustive()
    }
}

fn listening(line: &str) -> Option<SocketAddr> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    said.get("listening")?.as_str()?.parse().ok()
}
