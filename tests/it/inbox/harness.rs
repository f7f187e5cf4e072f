//! The harness for users behind a worker: it says nothing of what is stored and handled, and the right words of what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::sleep;
use tower_webhook::Receiver;
use tower_webhook::inbox::{
    Backoff, Filter, Handed, InboxHandler, InboxStore as _, SqliteInbox, StoredState, Verdict, Worker,
};
use tower_webhook::provider::aella::Aella;
use tower_webhook::sender::Broken;
use tower_webhook::testing::harness::Watched;
use tower_webhook::testing::{Harness, StillInbox, TokioClock, events, forge};

use super::Place;
use crate::deliveries::{aella, now};
use crate::support::Log;

const HOUR: Duration = Duration::from_hours(1);

type Inbox = StillInbox<SqliteInbox>;

/// A receiver in front of an inbox, and a worker behind it that is not yet started.
struct House {
    harness: Harness,
    inbox: Inbox,
    clock: TokioClock,
    _place: Place,
}

impl House {
    async fn new() -> Self {
        Self::of(|receiver| receiver).await
    }

    async fn of(change: fn(Receiver<Aella>) -> Receiver<Aella>) -> Self {
        let (clock, place) = (TokioClock::starting_at(now()), Place::new());
        let inbox = StillInbox::of(SqliteInbox::open(&place.0)).await.unwrap();
        let receiver = change(Receiver::new("aella", aella()).clock(clock)).inbox(&inbox);
        let harness = Harness::start(receiver).provider("/", aella()).clock(clock);
        Self { harness, inbox, clock, _place: place }
    }

    fn worker<H: InboxHandler>(&self, handler: H) -> Worker<Inbox, H> {
        let retry = Backoff::default().attempts(4);
        Worker::new(self.inbox.clone(), handler).clock(self.clock).retry(retry)
    }

    fn watched<H: InboxHandler>(&self, handler: H) -> Worker<Inbox, Watched<H>> {
        self.harness.watched(self.worker(handler))
    }
}

/// By the event's number: the first is done, the second fails once, the third always, and the fourth is nobody's.
async fn handle(handed: Handed) -> Verdict {
    match (handed.id.0, handed.attempt) {
        (2, 1) | (3, _) => Verdict::retry("the books are closed"),
        (4, _) => Verdict::park("whose is it?"),
        _ => Verdict::Done,
    }
}

