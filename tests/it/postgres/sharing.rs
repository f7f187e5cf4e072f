//! Receivers that are passed over.

use tower_webhook::inbox::{InboxStore as _, LeaseToken, NewEvent};

use super::server::Server;
use super::{LEASE, at, event, opened, schema};

#[tokio::test]
async fn what_is_of_a_receiver_that_is_passed_over_waits_and_the_rest_does_not() {
    let inbox = opened(Server::shared().await, &schema()).await;
    let receivers = ["a", "a, \"b\\", "b", "b"];
    let of = |(number, receiver): (u64, &str)| {
        let mut event: NewEvent = event(number, None);
        event.receiver = receiver.to_owned();
        event
    };
    inbox.accept((1..).zip(receivers).map(of).collect(), at(0)).await.unwrap();
    let but_of = async |names: &[&str], token, most| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let held = inbox.lease_but_of(&names, LeaseToken([token; 16]), most, LEASE, at(1)).await.unwrap();
        held.into_iter().map(|held| held.event.receiver).collect::<Vec<_>>()
    };
    assert_eq!(but_of(&["a", receivers[1]], 1, 1).await, ["b"], "no more than are asked for");
    assert_eq!(but_of(&["a", "b"], 2, 9).await, [receivers[1]], "names are whole names");
    assert_eq!(but_of(&["a"], 3, 9).await, ["b"]);
    assert!(but_of(&["a"], 4, 9).await.is_empty());
    assert_eq!(but_of(&["c"], 5, 9).await, ["a"]);
}
