//! Keys that are changed over under load: both for a while, and then the new one alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::sleep;
use tower_webhook::clock::OsEntropy;
use tower_webhook::provider::{AnyProvider, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::KeySwap;
use tower_webhook::sender::storm::{Author as _, Mark, Report, Storm, Theme, Writer};
use tower_webhook::sender::{DeliveryProfile, Ledger, Transport as _};

use super::{HOUR, NOW, Ours, providers, ring, routes};

/// How the keys are changed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    /// The receivers know both while the sender moves.
    Overlapping,
    /// The receivers forget the old one before the sender moves.
    WithAGap,
    /// The sender moves before the receivers know.
    TooEarly,
    /// The receivers never forget the last one.
    Kept,
}

/// Longer than anything that was sealed waits to be sent, and to be sent again.
const HALF: Duration = Duration::from_millis(700);
const TAKES: Duration = Duration::from_millis(10);

/// Goes from key to key. How often it did, and how many deliveries under a key that is over were taken.
struct Changing {
    how: Change,
    sends: KeySwap,
    receives: KeySwap,
    ours: Ours,
    changes: AtomicU64,
    taken_late: AtomicU64,
}

impl Changing {
    async fn change(&self, old: u8) {
        let new = old + 1;
        let late: Vec<_> = providers(&KeySwap::new(ring([old]))).into_iter().map(|of| late(old, of)).collect();
        if self.how == Change::TooEarly {
            self.sends.replace(ring([new])).unwrap();
            sleep(HALF).await;
        }
        let receives = if self.how == Change::WithAGap { ring([new]) } else { ring([new, old]) };
        self.receives.replace(receives).unwrap();
        sleep(HALF).await;
        self.sends.replace(ring([new])).unwrap();
        sleep(HALF).await;
        if self.how != Change::Kept {
            self.receives.replace(ring([new])).unwrap();
        }
        for request in late {
            if self.ours.exchange(request).await.unwrap().status != StatusCode::UNAUTHORIZED {
                self.taken_late.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sealed under a key that is over when it comes, about an event of no run.
fn late(old: u8, (path, provider, writer, _): (&str, AnyProvider, Writer, DeliveryProfile)) -> Request<Bytes> {
    let message = writer.write(&[Theme::new(Mark::new(7, 1_000_000 + u64::from(old)), 0)]);
    let mut request = provider.seal(message, &Sealing::new(NOW, &OsEntropy)).unwrap();
    *request.uri_mut() = path.parse().unwrap();
    request
}

async fn changing(how: Change, events: u64) -> (Report, u64, u64) {
    let (ledger, sends, receives) = (Ledger::new(), KeySwap::new(ring([0])), KeySwap::new(ring([0])));
    let ours = Ours::new(&receives, &ledger, TAKES);
    let storm = Storm::new(routes(&sends), ours.clone()).ledger(&ledger).events(events).seed(27).starting_at(NOW);
    let storm = storm.concurrency(16).compressed(10_000).heal(HOUR);
    let storm = storm.faults("together=0.1,bad=0.05,handler-fails=0.05".parse().unwrap());
    let (changes, taken_late) = (AtomicU64::new(0), AtomicU64::new(0));
    let changing = Arc::new(Changing { how, sends, receives, ours, changes, taken_late });
    let driven = Arc::clone(&changing);
    let driver = tokio::spawn(async move {
        for old in 0..25 {
            driven.change(old).await;
        }
    });
    let report = storm.run().await;
    driver.abort();
    (report, changing.changes.load(Ordering::Relaxed), changing.taken_late.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn keys_are_changed_over_under_load_and_nobody_notices() {
    let (report, changes, taken_late) = changing(Change::Overlapping, 5000).await;
    println!("{changes} changes, {report}");
    assert!(report.is_happy() && report.accepted == 5000 && report.refused > 100, "{report}");
    assert!(changes >= 2 && taken_late == 0, "{changes} changes, {taken_late} taken late");
}

#[tokio::test(start_paused = true)]
async fn a_change_with_a_gap_and_one_that_never_ends_are_caught() {
    for how in [Change::WithAGap, Change::TooEarly] {
        let (report, ..) = changing(how, 1500).await;
        assert!(report.wrongly_refused > 0 && report.lost == 0, "{how:?}: {report}");
    }
    let (report, changes, taken_late) = changing(Change::Kept, 3000).await;
    assert!(
        taken_late >= changes && changes >= 1 && report.wrongly_refused == 0,
        "{taken_late} of {changes}: {report}"
    );
}
