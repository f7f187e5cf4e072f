//! Signals: the first that ends it drains, the second ends at once; a hangup ends nothing.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::voice::Voice;

/// SIGTERM or SIGINT.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next of them.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// SIGHUP, by which others ask to read their configuration again.
pub(super) struct Hangups(Signal);

impl Hangups {
    pub(super) fn new() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Says each time that nothing comes of it. It never ends.
    pub(super) async fn answer(mut self, voice: Voice) {
        while self.0.recv().await.is_some() {
            voice.warn(
                "SIGHUP: the configuration is not read again, and all goes on as before; start anew to change it",
            );
        }
    }
}
