//! Dead letters that pile up are told of, once for each time.

use super::super::Verdict;
use super::*;
use crate::observe::{About, Fact, Observer};

/// What was told, and when in seconds.
#[derive(Clone)]
struct Told(Instant, Arc<Mutex<Vec<(u64, u64, u64)>>>);

impl Observer for Told {
    fn observe(&self, fact: &Fact<'_>, _: &About<'_>) {
        if let Fact::DeadLettersPile { dead, quota } = fact {
            self.1.lock().unwrap().push((self.0.elapsed().as_secs(), *dead, *quota));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn four_fifths_of_what_may_be_are_told_of_once_until_there_are_fewer() {
    let (store, log, told) = (Fake::default(), Log::new(), Told(Instant::now(), Arc::default()));
    let seen = || told.1.lock().unwrap().clone();
    let running = worker(&store, &log, |_: Handed| async { Verdict::dead("never") })
        .dead_letters(5)
        .observer(told.clone())
        .start();
    accept_all(&store, 1..=3).await;
    seconds(600).await;
    assert_eq!(seen(), [], "three of five are few");
    accept_all(&store, [4]).await;
    seconds(61).await;
    let first = (660, 4, 5);
    assert_eq!(seen(), [first]);
    accept_all(&store, [5, 6]).await;
    seconds(600).await;
    assert_eq!(seen(), [first], "it is known");
    (4..=6).for_each(|id| store.done(id));
    // A store that is away says nothing of either.
    seconds(61).await;
    store.away(true);
    seconds(300).await;
    store.away(false);
    accept_all(&store, [7]).await;
    seconds(61).await;
    let all = seen();
    assert_eq!((all.len(), all[1].1, all[1].2), (2, 4, 5), "{all:?}");
    running.stop().await;
}
