//! An effect in the inbox's database is there once and with the end of its event, or not at all.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::inbox::{
    Backoff, Ended, Filter, Handed, InboxStore as _, LeaseToken, PostgresTransaction, StoredState, Verdict, Worker,
    tokio_postgres,
};

use super::server::{PATIENCE, Server};
use super::{LEASE, event, opened, schema};

async fn post(to: &PostgresTransaction<'_>, table: &str, handed: &Handed) -> Result<(), tokio_postgres::Error> {
    let text = format!("INSERT INTO {table} VALUES ($1, $2)");
    let attempt = i32::try_from(handed.attempt).unwrap();
    to.execute(&text, &[&handed.event.readable_key, &attempt]).await.map(drop)
}

/// The table of the effects, and what is in it.
struct Postings {
    client: tokio_postgres::Client,
    table: String,
}

impl Postings {
    async fn new(server: &Server, schema: &str) -> Self {
        let (client, table) = (server.client().await, format!("postings_{schema}"));
        client.batch_execute(&format!("CREATE TABLE {table} (key text, attempt integer)")).await.unwrap();
        Self { client, table }
    }

    async fn rows(&self) -> Vec<(String, i32)> {
        let text = format!("SELECT key, attempt FROM {} ORDER BY key", self.table);
        self.client.query(&text, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_panics_or_takes_too_long_is_undone_and_what_is_done_is_there_once() {
    let (server, schema) = (Server::shared().await, schema());
    let (inbox, postings) = (opened(server, &schema).await, Postings::new(server, &schema).await);
    let now = SystemClock.now().unwrap();
    inbox.accept(vec![event(1, Some("lane")), event(2, Some("lane")), event(3, None)], now).await.unwrap();
    let table = postings.table.clone();
    let handler = inbox.in_transaction(move |to, handed| {
        let table = table.clone();
        Box::pin(async move {
            if let Err(error) = post(to, &table, handed).await {
                return Verdict::retry(error.to_string());
            }
            match handed.attempt {
                1 => Verdict::retry("not yet"),
                2 => panic!("a handler that panics"),
                3 => {
                    to.batch_execute("SELECT pg_sleep(60)").await.unwrap();
                    Verdict::Done
                }
                // An error that is passed over aborts the transaction all the same.
                4 => {
                    to.batch_execute("SELECT 1 / 0").await.unwrap_err();
                    Verdict::Done
                }
                _ => Verdict::Done,
            }
        })
    });
    let backoff = Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(1));
    let worker = Worker::new(inbox.clone(), handler.limit(Duration::from_millis(500))).retry(backoff).start();
    let begin = Instant::now();
    while inbox.stats(now).await.unwrap().done < 3 {
        assert!(begin.elapsed() < PATIENCE, "{:?}", inbox.list(&Filter::default(), 10).await);
        sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await;
    let all = [("key-1".to_owned(), 5), ("key-2".to_owned(), 5), ("key-3".to_owned(), 5)];
    assert_eq!(postings.rows().await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_the_lease_meanwhile_leaves_no_effect() {
    let (server, schema) = (Server::shared().await, schema());
    let (inbox, postings) = (opened(server, &schema).await, Postings::new(server, &schema).await);
    let now = SystemClock.now().unwrap();
    inbox.accept(vec![event(1, None)], now).await.unwrap();
    let (table, other) = (postings.table.clone(), inbox.clone());
    let handler = inbox.in_transaction(move |to, handed| {
        let (table, other) = (table.clone(), other.clone());
        Box::pin(async move {
            post(to, &table, handed).await.unwrap();
            let later = handed.now().unwrap() + Duration::from_secs(3600);
            let taken = other.lease(LeaseToken([9; 16]), 1, LEASE, later).await.unwrap();
            assert_eq!(other.complete(&taken[0], later).await.unwrap(), Ended::Done);
        })
    });
    let worker = Worker::new(inbox.clone(), handler).start();
    let begin = Instant::now();
    while inbox.stats(now).await.unwrap().done < 1 {
        assert!(begin.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await;
    assert_eq!(postings.rows().await, []);
    let all = inbox.list(&Filter::default(), 10).await.unwrap();
    assert_eq!((all[0].state, all[0].attempts), (StoredState::Done, 2));
}
