//! What is to be replayed is looked for first: who has held it since is not disturbed. And what a history says of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_webhook::inbox::{EventId, Filter, InboxStore as _, LanePolicy, PostgresInbox, StoredState};

use super::server::{PATIENCE, Server};
use super::{at, event, lease, opened, schema};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handled_since_it_was_looked_for_is_not_due_again() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    inbox.accept(vec![event(1, None)], at(0)).await.unwrap();
    let seen = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.park(&seen, "nobody knows it", at(2)).await.unwrap();
    let parked = Filter::default();
    assert_eq!(inbox.replay(&parked, 1, false, "ann", at(3)).await.unwrap().replayed, 1);
    let handled = lease(&inbox, 2, 1, 4).await.remove(0);
    let _ = inbox.complete(&handled, at(5)).await.unwrap();

    let client = server.client().await;
    let text = format!("SELECT {schema}.again_5($1, $2, 'bob', $3, $3)");
    let again = async |fence: u64| -> i64 {
        let (ids, fences) = (vec![seen.id.0], vec![i64::try_from(fence).unwrap()]);
        client.query_one(&text, &[&ids, &fences, &at(6).as_microsecond()]).await.unwrap().get(0)
    };
    assert_eq!(again(seen.fence).await, 0, "it was parked when it was looked for, and is done by now");
    assert_eq!(inbox.list(&parked, 9).await.unwrap()[0].state, StoredState::Done);
    assert_eq!(again(handled.fence).await, 1);
    assert_eq!(inbox.list(&parked, 9).await.unwrap()[0].state, StoredState::Ready);
}

/// What happened, and at which second.
async fn history(inbox: &PostgresInbox, id: i64) -> Vec<(i64, String)> {
    let steps = inbox.show(EventId(id)).await.unwrap().unwrap().steps;
    steps.into_iter().map(|(when, what, _)| (when.as_second() - at(0).as_second(), what)).collect()
}

