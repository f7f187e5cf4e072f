//! What has been kept for long enough goes.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::super::handler::InboxHandler;
use super::super::store::{InboxError, InboxErrorKind, InboxStore};
use super::crew::Crew;
use crate::delivery::caught;
use crate::observe::{About, Fact};

/// How long bodies are kept, unless somebody says otherwise.
pub(super) const BODIES: Duration = Duration::from_hours(7 * 24);
/// From round to round. A round that is not over by then goes on in the next.
const EVERY: Duration = Duration::from_mins(10);

impl<S: InboxStore, H: InboxHandler> Crew<S, H> {
    /// Round after round, for as long as it is polled.
    pub(super) async fn retain(&self) {
        loop {
            if let Ok(Err(error)) = caught(self.purge()).await {
                self.terms.listeners.tell(&Fact::StoreDown(&error), &About::default());
            }
            sleep(EVERY).await;
        }
    }

    async fn purge(&self) -> Result<(), InboxError> {
        let now = self.now()?;
        let before = now.checked_sub(self.terms.retention).unwrap_or(Timestamp::MIN);
        let late = |_| InboxError::new(InboxErrorKind::Unavailable).caused_by("it took too long to drop what is old");
        timeout(EVERY, self.store.purge(before, now)).await.map_err(late)?.map(drop)
    }
}
