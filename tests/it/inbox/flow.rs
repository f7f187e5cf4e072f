//! Trouble of some stops no others: a poisonous head, an hour without a handler, slow handlers, one hot lane among a hundred. All
//! under a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use tower_webhook::Receiver;
use tower_webhook::inbox::{Handed, Stored, StoredState, Verdict, Worker};
use tower_webhook::provider::aella::Event;
use tower_webhook::testing::TokioClock;

use super::Inbox;
use crate::deliveries::{aella, now, sealed};

/// Keys in the order in which they were done, each with its time.
#[derive(Clone)]
struct Done(Arc<Mutex<Vec<(String, Duration)>>>, Instant);

impl Done {
    fn new() -> Self {
        Self(Arc::default(), Instant::now())
    }

    fn note(&self, handed: &Handed) -> Verdict {
        let id = handed.event.readable_key.split_once('|').unwrap().1.to_owned();
        self.0.lock().unwrap().push((id, self.1.elapsed()));
        Verdict::Done
    }

    /// Those whose id begins so: how many, and when the last of them was done.
    fn of(&self, prefix: &str) -> (usize, Duration) {
        let done = self.0.lock().unwrap();
        let times: Vec<_> = done.iter().filter(|(id, _)| id.starts_with(prefix)).map(|(_, time)| *time).collect();
        (times.len(), times.into_iter().max().unwrap_or_default())
    }

    fn ids(&self, prefix: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(id, _)| id.clone()).filter(|id| id.starts_with(prefix)).collect()
    }
}

/// The lane is what stands before the dot of an id.
async fn send(inbox: &Inbox, clock: TokioClock, has_lanes: bool, ids: impl IntoIterator<Item = String>) {
    let receiver = Receiver::new("aella", aella()).clock(clock).inbox(inbox);
    let service = receiver.lane(move |event| {
        let Event::TransferCompleted(transfer) = event else { return None };
        has_lanes.then(|| transfer.id.split('.').next().unwrap_or_default().to_owned())
    });
    for id in ids {
        let body = format!(r#"{{"event":"transfer.completed","data":{{"id":"{id}","status":"Success","amount":1}}}}"#);
        assert_eq!(service.clone().oneshot(sealed(&aella(), body)).await.unwrap().status(), 200);
    }
}

fn named(prefix: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{prefix}.{number:03}"))
}

fn is_of(handed: &Handed, prefix: &str) -> bool {
    handed.event.readable_key.split_once('|').is_some_and(|(_, id)| id.starts_with(prefix))
}

fn states(all: &[Stored], state: StoredState) -> usize {
    all.iter().filter(|stored| stored.state == state).count()
}

#[tokio::test(start_paused = true)]
async fn a_poisonous_head_holds_nobody_up() {
    let (inbox, clock, done) = (Inbox::open().await, TokioClock::starting_at(now()), Done::new());
    send(&inbox, clock, false, named("poison", 1).chain(named("good", 50))).await;
    let seen = done.clone();
    let handler = move |handed: Handed| {
        let verdict = if is_of(&handed, "poison") { Verdict::retry("poison") } else { seen.note(&handed) };
        async move { verdict }
    };
    // One at a time, so that nothing could pass a head that waits.
    let worker = Worker::new(inbox.clone(), handler).clock(clock).concurrency(1).start();
    sleep(Duration::from_secs(60)).await;
    let (count, last) = done.of("good");
    println!("a poisonous head: the last of {count} others at {last:?}");
    assert!(count == 50 && last < Duration::from_secs(2), "{count} {last:?}");
    let all = inbox.all().await;
    assert!(all[0].state == StoredState::Ready && all[0].attempts > 2, "{:?}", all[0]);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_hour_without_a_handler_all_is_handled() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (inbox, clock, done) = (Inbox::open().await, TokioClock::starting_at(now()), Done::new());
    let (seen, began) = (done.clone(), Instant::now());
    let handler = move |handed: Handed| {
        let verdict = if began.elapsed() < HOUR { Verdict::retry("down") } else { seen.note(&handed) };
        async move { verdict }
    };
    let worker = Worker::new(inbox.clone(), handler).clock(clock).start();
    for minute in 0..60 {
        send(&inbox, clock, false, [format!("minute.{minute}")]).await;
        sleep(Duration::from_secs(60)).await;
    }
    send(&inbox, clock, false, named("fresh", 1)).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(done.of("fresh").0, 1, "what comes after it waits for nothing before it");
    sleep(HOUR).await;
    let all = inbox.all().await;
    let attempts = all.iter().map(|stored| stored.attempts).max().unwrap();
    let (count, last) = done.of("minute");
    println!(
        "an hour without a handler: {count} events, the last {:?} after it, {attempts} attempts at most",
        last - HOUR
    );
    assert_eq!((count, states(&all, StoredState::Done), states(&all, StoredState::Dead)), (60, 61, 0));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn slow_handlers_hold_others_up_only_when_they_take_every_place() {
    for (slow, longest) in [(15, Duration::from_secs(2)), (16, Duration::from_secs(102))] {
        let (inbox, clock, done) = (Inbox::open().await, TokioClock::starting_at(now()), Done::new());
        send(&inbox, clock, false, named("slow", slow).chain(named("quick", 100))).await;
        let seen = done.clone();
        let handler = move |handed: Handed| {
            let seen = seen.clone();
            async move {
                sleep(if is_of(&handed, "slow") { Duration::from_secs(100) } else { Duration::from_millis(10) }).await;
                seen.note(&handed)
            }
        };
        let worker = Worker::new(inbox.clone(), handler).clock(clock).concurrency(16).start();
        sleep(Duration::from_secs(150)).await;
        let (count, last) = done.of("quick");
        println!("{slow} slow handlers in 16 places: the last of {count} quick ones at {last:?}");
        assert!(count == 100 && last < longest, "{slow}: {count} {last:?}");
        assert_eq!(slow == 16, last > Duration::from_secs(100), "the control: where there is no place left, they wait");
        worker.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hot_lane_among_a_hundred_keeps_its_order_and_holds_nobody_up() {
    let (inbox, clock, done) = (Inbox::open().await, TokioClock::starting_at(now()), Done::new());
    let others = (0..99).flat_map(|lane| (0..2).map(move |number| format!("lane{lane:02}.{number}")));
    send(&inbox, clock, true, named("hot", 200).chain(others)).await;
    let seen = done.clone();
    let handler = move |handed: Handed| {
        let seen = seen.clone();
        async move {
            sleep(Duration::from_millis(100)).await;
            seen.note(&handed)
        }
    };
    let worker = Worker::new(inbox.clone(), handler).clock(clock).concurrency(16).start();
    sleep(Duration::from_secs(120)).await;
    let ((hot, hot_last), (count, last)) = (done.of("hot"), done.of("lane"));
    println!("one hot lane of {hot} at {hot_last:?}: the last of {count} others at {last:?}");
    assert_eq!(done.ids("hot"), named("hot", 200).collect::<Vec<_>>());
    // 198 of 100 ms each in 15 places are 1.4 s.
    assert!(count == 198 && last < Duration::from_secs(4), "{count} {last:?}");
    assert!(hot == 200 && hot_last >= Duration::from_secs(20), "one at a time: {hot} {hot_last:?}");
    worker.stop().await;
}