fn told(steps: &[(i64, &str)]) -> Vec<(i64, String)> {
    steps.iter().map(|(when, what)| (*when, (*what).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_has_each_end_in_its_place_whatever_came_after_it() {
    let inbox = opened(Server::shared().await, &schema()).await;
    inbox.accept(vec![event(1, None)], at(0)).await.unwrap();
    let held = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.complete(&held, at(10)).await.unwrap();
    assert_eq!(history(&inbox, 1).await, told(&[(0, "accepted"), (10, "done")]));
    assert_eq!(inbox.replay(&Filter::default(), 9, false, "ann", at(20)).await.unwrap().replayed, 1);
    let replayed = [(0, "accepted"), (10, "done"), (20, "replayed")];
    assert_eq!(history(&inbox, 1).await, told(&replayed));
    // Its holder is not heard of again.
    assert_eq!(lease(&inbox, 1, 1, 21).await.len(), 1);
    let held = lease(&inbox, 2, 1, 60).await.remove(0);
    let _ = inbox.complete(&held, at(61)).await.unwrap();
    assert_eq!(inbox.erase("key-1", at(70)).await.unwrap(), 1);
    let after = [(60, "lease ended"), (61, "done"), (70, "erased")];
    assert_eq!(history(&inbox, 1).await, told(&[&replayed[..], &after].concat()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_before_it_was_handled_is_never_said_to_be_done() {
    let inbox = opened(Server::shared().await, &schema()).await;
    inbox.accept(vec![event(1, None), event(2, None)], at(0)).await.unwrap();
    let held = lease(&inbox, 1, 1, 7).await.remove(0);
    let _ = inbox.bury(&held, "down", LanePolicy::SkipAndFlag, at(8)).await.unwrap();
    for number in [1, 2] {
        assert_eq!(inbox.erase(&format!("key-{number}"), at(9)).await.unwrap(), 1);
    }
    let steps = [(0, "accepted"), (8, "dead after attempt 1"), (9, "erased")];
    assert_eq!(history(&inbox, 1).await, told(&steps));
    assert_eq!(history(&inbox, 2).await, told(&[(0, "accepted"), (9, "erased")]));
}

/// Retention drops the body alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_body_any_more_is_erased_too() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    let secret = "Jane-Doe-GB33BUKB20201555555555";
    let mut given = event(1, Some(secret));
    given.headers = vec![("content-type".to_owned(), secret.to_owned())];
    inbox.accept(vec![given], at(0)).await.unwrap();
    let held = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.retry(&held, at(2), secret, at(1)).await.unwrap();
    let held = lease(&inbox, 1, 1, 2).await.remove(0);
    let _ = inbox.complete(&held, at(3)).await.unwrap();
    assert_eq!(inbox.purge(at(4), at(4)).await.unwrap(), (1, 0));
    assert_eq!(inbox.erase("key-1", at(5)).await.unwrap(), 1);
    assert_eq!(inbox.erase("key-1", at(6)).await.unwrap(), 0);
    let text = format!(
        "SELECT e::text || t::text || coalesce((SELECT string_agg(s::text, ' ') FROM {schema}.steps s), '') \
         FROM {schema}.events e JOIN {schema}.turns t ON t.id = e.id"
    );
    let all: String = server.client().await.query_one(&text, &[]).await.unwrap().get(0);
    assert!(!all.contains(secret), "{all}");
}

/// Each is the next one's turn as soon as the one before is erased.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_key_and_one_lane_all_are_erased_however_many() {
    let inbox = opened(Server::shared().await, &schema()).await;
    for number in 1..=70 {
        let mut given = event(number, Some("one"));
        given.readable_key = "shared".to_owned();
        inbox.accept(vec![given], at(0)).await.unwrap();
    }
    inbox.accept(vec![event(100, Some("one"))], at(0)).await.unwrap();
    assert_eq!(inbox.erase("shared", at(1)).await.unwrap(), 70);
    let held = lease(&inbox, 1, 9, 2).await;
    assert_eq!(held.iter().map(|held| held.event.readable_key.as_str()).collect::<Vec<_>>(), ["key-100"]);
    assert_eq!(inbox.erase("shared", at(3)).await.unwrap(), 0);
}

/// Two events that were handled, the first of them a dead letter.
async fn dead_and_done(inbox: &PostgresInbox) -> [i64; 2] {
    inbox.accept(vec![event(1, None)], at(0)).await.unwrap();
    let held = lease(inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.bury(&held, "down", LanePolicy::SkipAndFlag, at(2)).await.unwrap();
    inbox.accept(vec![event(2, None)], at(3)).await.unwrap();
    let done = lease(inbox, 1, 1, 4).await.remove(0);
    let _ = inbox.complete(&done, at(10)).await.unwrap();
    [held.id.0, done.id.0]
}

/// Until a replay waits for somebody else.
async fn until_it_waits(server: &Server, schema: &str) {
    let (client, begin) = (server.client().await, Instant::now());
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0";
    while client.query(waits, &[&format!("\"{schema}\".again")]).await.unwrap().is_empty() {
        assert!(begin.elapsed() < PATIENCE);
        sleep(Duration::from_millis(5)).await;
    }
}

/// Whoever has the first of them and wants the second as well gets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replayed_is_locked_in_the_order_in_which_others_lock_it() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    let [first, second] = dead_and_done(&inbox).await;
    let other = server.client().await;
    let lock = |id: i64| format!("SELECT 1 FROM {schema}.turns WHERE id = {id} FOR UPDATE");
    other.batch_execute(&format!("BEGIN; {}", lock(first))).await.unwrap();
    let both = async {
        until_it_waits(server, &schema).await;
        other.batch_execute(&format!("SET LOCAL lock_timeout = 300; {}; COMMIT", lock(second))).await.unwrap();
    };
    let filter = Filter::default();
    let (replayed, ()) = tokio::join!(inbox.replay(&filter, 9, false, "ann", at(20)), both);
    assert_eq!(replayed.unwrap().replayed, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_loses_its_body_while_it_is_to_be_replayed_is_done_once_in_its_history() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    let [_, done] = dead_and_done(&inbox).await;
    let other = server.client().await;
    let drop = format!("BEGIN; SELECT {schema}.drop_bodies_1(0, {}, 9)", at(1000).as_microsecond());
    other.batch_execute(&drop).await.unwrap();
    let committed = async {
        until_it_waits(server, &schema).await;
        other.batch_execute("COMMIT").await.unwrap();
    };
    let filter = Filter::default();
    let (replayed, ()) = tokio::join!(inbox.replay(&filter, 9, false, "ann", at(20)), committed);
    assert_eq!(replayed.unwrap().replayed, 1, "the dead letter, which has its body");
    assert_eq!(history(&inbox, done).await, told(&[(3, "accepted"), (10, "done")]));
}
