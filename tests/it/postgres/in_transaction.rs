//! An effect in the inbox's database is there once and with the end of its event, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use tower_webhook::Receiver;
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::inbox::{
    Backoff, Ended, Filter, Handed, InboxStore as _, LeaseToken, PostgresInbox, PostgresTransaction, StoredState,
    Verdict, Worker, tokio_postgres,
};

use super::server::{PATIENCE, Server};
use super::{LEASE, event, opened, schema};
use crate::deliveries::{TRANSFER, aella, sealed};

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

/// Aella's transfer, accepted by its receiver.
async fn received(inbox: &PostgresInbox) {
    let receiver = Receiver::new("aella-ng", aella()).inbox(inbox);
    assert_eq!(receiver.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
}

/// Until nothing is left to be handled: the state of the only event, and its attempts.
async fn handled(inbox: &PostgresInbox) -> (StoredState, u32) {
    let begin = Instant::now();
    loop {
        let all = inbox.list(&Filter::default(), 10).await.unwrap();
        if !matches!(all[0].state, StoredState::Ready | StoredState::Running) {
            return (all[0].state, all[0].attempts);
        }
        assert!(begin.elapsed() < PATIENCE, "{all:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_effect_is_there_once_with_the_end_of_its_event() {
    let (server, schema) = (Server::shared().await, schema());
    let (inbox, postings) = (opened(server, &schema).await, Postings::new(server, &schema).await);
    received(&inbox).await;
    let table = postings.table.clone();
    let handler = inbox.in_transaction_of(aella(), move |to, event| {
        let text = format!("INSERT INTO {table} VALUES ($1, $2)");
        Box::pin(async move {
            let attempt = event.delivery().attempt().map_or(0, |attempt| i32::try_from(attempt.get()).unwrap());
            to.execute(&text, &[&event.delivery().key().to_string(), &attempt]).await.unwrap();
            // What is not done is undone.
            if attempt == 1 { Verdict::retry("not yet") } else { Verdict::Done }
        })
    });
    let backoff = Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(1));
    let worker = Worker::new(inbox.clone(), handler).retry(backoff).start();
    assert_eq!(handled(&inbox).await, (StoredState::Done, 2));
    worker.stop().await;
    let rows = postings.rows().await;
    assert!(rows.len() == 1 && rows[0].0.starts_with("transfer.completed|") && rows[0].1 == 2, "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_effect_whose_lease_is_lost_meanwhile_is_not_there() {
    let (server, schema) = (Server::shared().await, schema());
    let (inbox, postings) = (opened(server, &schema).await, Postings::new(server, &schema).await);
    received(&inbox).await;
    let (table, other) = (postings.table.clone(), inbox.clone());
    let handler = inbox.in_transaction_of(aella(), move |to, event| {
        let (text, other) = (format!("INSERT INTO {table} VALUES ($1, 1)"), other.clone());
        Box::pin(async move {
            to.execute(&text, &[&event.delivery().key().to_string()]).await.unwrap();
            let later = SystemClock.now().unwrap() + Duration::from_secs(3600);
            let taken = other.lease(LeaseToken([9; 16]), 1, LEASE, later).await.unwrap();
            assert_eq!(other.complete(&taken[0], later).await.unwrap(), Ended::Done);
        })
    });
    let worker = Worker::new(inbox.clone(), handler).start();
    assert_eq!(handled(&inbox).await, (StoredState::Done, 2));
    worker.stop().await;
    assert_eq!(postings.rows().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_none_of_its_provider_is_handed_to_no_typed_effect() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    inbox.accept(vec![event(1, None)], SystemClock.now().unwrap()).await.unwrap();
    let handler = inbox.in_transaction_of(aella(), |_, event| {
        Box::pin(async move { Verdict::dead(format!("{} was handed over", event.delivery().key())) })
    });
    let worker = Worker::new(inbox.clone(), handler).start();
    assert_eq!(handled(&inbox).await, (StoredState::Dead, 1));
    worker.stop().await;
    let reason = inbox.list(&Filter::default(), 1).await.unwrap().remove(0).reason.unwrap();
    assert!(reason.contains("cannot be decoded"), "{reason}");
}

/// They have connections of their own, and no more than they may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn effects_that_are_slow_keep_nobody_from_storing_and_renewing() {
    const POOL: usize = 2;
    let setup = PostgresInbox::setup().schema(schema()).pool(POOL).deadline(Duration::from_secs(2));
    let inbox = setup.connect(&Server::shared().await.url()).await.unwrap();
    let now = SystemClock.now().unwrap();
    inbox.accept((0..6).map(|number| event(number, None)).collect(), now).await.unwrap();
    let held = inbox.lease(LeaseToken([9; 16]), 1, LEASE, now).await.unwrap().remove(0);
    let (open, opening) = watch::channel(false);
    let begun = Arc::new(AtomicUsize::new(0));
    let so_many = Arc::clone(&begun);
    let handler = inbox.in_transaction(move |_, _| {
        let (mut opening, so_many) = (opening.clone(), Arc::clone(&so_many));
        Box::pin(async move {
            so_many.fetch_add(1, Ordering::SeqCst);
            opening.wait_for(|is_open| *is_open).await.map(drop)
        })
    });
    let backoff = Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(1));
    let worker = Worker::new(inbox.clone(), handler.limit(PATIENCE)).retry(backoff).start();
    let begin = Instant::now();
    while begun.load(Ordering::SeqCst) < POOL {
        assert!(begin.elapsed() < PATIENCE);
        sleep(Duration::from_millis(5)).await;
    }
    for number in 10..13 {
        inbox.accept(vec![event(number, None)], now).await.unwrap();
        assert_eq!(inbox.extend(&held, LEASE, now).await.unwrap(), Ended::Done);
    }
    assert_eq!(begun.load(Ordering::SeqCst), POOL);
    open.send(true).unwrap();
    assert_eq!(inbox.complete(&held, now).await.unwrap(), Ended::Done);
    while inbox.stats(now).await.unwrap().done < 9 {
        assert!(begin.elapsed() < PATIENCE, "{:?}", inbox.list(&Filter::default(), 10).await);
        sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await;
}

/// Its limit is its own, however soon a call of the inbox is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_of_an_effect_may_take_as_long_as_the_effect() {
    let setup = PostgresInbox::setup().schema(schema()).deadline(Duration::from_secs(1));
    let inbox = setup.connect(&Server::shared().await.url()).await.unwrap();
    inbox.accept(vec![event(1, None)], SystemClock.now().unwrap()).await.unwrap();
    let handler = inbox.in_transaction(|to, _| Box::pin(async move { to.batch_execute("SELECT pg_sleep(2.5)").await }));
    let backoff = Backoff::default().base(Duration::from_millis(1)).cap(Duration::from_millis(1)).attempts(2);
    let worker = Worker::new(inbox.clone(), handler.limit(PATIENCE)).retry(backoff).start();
    assert_eq!(handled(&inbox).await, (StoredState::Done, 1));
    worker.stop().await;
}

/// Who waits for a connection waits as long as the effects before it may take, and uses up no attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_waits_for_a_connection_for_as_long_as_those_before_it_may_take() {
    let setup = PostgresInbox::setup().schema(schema()).pool(2).deadline(Duration::from_secs(1));
    let inbox = setup.connect(&Server::shared().await.url()).await.unwrap();
    let now = SystemClock.now().unwrap();
    for number in 1..=16 {
        inbox.accept(vec![event(number, None)], now).await.unwrap();
    }
    let handler = inbox.in_transaction(|to, _| Box::pin(async move { to.batch_execute("SELECT pg_sleep(0.4)").await }));
    let worker = Worker::new(inbox.clone(), handler.limit(PATIENCE)).retry(Backoff::default().attempts(1)).start();
    let done = async {
        loop {
            let stats = inbox.stats(SystemClock.now().unwrap()).await.unwrap();
            if stats.ready + stats.running == 0 {
                return (stats.done, stats.dead);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, done).await.unwrap(), (16, 0));
    worker.stop().await;
}
