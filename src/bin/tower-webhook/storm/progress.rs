//! How far it is, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::interval;
use tower_webhook::sender::storm::Counts;

const EVERY: Duration = Duration::from_millis(200);
const WIDTH: u64 = 30;

/// The bar, for as long as it is shown.
pub(super) struct Shown(Option<JoinHandle<()>>);

/// Shows it, if stderr is a terminal.
pub(super) fn show(counts: Counts, events: u64) -> Shown {
    Shown(io::stderr().is_terminal().then(|| tokio::spawn(draw(counts, events))))
}

impl Shown {
    /// Takes it away.
    pub(super) fn end(self) {
        if let Some(task) = self.0 {
            task.abort();
            paint("");
        }
    }
}

async fn draw(counts: Counts, events: u64) {
    let mut tick = interval(EVERY);
    loop {
        tick.tick().await;
        paint(&line(counts.begun().min(events), events, counts.requests(), counts.refused()));
    }
}

fn line(begun: u64, events: u64, requests: u64, refused: u64) -> String {
    let filled = begun * WIDTH / events.max(1);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '.' }).collect();
    let settling = if begun == events { ", settling" } else { "" };
    format!("[{bar}] {begun}/{events} events, {requests} requests, {refused} refused{settling}")
}

/// In place of what stands there. Where nobody can see it, nobody does.
fn paint(text: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_what_is_begun() {
        assert_eq!(line(0, 10, 0, 0), format!("[{}] 0/10 events, 0 requests, 0 refused", ".".repeat(30)));
        assert_eq!(
            line(5, 10, 9, 1),
            format!("[{}{}] 5/10 events, 9 requests, 1 refused", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(line(10, 10, 9, 1), format!("[{}] 10/10 events, 9 requests, 1 refused, settling", "#".repeat(30)));
    }
}
