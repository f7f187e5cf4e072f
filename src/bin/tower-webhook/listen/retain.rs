//! What an inbox has kept for long enough goes, now and then.

use std::time::Duration;

use tokio::time::sleep;
use tower_webhook::clock::{Clock, Timestamp};
use tower_webhook::inbox::InboxStore;

use super::voice::Voice;

/// Not at the very start, when everybody comes again.
const FIRST: Duration = Duration::from_secs(10);
/// Between two rounds. A round goes on in small steps, between which others write.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Drops bodies that are older than this, and keys whose time is over. It never ends.
pub(super) async fn forever(store: impl InboxStore, clock: impl Clock, bodies: Duration, voice: Voice) {
    sleep(FIRST).await;
    loop {
        if let Some(now) = clock.now() {
            let before = now.checked_sub(bodies).unwrap_or(Timestamp::MIN);
            if let Err(error) = store.purge(before, now).await {
                voice.warn(format_args!("warning: inbox: what is too old cannot be dropped: {error}"));
            }
        }
        sleep(EVERY).await;
    }
}
