//! A database whose transactions are stricter than ours by default.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};
use tower_webhook::inbox::{Ended, InboxStore as _, PostgresInbox};

use super::server::{PATIENCE, Server};
use super::{at, event, lease, schema};

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How many wait for a lane.
async fn waiting(client: &Client) -> i64 {
    let text = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.query_one(text, &[]).await.unwrap().get(0)
}

/// One ends the lane's head and another accepts behind it, and both wait for the lane.
async fn goes_on(url: &str) {
    let schema = schema();
    let inbox = PostgresInbox::setup().schema(&schema).pool(4).connect(url).await.unwrap();
    inbox.accept(vec![event(1, Some("lane"))], at(0)).await.unwrap();
    let held = lease(&inbox, 1, 1, 1).await.remove(0);

    let client = client(url).await;
    let lock = format!("SELECT pg_advisory_xact_lock(lane) FROM {schema}.turns WHERE id = {}", held.id.0);
    client.batch_execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {lock}")).await.unwrap();
    let other = inbox.clone();
    let accepting = tokio::spawn(async move { other.accept(vec![event(2, Some("lane"))], at(2)).await });
    let other = inbox.clone();
    let ending = tokio::spawn(async move { other.complete(&held, at(2)).await });
    let begin = Instant::now();
    while waiting(&client).await < 2 {
        assert!(begin.elapsed() < PATIENCE, "they do not wait");
        sleep(Duration::from_millis(10)).await;
    }
    client.batch_execute("COMMIT").await.unwrap();
    accepting.await.unwrap().unwrap();
    assert_eq!(ending.await.unwrap().unwrap(), Ended::Done);
    let next: Vec<_> = lease(&inbox, 2, 9, 3).await.iter().map(|held| held.event.readable_key.clone()).collect();
    assert_eq!(next, ["key-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_goes_on_where_transactions_are_repeatable_by_default() {
    let server = Server::shared().await;
    let admin = server.client().await;
    admin.batch_execute("CREATE DATABASE strict").await.unwrap();
    for level in ["repeatable read", "serializable"] {
        let set = format!("ALTER DATABASE strict SET default_transaction_isolation = '{level}'");
        admin.batch_execute(&set).await.unwrap();
        goes_on(&server.url().replace("/postgres", "/strict")).await;
    }
}

/// The twin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_goes_on_where_two_wait_for_it() {
    goes_on(&Server::shared().await.url()).await;
}
