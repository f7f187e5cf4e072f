//! [`Child`]: a receiver in a process of its own that is up.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::handles::{Death, Handles, State};
use super::keeper::SOMEWHERE;
use super::not_up::NotUp;

/// A receiver in a process of its own, which is started again whenever it ends. Dropped, it is killed; no other process is.
pub struct Child {
    handles: Arc<Handles>,
    states: watch::Receiver<State>,
    keeper: Option<JoinHandle<()>>,
    address: SocketAddr,
}

impl Child {
    /// Once it listens.
    pub(super) async fn up(
        handles: Arc<Handles>,
        states: watch::Receiver<State>,
        keeper: JoinHandle<()>,
    ) -> Result<Self, NotUp> {
        let mut child = Self { handles, states, keeper: Some(keeper), address: SOMEWHERE };
        child.address = child.until(|state| state.is_up).await?.address.unwrap_or(SOMEWHERE);
        Ok(child)
    }

    /// Where it listens, in every one of its lives.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it has ended so far.
    #[must_use]
    pub fn deaths(&self) -> Vec<Death> {
        self.states.borrow().deaths.clone()
    }

    /// Waits until it has ended so many times and listens again.
    ///
    /// # Errors
    ///
    /// [`NotUp`] when it does not come up again.
    pub async fn risen(&self, times: usize) -> Result<(), NotUp> {
        self.until(|state| state.is_up && state.deaths.len() >= times).await.map(drop)
    }

    /// The number of its process, for signals. `None` while it is not there.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.handles.id()
    }

    /// Kills it where it is (`SIGKILL` on Unix). It is started again.
    pub fn kill(&self) {
        self.handles.kill();
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) -> Result<State, NotUp> {
        let mut states = self.states.clone();
        let state = states.wait_for(|state| state.not_up.is_some() || is_so(state)).await;
        let state = state.map_err(|_| NotUp::new("its keeper has ended"))?.clone();
        state.not_up.clone().map_or(Ok(state), Err)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.handles.end();
        if let Some(keeper) = self.keeper.take() {
            // A panic there was printed there.
            drop(keeper.join());
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("address", &self.address).field("deaths", &self.deaths()).finish_non_exhaustive()
    }
}
