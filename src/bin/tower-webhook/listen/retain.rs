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

#[cfg(test)]
mod tests {
    use tower_webhook::delivery::{Fingerprint, KeyHash};
    use tower_webhook::inbox::{EventId, LeaseToken, NewEvent, SqliteInbox};

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    struct At(Timestamp);

    impl Clock for At {
        fn now(&self) -> Option<Timestamp> {
            Some(self.0)
        }
    }

    /// Events 1 and 2, which ended eight and six days before.
    async fn filled(path: &std::path::Path, now: Timestamp) -> SqliteInbox {
        let inbox = SqliteInbox::open(path).await.unwrap();
        for (key, ago) in [(1, 8), (2, 6)] {
            let then = now - ago * DAY;
            let key = KeyHash::from_bytes([key; 32]);
            let event = NewEvent::new(key, Fingerprint::of(b"x"), "a payload", now + 30 * DAY);
            inbox.accept(vec![event], then).await.unwrap();
            let held = inbox.lease(LeaseToken([7; 16]), 1, DAY, then).await.unwrap();
            let _ = inbox.complete(&held[0], then).await.unwrap();
        }
        inbox
    }

    async fn bodies(inbox: &SqliteInbox) -> [bool; 2] {
        let mut there = [false; 2];
        for (at, id) in [1, 2].into_iter().enumerate() {
            there[at] = inbox.show(EventId(id)).await.unwrap().unwrap().payload.is_some();
        }
        there
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_go_when_their_time_is_over_and_not_at_the_very_start() {
        let path = std::env::temp_dir().join(format!("tower-webhook-retain-{}", std::process::id()));
        let now = Timestamp::now();
        let inbox = filled(&path, now).await;
        assert_eq!(bodies(&inbox).await, [true, true]);
        let rounds = tokio::spawn(forever(inbox.clone(), At(now), 7 * DAY, Voice::start().unwrap()));
        sleep(FIRST - Duration::from_secs(1)).await;
        assert_eq!(bodies(&inbox).await, [true, true]);
        for _ in 0..1000 {
            sleep(EVERY).await;
            if bodies(&inbox).await == [false, true] {
                break;
            }
        }
        assert_eq!(bodies(&inbox).await, [false, true]);
        rounds.abort();
        drop(inbox);
        for end in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}
