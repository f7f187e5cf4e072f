//! Leases go by the database's clock, whatever a host's clock says.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::inbox::{Accepted, Ended, InboxStore as _, LeaseToken, PostgresInbox};

use super::server::{PATIENCE, Server};
use super::{LEASE, event, schema};

fn now() -> Timestamp {
    SystemClock.now().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_whose_clocks_differ_agree_on_leases() {
    let server = Server::shared().await;
    let schema = schema();
    let hour = Duration::from_secs(3600);
    let open = || PostgresInbox::setup().schema(&schema);
    let right = open().connect(&server.url()).await.unwrap();
    let fast = open().clock(move || now().checked_add(hour).ok()).connect(&server.url()).await.unwrap();
    let slow = open().clock(move || now().checked_sub(hour).ok()).connect(&server.url()).await.unwrap();
    let second = Duration::from_secs(1);

    // The fast one's event is due for the slow one now, not in two hours.
    fast.accept(vec![event(1, None)], now() + hour).await.unwrap();
    let held = slow.lease(LeaseToken([1; 16]), 10, LEASE, now() - hour + second).await.unwrap();
    assert_eq!(held.len(), 1);
    let until = now() - hour + LEASE;
    assert!(held[0].until > until && held[0].until < until + 20 * second, "by the slow one's clock: {held:?}");
    // The fast one does not take it away as if the lease had ended an hour ago, and takes it when it has.
    assert!(fast.lease(LeaseToken([2; 16]), 10, LEASE, now() + hour).await.unwrap().is_empty());
    assert!(right.lease(LeaseToken([3; 16]), 10, LEASE, now() + LEASE / 2).await.unwrap().is_empty());
    let again = fast.lease(LeaseToken([2; 16]), 10, LEASE, now() + hour + LEASE + second).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(slow.complete(&held[0], now() - hour).await.unwrap(), Ended::Lost);

    let due = fast.next_due().await.unwrap().unwrap();
    let difference = due.duration_since(right.next_due().await.unwrap().unwrap()).as_secs();
    assert!((3599..=3601).contains(&difference), "each is told in its own time: {difference}");
    assert_eq!(fast.complete(&again[0], now() + hour).await.unwrap(), Ended::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_whose_comparison_took_too_long_are_compared_again_soon() {
    let (server, schema) = (Server::shared().await, schema());
    let hour = Duration::from_secs(3600);
    let looks = AtomicU32::new(0);
    // Of the first comparison the answer takes a second.
    let fast = move || {
        let way = Duration::from_secs(u64::from(looks.fetch_add(1, Ordering::Relaxed) == 1));
        now().checked_add(hour + way).ok()
    };
    let inbox = PostgresInbox::setup().schema(&schema).clock(fast).connect(&server.url()).await.unwrap();
    let (client, newest) = (server.client().await, format!("SELECT max(due) FROM {schema}.turns WHERE id = $1"));
    let begin = Instant::now();
    for number in 0.. {
        let accepted = inbox.accept(vec![event(number, None)], now() + hour).await.unwrap();
        let [Accepted::Stored(id)] = accepted[..] else { panic!("{accepted:?}") };
        let due: i64 = client.query_one(&newest, &[&id.0]).await.unwrap().get(0);
        if due < (now() + hour / 2).as_microsecond() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE / 3, "nobody compares them again");
        sleep(Duration::from_millis(50)).await;
    }
}
