//! A quota that is reached: nothing more is stored, and nothing by halves, until there is room again to speak of.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_webhook::inbox::{Accepted, Filter, InboxError, InboxErrorKind, InboxStore as _, PostgresInbox, Quota};

use super::server::{PATIENCE, Server};
use super::{at, event, lease, opened, schema};

fn quota(set: impl FnOnce(&mut Quota)) -> Quota {
    let mut quota = Quota::default();
    set(&mut quota);
    quota
}

async fn opened_with(schema: &str, quota: Quota) -> PostgresInbox {
    let server = Server::shared().await;
    PostgresInbox::setup().schema(schema).pool(2).quota(quota).connect(&server.url()).await.unwrap()
}

async fn accept(inbox: &PostgresInbox, numbers: &[u64]) -> Result<Vec<Accepted>, InboxError> {
    inbox.accept(numbers.iter().map(|number| event(*number, None)).collect(), at(0)).await
}

/// New events are offered, from this number on, until the inbox is full.
async fn until_full(inbox: &PostgresInbox, first: u64) {
    let begin = Instant::now();
    for number in first.. {
        match accept(inbox, &[number]).await {
            Ok(_) => assert!(begin.elapsed() < PATIENCE, "it does not get full"),
            Err(error) => return assert_eq!(error.kind(), InboxErrorKind::Full, "{error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn count(inbox: &PostgresInbox) -> usize {
    inbox.list(&Filter::default(), 10_000).await.unwrap().len()
}

/// So many that are not done become so many.
async fn handle(inbox: &PostgresInbox, left: usize) {
    while count_open(inbox).await > left {
        let held = lease(inbox, 1, 1, 1).await.remove(0);
        let _ = inbox.complete(&held, at(2)).await.unwrap();
    }
}

async fn count_open(inbox: &PostgresInbox) -> usize {
    let stats = inbox.stats(at(1)).await.unwrap();
    usize::try_from(stats.ready + stats.running).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_a_quota_of_rows_nothing_is_stored_until_four_fifths_of_it_are_left() {
    let schema = schema();
    let free = opened(Server::shared().await, &schema).await;
    accept(&free, &(0..10).collect::<Vec<_>>()).await.unwrap();
    let inbox = opened_with(&schema, quota(|quota| quota.rows = 10)).await;
    until_full(&inbox, 100).await;

    let before = count(&free).await;
    for numbers in [&[0, 500][..], &[500, 0], &[500]] {
        let error = accept(&inbox, numbers).await.unwrap_err();
        assert_eq!(error.kind(), InboxErrorKind::Full, "{numbers:?}: {error}");
    }
    assert_eq!(count(&free).await, before, "nothing of a delivery that is refused is stored");
    let known = accept(&inbox, &[0, 1]).await.unwrap();
    assert!(known.iter().all(|known| matches!(known, Accepted::Duplicate(_))), "a full inbox knows what it has");

    // Nine are less than the quota, and not yet four fifths of it. It looks every second.
    handle(&free, 9).await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(2500) {
        assert!(accept(&inbox, &[600]).await.is_err(), "it is full until there is room again to speak of");
        sleep(Duration::from_millis(50)).await;
    }
    handle(&free, 8).await;
    let begin = Instant::now();
    while let Err(error) = accept(&inbox, &[700, 701]).await {
        assert!(begin.elapsed() < PATIENCE, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count_open(&free).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_a_quota_of_bytes_nothing_is_stored() {
    let schema = schema();
    // Empty tables with their indexes have more than that.
    let inbox = opened_with(&schema, quota(|quota| quota.bytes = 20_000)).await;
    until_full(&inbox, 0).await;
    let before = count(&inbox).await;
    assert_eq!(accept(&inbox, &[5000, 5001]).await.unwrap_err().kind(), InboxErrorKind::Full);
    assert_eq!(count(&inbox).await, before);
    // The same inbox for who may have more of it.
    let larger = opened_with(&schema, quota(|quota| quota.bytes = 20_000_000)).await;
    let stored = accept(&larger, &[5000, 5001]).await.unwrap();
    assert!(matches!(stored[..], [Accepted::Stored(_), Accepted::Stored(_)]), "{stored:?}");
}

/// Less than a fifth of it is not even one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_of_few_rows_is_full_until_there_is_room_and_no_longer() {
    for rows in [1, 4] {
        let schema = schema();
        let free = opened(Server::shared().await, &schema).await;
        accept(&free, &(0..rows).collect::<Vec<_>>()).await.unwrap();
        let inbox = opened_with(&schema, quota(|quota| quota.rows = rows)).await;
        until_full(&inbox, 100).await;
        handle(&free, usize::try_from(rows).unwrap()).await;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(2500) {
            assert!(inbox.check().await.is_err() && accept(&inbox, &[600]).await.is_err(), "{rows}");
            sleep(Duration::from_millis(20)).await;
        }
        handle(&free, usize::try_from(rows).unwrap() - 1).await;
        let begin = Instant::now();
        while let Err(error) = accept(&inbox, &[700]).await {
            assert!(begin.elapsed() < PATIENCE, "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// They are counted up to a hundred thousand of a kind. Of more the server's estimate is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_to_be_counted_counts_all_the_same() {
    let schema = schema();
    let free = opened(Server::shared().await, &schema).await;
    let fill = format!(
        "INSERT INTO {schema}.turns (id, state, due, until, token) \
         SELECT 10000000 + n, CASE WHEN n <= 140000 THEN 3 WHEN n <= 160000 THEN 4 ELSE 1 END, CASE WHEN n > 160000 THEN 9 END, 9, '' \
         FROM generate_series(1, 280000) AS n; ANALYZE {schema}.turns"
    );
    Server::shared().await.client().await.batch_execute(&fill).await.unwrap();
    let stats = free.stats(at(1)).await.unwrap();
    let is_near = |number: u64, true_one: u64| number.abs_diff(true_one) < 5_000;
    assert!(is_near(stats.dead, 140_000) && is_near(stats.running, 120_000), "{stats:?}");
    assert_eq!((stats.parked, stats.quarantined), (20_000, 0), "what is few is counted");
    let inbox = opened_with(&schema, quota(|quota| quota.rows = 250_000)).await;
    until_full(&inbox, 1_000_000).await;
    let larger = opened_with(&schema, quota(|quota| quota.rows = 400_000)).await;
    assert!(accept(&larger, &[2_000_000]).await.is_ok());
}

/// Who is held is due as well, by the same index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_is_too_much_to_be_counted_nothing_counts_twice() {
    let schema = schema();
    let inbox = opened(Server::shared().await, &schema).await;
    let fill = format!(
        "INSERT INTO {schema}.turns (id, state, due, until, token) \
         SELECT 10000000 + n, CASE WHEN n <= 120000 THEN 0 ELSE 1 END, 9, 9, '' FROM generate_series(1, 240000) AS n; \
         ANALYZE {schema}.turns"
    );
    Server::shared().await.client().await.batch_execute(&fill).await.unwrap();
    let stats = inbox.stats(at(1)).await.unwrap();
    let is_near = |number: u64| number.abs_diff(120_000) < 5_000;
    assert!(is_near(stats.ready) && is_near(stats.running), "{stats:?}");
}
