//! The server is killed and its backends are ended under load: what was acknowledged is there, and nothing is held twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::inbox::{
    Accepted, Ended, EventId, Filter, InboxErrorKind, InboxStore as _, LeaseToken, PostgresInbox, StoredState,
};

use super::server::{PATIENCE, Server};
use super::{event, schema};

/// What was promised and what was done, as those outside of the server saw it.
#[derive(Default)]
struct Ledger {
    /// Acknowledged numbers.
    accepted: Mutex<BTreeSet<u64>>,
    /// How often an event was completed, by the answer that it was done.
    completed: Mutex<BTreeMap<EventId, u32>>,
    /// Fences seen of each event.
    fences: Mutex<BTreeMap<EventId, Vec<u64>>>,
    /// Lanes that are held now, by what.
    held: Mutex<BTreeMap<String, EventId>>,
    is_over: AtomicBool,
    failed: AtomicU64,
}

fn now() -> Timestamp {
    SystemClock.now().unwrap()
}

/// Long, so that none runs out in this test: what is held twice is then a fault.
const LEASE: Duration = Duration::from_secs(600);

/// Sends until each is acknowledged, as a sender does.
async fn receiver(inbox: PostgresInbox, ledger: Arc<Ledger>, first: u64) {
    for number in first..first + 1000 {
        if ledger.is_over.load(Ordering::SeqCst) {
            return;
        }
        loop {
            let lane = format!("lane {}", number % 7);
            let new = event(number, (number % 2 == 0).then_some(lane.as_str()));
            match inbox.accept(vec![new], now()).await {
                Ok(accepted) => {
                    assert!(!matches!(accepted[..], [Accepted::Quarantined(_)]), "{accepted:?}");
                    ledger.accepted.lock().unwrap().insert(number);
                    break;
                }
                Err(error) => {
                    assert_eq!(error.kind(), InboxErrorKind::Unavailable, "{error}");
                    ledger.failed.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

async fn worker(inbox: PostgresInbox, ledger: Arc<Ledger>, token: u8) {
    while !ledger.is_over.load(Ordering::SeqCst) {
        let Ok(leased) = inbox.lease(LeaseToken([token; 16]), 5, LEASE, now()).await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        for held in &leased {
            let mut fences = ledger.fences.lock().unwrap();
            let fences = fences.entry(held.id).or_default();
            assert!(fences.iter().all(|fence| *fence < held.fence), "a fence went back: {held:?}");
            fences.push(held.fence);
            if let Some(lane) = &held.event.lane {
                let other = ledger.held.lock().unwrap().insert(lane.clone(), held.id);
                assert!(other.is_none_or(|other| other == held.id), "{lane} is held twice: {other:?} and {held:?}");
            }
        }
        for held in leased {
            // Whoever completes and hears nothing asks again.
            if let Some(lane) = &held.event.lane {
                ledger.held.lock().unwrap().remove(lane);
            }
            loop {
                match inbox.complete(&held, now()).await {
                    Ok(Ended::Done) => {
                        *ledger.completed.lock().unwrap().entry(held.id).or_default() += 1;
                        break;
                    }
                    Ok(_) => break,
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Receivers and workers on two inboxes, while something is done to the server.
async fn under_load(server: &mut Server, harm: impl AsyncFnOnce(&mut Server)) {
    let schema = schema();
    let open = || PostgresInbox::setup().schema(&schema).pool(4).deadline(Duration::from_secs(3));
    let (one, other) = (open().connect(&server.url()).await.unwrap(), open().connect(&server.url()).await.unwrap());
    let ledger = Arc::new(Ledger::default());
    let mut tasks = JoinSet::new();
    for number in 0..4_u8 {
        let inbox = if number % 2 == 0 { &one } else { &other };
        tasks.spawn(receiver(inbox.clone(), Arc::clone(&ledger), u64::from(number) * 100_000));
        tasks.spawn(worker(inbox.clone(), Arc::clone(&ledger), number + 1));
    }
    sleep(Duration::from_millis(500)).await;
    harm(server).await;
    let enough = async {
        while ledger.accepted.lock().unwrap().len() <= 50 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, enough).await.expect("it goes on when the harm is over");
    sleep(Duration::from_millis(500)).await;
    ledger.is_over.store(true, Ordering::SeqCst);
    tasks.join_all().await;

    assert!(ledger.failed.load(Ordering::SeqCst) > 0, "something was in the way");
    let accepted = ledger.accepted.lock().unwrap().clone();
    let all = one.list(&Filter::default(), 100_000).await.unwrap();
    let there = all.iter().map(|stored| stored.key.clone()).collect::<BTreeSet<_>>();
    assert_eq!(there.len(), all.len(), "each is there once");
    for number in &accepted {
        assert!(there.contains(&format!("key-{number}")), "{number} was acknowledged and is lost");
    }
    let completed = ledger.completed.lock().unwrap().clone();
    assert!(completed.values().all(|count| *count == 1), "{completed:?}");
    for stored in &all {
        // What was leased by a call whose answer was lost waits for the end of that lease.
        let is_done = stored.state == StoredState::Done;
        assert!(is_done || !completed.contains_key(&stored.id), "{stored:?} was done and is not");
        assert!(is_done || stored.attempts <= 1, "{stored:?}");
    }
    let fences = ledger.fences.lock().unwrap().clone();
    assert!(fences.values().all(|fences| fences.len() == 1), "no lease ran out, and none was given twice");
    // What is left is handled after its lease.
    let later = now() + LEASE + LEASE;
    loop {
        let rest = one.lease(LeaseToken([99; 16]), 100, LEASE, later).await.unwrap();
        if rest.is_empty() {
            break;
        }
        for held in rest {
            assert_eq!(one.complete(&held, later).await.unwrap(), Ended::Done);
        }
    }
    let stats = one.stats(later).await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.done), (0, 0, all.len() as u64), "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    let mut server = Server::start();
    under_load(&mut server, async |server| {
        for _ in 0..2 {
            server.kill();
            sleep(Duration::from_millis(100)).await;
            server.restart();
            sleep(Duration::from_millis(400)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_that_are_ended_lose_nothing_that_was_acknowledged() {
    let mut server = Server::start();
    under_load(&mut server, async |server| {
        let admin = server.client().await;
        for _ in 0..20 {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                       AND backend_type = 'client backend'";
            admin.query(end, &[]).await.unwrap();
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
