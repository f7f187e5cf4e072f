//! Slow events of one receiver leave places to those of others.

use super::*;

fn of(receiver: &str, number: u8) -> NewEvent {
    NewEvent { receiver: receiver.to_owned(), ..event(number) }
}

/// Who was called in the first minute: 40 slow events of one receiver, and then ten quick ones of another, a second apart.
async fn called(at_most: Option<u32>) -> Log {
    let (store, log) = (Fake::default(), Log::new());
    accept(&store, (1..=40).map(|number| of("slow", number))).await;
    let seen = log.clone();
    let worker = worker(&store, &log, move |handed: Handed| {
        seen.call(&handed);
        async move {
            if handed.event.receiver == "slow" {
                seconds(100).await;
            }
        }
    });
    let running = match at_most {
        Some(events) => worker.at_most_per_receiver(events).start(),
        None => worker.start(),
    };
    for number in 101..=110 {
        seconds(1).await;
        accept(&store, [of("quick", number)]).await;
    }
    seconds(50).await;
    running.stop_within(Duration::ZERO).await;
    log
}

#[tokio::test(start_paused = true)]
async fn with_a_share_each_the_quick_are_handled_at_once() {
    let log = called(Some(12)).await;
    let (slow, quick): (Vec<_>, Vec<_>) = log.calls().into_iter().partition(|call| call.id <= 40);
    assert_eq!((slow.len(), quick.len()), (12, 10), "{slow:?} {quick:?}");
    assert!(slow.iter().all(|call| call.attempt == 1 && call.fence == 1), "nothing is leased in vain: {slow:?}");
    for (call, second) in quick.iter().zip(1..) {
        assert!(call.at < Duration::from_millis(second * 1000 + 10), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_one_the_slow_take_all_places() {
    let ids = called(None).await.ids();
    assert!(ids.len() == 16 && ids.iter().all(|id| *id <= 40), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn whose_share_is_used_up_goes_on_when_one_of_its_own_has_ended() {
    let (store, log) = (Fake::default(), Log::new());
    accept(&store, (1..=9).map(|number| of("slow", number))).await;
    let seen = log.clone();
    let running = worker(&store, &log, move |handed: Handed| {
        seen.call(&handed);
        async { seconds(10).await }
    })
    .at_most_per_receiver(3)
    .start();
    seconds(35).await;
    running.stop().await;
    let at: Vec<_> = log.calls().iter().map(|call| call.at.as_secs()).collect();
    assert_eq!(at, [0, 0, 0, 10, 10, 10, 20, 20, 20]);
}
