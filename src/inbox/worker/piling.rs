//! Dead letters that pile up are told of.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::super::handler::InboxHandler;
use super::super::store::InboxStore;
use super::crew::Crew;
use crate::delivery::caught;
use crate::observe::{About, Fact};

/// So many dead letters may lie there, unless somebody says otherwise.
pub(super) const QUOTA: u64 = 10_000;
/// From look to look.
const EVERY: Duration = Duration::from_mins(1);

impl<S: InboxStore, H: InboxHandler> Crew<S, H> {
    /// Look after look, for as long as it is polled.
    pub(super) async fn watch_dead_letters(&self) {
        let mut is_told = false;
        loop {
            // A store that is away is told of by others.
            if let Ok(Some(dead)) = caught(self.dead_letters()).await {
                let quota = self.terms.dead_letters;
                let are_many = u128::from(dead) * 5 >= u128::from(quota) * 4;
                if are_many && !is_told {
                    self.terms.listeners.tell(&Fact::DeadLettersPile { dead, quota }, &About::default());
                }
                is_told = are_many;
            }
            sleep(EVERY).await;
        }
    }

    async fn dead_letters(&self) -> Option<u64> {
        let stats = timeout(EVERY, self.store.stats(self.now().ok()?)).await.ok()?.ok()?;
        Some(stats.dead)
    }
}
