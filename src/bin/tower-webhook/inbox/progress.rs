//! That something is still going on, on a terminal.

use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::{Instant, interval_at};

/// What is done before that is not worth a word.
const QUICK: Duration = Duration::from_millis(500);
const EVERY: Duration = Duration::from_millis(200);

/// Does it, and says meanwhile for how long that has been going on, if stderr is a terminal.
pub(super) async fn shown<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let begun = Instant::now();
    let mut tick = interval_at(begun + QUICK, EVERY);
    let mut work = std::pin::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = tick.tick() => paint(&format!("{what}, for {} s", begun.elapsed().as_secs())),
        }
    };
    if begun.elapsed() >= QUICK {
        paint("");
    }
    done
}

/// In place of what stands there. Where nobody can see it, nobody does.
fn paint(text: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}
