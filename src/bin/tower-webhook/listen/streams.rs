//! The requests that one connection has in hand.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How many there are. Clones count the same.
#[derive(Clone)]
pub(super) struct Streams(Arc<watch::Sender<usize>>);

/// One of them, for as long as it lives.
pub(super) struct InHand(Streams);

impl Streams {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }

    pub(super) fn begin(&self) -> InHand {
        self.0.send_modify(|count| *count = count.saturating_add(1));
        InHand(self.clone())
    }

    /// Until there has been none for so long.
    pub(super) async fn rest(&self, time: Duration) {
        let mut seen = self.0.subscribe();
        loop {
            // Its sender is ours: it is not gone.
            let _ = seen.wait_for(|count| *count == 0).await;
            if timeout(time, seen.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn rest_begins_when_the_last_has_ended_and_anew_with_each() {
        let (streams, start) = (Streams::new(), Instant::now());
        let work = async {
            sleep(TIME - Duration::from_secs(1)).await;
            let (one, other) = (streams.begin(), streams.begin());
            sleep(TIME * 3).await;
            drop(one);
            sleep(TIME * 3).await;
            drop(other);
            sleep(TIME - Duration::from_secs(1)).await;
            drop(streams.begin());
        };
        tokio::join!(streams.rest(TIME), work);
        assert_eq!(start.elapsed(), TIME * 9 - Duration::from_secs(2));
    }
}