fn transfer(number: u64) -> events::aella::Transfer {
    events::aella::transfer().number(number)
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_is_handled_dead_or_parked_and_asserted_so() {
    let house = House::new().await;
    let (harness, inbox) = (&house.harness, &house.inbox);
    // Answered before there is anybody to handle it.
    let first = harness.send("/", transfer(1)).await.accepted().not_handled();
    let running = house.watched(handle).start();
    let [second, repeat] = harness.send_twice("/", transfer(2)).await;
    let (third, fourth) = (harness.send("/", transfer(3)).await, harness.send("/", transfer(4)).await);
    harness.forge("/", transfer(5), forge::flipped_bit()).await.refused(401);

    let stats = harness.settled(inbox, HOUR).await;
    assert_eq!((stats.done, stats.dead, stats.parked), (2, 1, 1));
    first.accepted().handled_once();
    assert_eq!(second.accepted().handled_once().calls() + repeat.replayed().calls(), 2);
    assert_eq!(third.accepted().dead_letter("closed").calls(), 4);
    assert_eq!(fourth.accepted().parked("whose").calls(), 1);

    // Replayed it is not dead any more, and then it is again.
    let mut dead = Filter::default();
    dead.state = Some(StoredState::Dead);
    assert_eq!(inbox.replay(&dead, 1, false, "a test", now()).await.unwrap().replayed, 1);
    assert_eq!(harness.settled(inbox, HOUR).await.dead, 1);
    running.stop().await;
    let kept = house.harness.verify().unwrap();
    assert_eq!((kept.tally.events, kept.tally.accepted, kept.forgeries), (5, 4, 1), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_goes_through_the_inbox() {
    let house = House::new().await;
    let running = house.watched(|handed: Handed| async move {
        if handed.attempt == 1 && handed.id.0 % 7 == 0 { Verdict::retry("at first") } else { Verdict::Done }
    });
    let running = running.start();
    let report = house.harness.storm(100, "duplicates=0.2,bad=0.1".parse().unwrap(), 7).await;
    assert!(report.accepted == 100 && report.called_again > 5 && report.refused > 3, "{report}");
    running.stop().await;
    house.harness.verify().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_becomes_a_dead_letter_and_nobody_expects_it_is_lost() {
    for (verdict, words) in [
        (Verdict::dead("no such account"), "accepted, and never handled: a dead letter, no such account"),
        (Verdict::park("whose is it?"), "accepted, and never handled: parked, whose is it?"),
    ] {
        let house = House::new().await;
        let running = house
            .watched(move |_: Handed| {
                let verdict = verdict.clone();
                async { verdict }
            })
            .start();
        house.harness.send("/", transfer(1)).await.accepted();
        house.harness.settled(&house.inbox, HOUR).await;
        running.stop().await;
        let broken = house.harness.verify().unwrap_err();
        assert_eq!(broken.count(Broken::Lost), 1, "{broken}");
        assert!(broken.lines()[0].ends_with(words), "{broken}");
    }
}

/// Nobody looks on, or nobody is there.
#[tokio::test(start_paused = true)]
async fn what_no_watched_worker_handles_is_lost() {
    for is_there in [true, false] {
        let house = House::new().await;
        let running = is_there.then(|| house.worker(|_: Handed| async {}).start());
        house.harness.send("/", transfer(1)).await.accepted();
        if is_there {
            assert_eq!(house.harness.settled(&house.inbox, HOUR).await.done, 1);
        } else {
            let settled = AssertUnwindSafe(house.harness.settled(&house.inbox, HOUR)).catch_unwind().await;
            let words = settled.unwrap_err().downcast_ref::<String>().unwrap().clone();
            assert!(
                words.starts_with("the inbox had to be settled within 3600s, and is not: Stats { ready: 1"),
                "{words}"
            );
        }
        drop(running);
        let broken = house.harness.verify().unwrap_err();
        assert_eq!(broken.count(Broken::Lost), 1, "{broken}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_stores_what_is_forged_is_caught_by_its_handler() {
    let house = House::of(Receiver::dangerous_skip_verification).await;
    let running = house.watched(|_: Handed| async {}).start();
    house.harness.forge("/", transfer(1), forge::flipped_bit()).await;
    house.harness.settled(&house.inbox, HOUR).await;
    running.stop().await;
    let broken = house.harness.verify().unwrap_err();
    assert_eq!((broken.count(Broken::WronglyAccepted), broken.count(Broken::Lost)), (1, 0), "{broken}");
}

#[tokio::test(start_paused = true)]
async fn a_test_that_expects_the_wrong_end_fails() {
    let house = House::new().await;
    let running = house.watched(|_: Handed| async {}).start();
    let sent = house.harness.send("/", transfer(1)).await.accepted();
    house.harness.settled(&house.inbox, HOUR).await;
    let panic = catch_unwind(AssertUnwindSafe(|| sent.dead_letter("closed"))).unwrap_err();
    let words = panic.downcast_ref::<String>().unwrap();
    assert!(words.contains(r#"had to be a dead letter, "closed", and it is Some(Done)"#), "{words}");
    running.stop().await;
    house.harness.verify().unwrap();
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_pile_up_are_one_error_in_the_log_and_few_are_none() {
    for (may_be, errors) in [(1, 1), (2, 0)] {
        let (log, house) = (Log::capture(), House::new().await);
        let running = house.watched(|_: Handed| async { Verdict::dead("never") }).dead_letters(may_be).start();
        let sent = house.harness.send("/", transfer(1)).await;
        house.harness.settled(&house.inbox, HOUR).await;
        sleep(Duration::from_secs(300)).await;
        running.stop().await;
        let text = log.text();
        let found = text.lines().filter(|line| line.contains("dead letters pile up")).collect::<Vec<_>>();
        assert_eq!(found.len(), errors, "{text}");
        assert!(found.iter().all(|line| line.starts_with("ERROR") && line.contains("dead=1 quota=1")), "{text}");
        sent.accepted().dead_letter("never");
    }
}
