//! What is done may be called again when the receiver was seen to go down, and otherwise not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::sleep;

use super::watched::LOOK;
use crate::provider::mambu::Mambu;
use crate::sender::DeliveryProfile;
use crate::sender::ledger::Ledger;
use crate::sender::storm::{Report, Route, Storm, Writer};
use crate::sender::transport::{Answer, NoAnswer, Transport};

/// What it does and answers to the request of this number.
type Act = Arc<dyn Fn(&Fake, u64) -> Result<StatusCode, NoAnswer> + Send + Sync>;

/// A receiver with an inbox, which tells this ledger of what is done.
#[derive(Clone)]
struct Fake {
    ledger: Ledger,
    is_up: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    act: Act,
}

impl Fake {
    fn handle(&self, number: u64, fence: u64) {
        self.ledger.called(Some(number), Some(fence)).done();
    }
}

impl Transport for Fake {
    async fn exchange(&self, _: Request<Bytes>) -> Result<Answer, NoAnswer> {
        (self.act)(self, self.requests.fetch_add(1, Ordering::Relaxed)).map(Answer::of)
    }

    async fn is_there(&self) -> Option<bool> {
        Some(self.is_up.load(Ordering::Relaxed))
    }
}

/// Two events.
async fn run(act: impl Fn(&Fake, u64) -> Result<StatusCode, NoAnswer> + Send + Sync + 'static) -> Report {
    let (ledger, is_up) = (Ledger::of_an_inbox(), Arc::new(AtomicBool::new(true)));
    let fake = Fake { ledger: ledger.clone(), is_up, requests: Arc::default(), act: Arc::new(act) };
    let path = "/mambu".parse().unwrap();
    let route = Route::new("mambu", path, Mambu::new(), DeliveryProfile::mambu(), Writer::Mambu);
    Storm::new([route], fake).ledger(&ledger).events(2).heal(Duration::from_secs(600)).run().await
}

fn called_again(report: &Report) -> (u64, u64) {
    (report.called_again, report.handled_twice)
}

#[tokio::test(start_paused = true)]
async fn what_is_done_may_be_called_again_when_a_request_has_seen_it_down() {
    for (down, expected) in [
        (None, (0, 1)),
        (Some(NoAnswer::TimedOut), (0, 1)),
        (Some(NoAnswer::Unreachable), (1, 0)),
        (Some(NoAnswer::Broken), (1, 0)),
    ] {
        let report = run(move |fake, request| match (request, down) {
            (0, _) => {
                fake.handle(0, 1);
                Ok(StatusCode::OK)
            }
            (1, Some(down)) => Err(down),
            (1, None) | (2, Some(_)) => {
                fake.handle(0, 2);
                fake.handle(1, 1);
                Ok(StatusCode::OK)
            }
            _ => Ok(StatusCode::OK),
        })
        .await;
        assert_eq!(called_again(&report), expected, "{down:?}: {report}");
    }
}

/// Every sender has come to its end, and only who looks can see it.
#[tokio::test(start_paused = true)]
async fn a_receiver_is_looked_for_while_nothing_is_sent() {
    for (goes_down, expected) in [(false, (0, 1)), (true, (1, 0))] {
        let report = run(move |fake, request| {
            let fake = fake.clone();
            if request == 1 {
                tokio::spawn(async move {
                    sleep(Duration::from_secs(1)).await;
                    fake.handle(0, 1);
                    fake.is_up.store(!goes_down, Ordering::Relaxed);
                    sleep(2 * LOOK).await;
                    fake.is_up.store(true, Ordering::Relaxed);
                    sleep(2 * LOOK).await;
                    fake.handle(0, 2);
                    fake.handle(1, 1);
                });
            }
            Ok(StatusCode::OK)
        })
        .await;
        assert_eq!(called_again(&report), expected, "{report}");
    }
}
