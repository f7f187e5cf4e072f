//! A sender that hangs up, and a drain.

use std::time::Duration;

use tokio_test::{assert_pending, task};
use tower::{Service as _, ServiceExt as _};
use tower_webhook::Receiver;
use tower_webhook::delivery::Drain;

use super::Inbox;
use crate::deliveries::{TRANSFER, aella, now, sealed};
use crate::hang_up::Stopped;

#[tokio::test(start_paused = true)]
async fn what_has_begun_is_stored_though_nobody_waits_for_it() {
    for is_dropped in [true, false] {
        let (inbox, drain) = (Inbox::open().await, Drain::new());
        let mut service = Receiver::new("aella", aella()).clock(now()).drain(&drain).inbox(&inbox);
        let mut answer = task::spawn(service.call(sealed(&aella(), TRANSFER)));
        assert_pending!(answer.poll());
        if is_dropped {
            drop(answer);
            drain.finish_within(Duration::from_secs(20)).await.unwrap();
            assert_eq!(inbox.all().await.len(), 1);
        } else {
            let left = drain.finish_within(Duration::ZERO).await.unwrap_err();
            assert_eq!(left.count(), 1, "it is in hand as long as its answer waits");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_takes_nothing_new() {
    let (inbox, drain) = (Inbox::open().await, Drain::new());
    let service = Receiver::new("aella", aella()).clock(now()).drain(&drain).inbox(&inbox);
    for (status, stored) in [(200, 1), (503, 1)] {
        let response = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
        assert_eq!((response.status().as_u16(), inbox.all().await.len()), (status, stored));
        drain.begin();
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_not_over_before_what_was_let_in_is_stored() {
    let (inbox, stopped) = (Inbox::open().await, Stopped::default());
    let receiver = Receiver::new("aella", aella()).clock(now()).drain(&stopped.drain).observer(stopped.clone());
    let answer = receiver.inbox(&inbox).oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!((answer.status().as_u16(), stopped.looks()), (200, (1, 0)));
    stopped.drain.finish_within(Duration::ZERO).await.unwrap();
    assert_eq!(inbox.all().await.len(), 1);
}
