//! Who waits in another process is woken, also after the connection on which it hears was lost.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tower_webhook::inbox::{InboxStore as _, PostgresInbox};

use super::server::{PATIENCE, Server};
use super::{at, event, opened, schema};

/// Whether the other is woken by an event of this number soon.
async fn wakes(one: &PostgresInbox, other: &PostgresInbox, number: u64) -> bool {
    while timeout(Duration::from_millis(200), other.woken()).await.is_ok() {}
    one.accept(vec![event(number, None)], at(0)).await.unwrap();
    timeout(Duration::from_millis(900), other.woken()).await.is_ok()
}

/// Whether it is, some time.
async fn wakes_at_last(one: &PostgresInbox, other: &PostgresInbox, first: u64) -> bool {
    let end = Instant::now() + PATIENCE;
    let mut numbers = first..;
    while Instant::now() < end {
        if wakes(one, other, numbers.next().unwrap()).await {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_hears_of_an_event_and_hears_again_when_it_was_cut_off() {
    let server = Server::shared().await;
    let schema = schema();
    let (one, other) = (opened(server, &schema).await, opened(server, &schema).await);
    let stranger = opened(server, &super::schema()).await;
    assert!(wakes_at_last(&one, &other, 0).await);
    while timeout(Duration::from_millis(200), stranger.woken()).await.is_ok() {}
    assert!(wakes_at_last(&one, &other, 1000).await);
    assert!(timeout(Duration::from_millis(100), stranger.woken()).await.is_err(), "of another inbox nothing is heard");

    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'LISTEN \"tower_webhook_{schema}\"'"
    );
    let count: i64 = server.client().await.query_one(&cut, &[]).await.unwrap().get(0);
    assert_eq!(count, 2, "both listen");
    sleep(Duration::from_millis(1500)).await;
    assert!(wakes_at_last(&one, &other, 2000).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_told_often_enough_and_no_oftener() {
    let server = Server::shared().await;
    let schema = schema();
    let inbox = opened(server, &schema).await;
    let (client, mut connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    let (words, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(word)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(word) = word {
                let _ = words.send(word.payload().to_owned());
            }
        }
    });
    client.batch_execute(&format!("LISTEN tower_webhook_{schema}")).await.unwrap();
    let begin = Instant::now();
    for number in 0..200 {
        inbox.accept(vec![event(number, None)], at(0)).await.unwrap();
    }
    let passed = begin.elapsed();
    sleep(Duration::from_millis(300)).await;
    let mut count: u128 = 0;
    while heard.try_recv().is_ok() {
        count += 1;
    }
    let most = passed.as_millis() / 50 + 2;
    assert!(count >= 1 && count <= most, "{count} words in {passed:?}");
}
