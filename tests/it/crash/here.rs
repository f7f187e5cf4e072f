//! Crashes of one delivery in this process: no child, no sockets, and leases that pass under a paused clock.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use tower_webhook::provider::aella;
use tower_webhook::testing::crash::{Point, arm_here};
use tower_webhook::testing::deliver;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{TRANSFER, aella};

/// What the sender is answered until it has its 2xx, the fences of the calls, and how long it took.
async fn until_taken(point: Option<Point>) -> (Vec<u16>, Vec<u64>, u64) {
    let fences: Arc<Mutex<Vec<u64>>> = Arc::default();
    let seen = Arc::clone(&fences);
    let app =
        Receiver::new("here", aella()).dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
            seen.lock().unwrap().push(event.fence().unwrap().get());
            async {}
        });
    let (start, armed) = (Instant::now(), point.map(arm_here));
    let mut answers = Vec::new();
    while answers.last() != Some(&200) {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        answers.push(deliver(&app, &aella(), "/", TRANSFER).await.unwrap().status().as_u16());
        answers.dedup();
        assert!(start.elapsed().as_secs() < 100, "{point:?}: {answers:?}");
    }
    assert_eq!(armed.map(|armed| armed.has_crashed()), point.map(|_| true));
    let fences = fences.lock().unwrap().clone();
    (answers, fences, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_ends_at_a_point_leaves_what_a_dead_process_leaves() {
    let whole = until_taken(None).await;
    assert_eq!((&whole.0[..], &whole.1[..]), (&[200][..], &[1][..]));
    for (point, answers, fences) in [
        (Point::Claimed, &[500, 503, 200][..], &[2][..]),
        (Point::Handled, &[500, 503, 200], &[1, 2]),
        (Point::Completed, &[500, 200], &[1]),
    ] {
        let came = until_taken(Some(point)).await;
        assert_eq!((&came.0[..], &came.1[..]), (answers, fences), "{point:?}");
        assert_eq!(came.2 >= 30, answers.contains(&503), "{point:?}: by the end of the lease: {came:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_point_is_counted_and_a_thread_is_armed_until_it_is_disarmed() {
    let app = Receiver::new("here", aella()).dangerous_without_dedupe().handle(|_: Received<aella::Event>| async {});
    let send = async || deliver(&app, &aella(), "/", TRANSFER).await.unwrap().status().as_u16();
    let third = arm_here(Point::Handled.nth(3));
    assert_eq!((send().await, send().await, third.has_crashed()), (200, 200, false));
    assert_eq!((send().await, third.has_crashed()), (500, true));
    assert_eq!(send().await, 200, "disarmed by its crash");
    drop(third);
    drop(arm_here(Point::Handled));
    assert_eq!(send().await, 200, "disarmed when dropped");
}
