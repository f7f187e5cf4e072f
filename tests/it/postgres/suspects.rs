//! Which of those that were in hand ended the process nobody knows: they go on one by one, in whichever process.

use tokio::task::JoinSet;
use tower_webhook::inbox::{EventId, InboxStore as _, LanePolicy, LeaseToken, Leased, PostgresInbox};

use super::server::Server;
use super::{LEASE, at, event, lease, opened, schema};

/// So many were leased together at this second, by a process that was not heard of again.
const IN_HAND: u64 = 10;
/// The first second at which their leases have run out.
const OVER: i64 = 31;

async fn ten_in_hand(schema: &str) -> PostgresInbox {
    let inbox = opened(Server::shared().await, schema).await;
    for number in 0..IN_HAND {
        inbox.accept(vec![event(number, None)], at(0)).await.unwrap();
    }
    assert_eq!(lease(&inbox, 1, 16, 1).await.len(), 10);
    inbox
}

async fn lease_one(inbox: &PostgresInbox, token: u8, second: i64) -> Leased {
    let mut held = lease(inbox, token, 16, second).await;
    assert_eq!(held.len(), 1, "{held:?}");
    held.remove(0)
}

fn is_unknown(held: &[Leased]) -> Vec<bool> {
    held.iter().map(|held| held.outcome_unknown).collect()
}

/// The first kills its process whenever it is handled, and is a dead letter behind its third attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kills_its_process_takes_its_own_attempts_and_no_others() {
    let inbox = ten_in_hand(&schema()).await;
    let (mut deaths, mut second) = (1, OVER);
    loop {
        for held in lease(&inbox, 2, 16, second).await {
            match held.event.readable_key.as_str() {
                // And whatever is in hand with it is not ended either.
                "key-0" if held.attempt <= 3 => {
                    deaths += 1;
                    second += 30;
                    break;
                }
                _ if held.attempt > 3 => {
                    let _ = inbox.bury(&held, "used up", LanePolicy::SkipAndFlag, at(second)).await.unwrap();
                }
                _ => {
                    let _ = inbox.complete(&held, at(second)).await.unwrap();
                }
            }
        }
        second += 1;
        let stats = inbox.stats(at(second)).await.unwrap();
        if stats.ready + stats.running == 0 {
            assert_eq!((stats.dead, stats.done, deaths), (1, 9, 3), "{stats:?}");
            return;
        }
        assert!(second < 300, "it does not end: {stats:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspects_are_leased_one_at_a_time_and_others_beside_them() {
    let schema = schema();
    let inbox = ten_in_hand(&schema).await;
    let other = opened(Server::shared().await, &schema).await;
    inbox.accept(vec![event(20, None)], at(2)).await.unwrap();
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(2)));
    let held = lease(&inbox, 2, 16, OVER).await;
    assert_eq!(is_unknown(&held), [true, false]);
    assert_eq!(held[1].event.readable_key, "key-20");
    // Nor by another process.
    assert!(lease(&other, 3, 16, OVER).await.is_empty());
    assert_eq!(other.next_due().await.unwrap(), Some(at(OVER + 30)), "until the suspect's lease ends none is due");
    assert_eq!(inbox.stats(at(OVER + 10)).await.unwrap().oldest_age, 10.0, "the others wait all the same");
    // A lease that is extended keeps the others waiting for longer.
    let _ = inbox.extend(&held[0], LEASE, at(OVER + 20)).await.unwrap();
    assert!(lease(&other, 3, 16, OVER + 40).await.is_empty());
    let _ = inbox.complete(&held[0], at(OVER + 41)).await.unwrap();
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(OVER)));
    let next = lease_one(&other, 3, OVER + 42).await;
    assert!(next.outcome_unknown && next.id != held[0].id);
}

/// However many ask at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_lease_at_once_one_gets_a_suspect() {
    let schema = schema();
    let inbox = ten_in_hand(&schema).await;
    let mut handles = vec![inbox.clone()];
    for _ in 0..3 {
        handles.push(opened(Server::shared().await, &schema).await);
    }
    for round in 0..IN_HAND {
        let mut tasks = JoinSet::new();
        for token in 0..12_u8 {
            let handle = handles[usize::from(token) % handles.len()].clone();
            tasks.spawn(async move { handle.lease(LeaseToken([token; 16]), 4, LEASE, at(OVER)).await.unwrap() });
        }
        let held = tasks.join_all().await.concat();
        assert_eq!(is_unknown(&held), [true], "round {round}: {held:?}");
        let _ = inbox.complete(&held[0], at(OVER)).await.unwrap();
    }
    assert_eq!(inbox.stats(at(OVER)).await.unwrap().done, IN_HAND);
}

/// A place for one: who waits takes no place of others, and is not left behind by them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_that_waits_hides_nobody_and_is_hidden_by_nobody() {
    let inbox = ten_in_hand(&schema()).await;
    for number in [20, 21] {
        inbox.accept(vec![event(number, None)], at(OVER + 1)).await.unwrap();
    }
    let mut keys = Vec::new();
    for token in 2..5 {
        let mut held = lease(&inbox, token, 1, OVER + 2).await;
        keys.push((held[0].outcome_unknown, held.remove(0).event.readable_key));
    }
    assert_eq!(keys[1..], [(false, "key-20".to_owned()), (false, "key-21".to_owned())]);
    assert!(keys[0].0, "{keys:?}");
    assert!(lease(&inbox, 5, 1, OVER + 2).await.is_empty());
    assert!(inbox.lease(LeaseToken([6; 16]), 0, LEASE, at(OVER + 99)).await.unwrap().is_empty(), "none was asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_a_suspects_lease_takes_the_suspicion_away() {
    let inbox = ten_in_hand(&schema()).await;
    let failed = lease_one(&inbox, 2, OVER).await;
    let _ = inbox.retry(&failed, at(OVER + 5), "down", at(OVER)).await.unwrap();
    let given_back = lease_one(&inbox, 3, OVER + 1).await;
    let _ = inbox.release(&given_back, at(OVER + 1)).await.unwrap();
    let held = lease(&inbox, 4, 16, OVER + 5).await;
    assert_eq!(is_unknown(&held), [true, false, false]);
    let ids = |held: &[Leased]| held.iter().map(|held| held.id).collect::<Vec<EventId>>();
    assert_eq!(ids(&held)[1..], [given_back.id, failed.id]);
    // Those that are none keep no suspect waiting.
    let _ = inbox.complete(&held[0], at(OVER + 6)).await.unwrap();
    assert!(lease_one(&inbox, 5, OVER + 7).await.outcome_unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_suspect_keeps_no_other_waiting() {
    let inbox = ten_in_hand(&schema()).await;
    let held = lease_one(&inbox, 2, OVER).await;
    assert!(lease(&inbox, 3, 16, OVER).await.is_empty());
    assert_eq!(inbox.erase(&held.event.readable_key, at(OVER)).await.unwrap(), 1);
    assert!(lease_one(&inbox, 3, OVER).await.outcome_unknown);
}
