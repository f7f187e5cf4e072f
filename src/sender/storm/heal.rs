//! The end of a run: what is left settles, for as long as anything does.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::run::Run;
use crate::sender::transport::Transport;

/// How often it is looked whether all that was accepted is handled, where it is stored first.
const GLANCE: Duration = Duration::from_millis(100);
/// So often at least in the time for healing, while senders are still at it.
const GLANCES: u32 = 100;
/// After so many times the time for healing it is over, whatever still moves.
const LONGEST: u32 = 100;

impl<T: Transport> Run<T> {
    /// Until all is settled, or nothing has settled for the time for healing. What is left then was not settled.
    pub(super) async fn heal(&self, open: &mut JoinSet<()>) {
        let heal = self.plan.heal;
        let began = Instant::now();
        let (mut progress, mut since) = (self.progress(), began);
        while since.elapsed() < heal && began.elapsed() < heal.saturating_mul(LONGEST) {
            if !open.is_empty() {
                drop(timeout(heal / GLANCES, open.join_next()).await);
            } else if self.ledger.has_unhandled() {
                sleep(GLANCE.min(heal)).await;
            } else {
                return;
            }
            if self.progress() != progress {
                (progress, since) = (self.progress(), Instant::now());
            }
        }
    }

    /// What senders and handlers have come to so far.
    fn progress(&self) -> (u64, u64) {
        (self.counts.ended(), self.ledger.progress())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, StatusCode};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::provider::mambu::Mambu;
    use crate::sender::DeliveryProfile;
    use crate::sender::ledger::Ledger;
    use crate::sender::storm::{Mark, Report, Route, Storm, Writer};
    use crate::sender::transport::{Answer, NoAnswer};

    const HEAL: Duration = Duration::from_secs(60);

    /// A run of so many events against a receiver that stores them, with one handler that takes a second for each and never comes to those
    /// that are forgotten. With it, how long all took.
    async fn run(events: u64, forgotten: fn(u64) -> bool) -> (Report, Duration) {
        let (ledger, (store, mut stored)) = (Ledger::of_an_inbox(), unbounded_channel());
        let seen = ledger.clone();
        tokio::spawn(async move {
            while let Some(number) = stored.recv().await {
                if !forgotten(number) {
                    sleep(Duration::from_secs(1)).await;
                    seen.called(Some(number), Some(1)).done();
                }
            }
        });
        let receiver = move |request: Request<Bytes>| {
            let number = Mark::find(request.body()).map(Mark::number).unwrap();
            store.send(number).unwrap();
            async { Ok::<_, NoAnswer>(Answer::of(StatusCode::OK)) }
        };
        let path = "/mambu".parse().unwrap();
        let route = Route::new("mambu", path, Mambu::new(), DeliveryProfile::mambu(), Writer::Mambu);
        let began = Instant::now();
        let report = Storm::new([route], receiver).ledger(&ledger).events(events).heal(HEAL).run().await;
        (report, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_backlog_that_takes_longer_than_healing_is_waited_for() {
        let (report, took) = run(300, |_| false).await;
        assert!(report.is_happy() && report.accepted == 300, "{report}");
        assert!((300..302).contains(&took.as_secs()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_is_lost_after_the_time_for_healing_without_a_word() {
        let (report, took) = run(300, |number| number % 100 == 99).await;
        assert_eq!((report.lost, report.accepted), (3, 300), "{report}");
        assert!((297 + 60..297 + 62).contains(&took.as_secs()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_for_ever_comes_to_an_end() {
        let (report, took) = run(2 * 60 * u64::from(LONGEST), |_| false).await;
        assert!(report.lost > 0, "{report}");
        assert!((6000..6002).contains(&took.as_secs()), "{took:?}");
    }

    /// Who died holds its events for a while, longer than a ladder lasts whose waits are cut short.
    #[tokio::test(start_paused = true)]
    async fn what_is_held_for_longer_than_a_ladder_settles_while_it_heals() {
        for (held, unsettled) in [(Duration::from_secs(30), 0), (HEAL, 1)] {
            let (ledger, began) = (Ledger::new(), Instant::now());
            let seen = ledger.clone();
            let receiver = move |request: Request<Bytes>| {
                let number = Mark::find(request.body()).map(Mark::number);
                let is_held = number == Some(1) && began.elapsed() < held;
                if !is_held {
                    seen.called(number, Some(1)).done();
                }
                let status = if is_held { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
                async move { Ok::<_, NoAnswer>(Answer::of(status)) }
            };
            let path = "/mambu".parse().unwrap();
            let route = Route::new("mambu", path, Mambu::new(), DeliveryProfile::mambu(), Writer::Mambu);
            let storm = Storm::new([route], receiver).ledger(&ledger).events(2).heal(HEAL).compressed(1_000_000);
            let report = storm.run().await;
            assert_eq!((report.unsettled, report.accepted), (unsettled, 2 - unsettled), "{report}");
        }
    }
}
