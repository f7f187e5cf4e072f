//! Connections that are open: they are told to end, and waited for.

use tokio::sync::watch;

pub(super) struct Open(watch::Sender<bool>);

/// One of them, for as long as it lives.
pub(super) struct Member(watch::Receiver<bool>);

impl Open {
    pub(super) fn new() -> Self {
        Self(watch::channel(false).0)
    }

    /// One more.
    pub(super) fn member(&self) -> Member {
        Member(self.0.subscribe())
    }

    /// Tells all of them, and waits until each is gone.
    pub(super) async fn end(self) {
        self.0.send_replace(true);
        self.0.closed().await;
    }
}

impl Member {
    /// Until it is to end.
    pub(super) async fn told(&mut self) {
        // Whoever could tell it is gone: that is an end too.
        let _ = self.0.wait_for(|ends| *ends).await;
    }
}
