//! How an inbox is opened: by several at once, in other versions, and where commits are not durable.

use tokio::task::JoinSet;
use tower_webhook::inbox::{Accepted, InboxErrorKind, InboxStore as _, PostgresInbox};

use super::server::Server;
use super::{at, event, opened, schema};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_who_begin_at_once_make_one_schema() {
    let server = Server::shared().await;
    let schema = schema();
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let schema = schema.clone();
        tasks.spawn(async move {
            let inbox = opened(server, &schema).await;
            inbox.accept(vec![event(number, None)], at(0)).await.unwrap()
        });
    }
    let accepted = tasks.join_all().await.concat();
    assert!(accepted.iter().all(|accepted| matches!(accepted, Accepted::Stored(_))), "{accepted:?}");
    let inbox = opened(server, &schema).await;
    assert_eq!(inbox.stats(at(0)).await.unwrap().ready, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_inboxes_of_one_database_know_nothing_of_each_other() {
    let server = Server::shared().await;
    let (one, other) = (opened(server, &schema()).await, opened(server, &schema()).await);
    one.accept(vec![event(1, Some("lane"))], at(0)).await.unwrap();
    assert_eq!(other.next_due().await.unwrap(), None);
    let again = other.accept(vec![event(1, Some("lane"))], at(0)).await.unwrap();
    assert!(matches!(again[..], [Accepted::Stored(_)]), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_unless_it_says_that_this_version_will_do() {
    let server = Server::shared().await;
    let schema = schema();
    drop(opened(server, &schema).await);
    let set = async |version: i32, needs: i32| {
        let text = format!("UPDATE {schema}.version SET version = {version}, needs = {needs}");
        server.client().await.batch_execute(&text).await.unwrap();
        PostgresInbox::setup().schema(&schema).connect(&server.url()).await
    };
    let newer = set(7, 1).await.unwrap();
    newer.accept(vec![event(1, None)], at(0)).await.unwrap();
    let refused = set(7, 6).await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::Unusable);
    assert!(refused.to_string().contains("its version is 7, which needs 6"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_are_not_durable_are_refused_by_name() {
    let server = Server::shared().await;
    let open = async |value: &str| {
        let url = format!("{}?options=-c%20synchronous_commit%3D{value}", server.url());
        PostgresInbox::setup().schema(schema()).connect(&url).await
    };
    let refused = open("off").await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::Unusable);
    assert!(refused.to_string().contains("synchronous_commit is off"), "{refused}");
    open("on").await.unwrap();
    let url = format!("{}?options=-c%20default_transaction_read_only%3Don", server.url());
    let refused = PostgresInbox::setup().schema(schema()).connect(&url).await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::Unavailable, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_addresses_that_are_none_are_refused_without_a_word_of_the_password() {
    let server = Server::shared().await;
    for name in ["", "Large", "a b", "a\"b", "a.b", &"a".repeat(41)] {
        let refused = PostgresInbox::setup().schema(name).connect(&server.url()).await.unwrap_err();
        assert_eq!(refused.kind(), InboxErrorKind::Unusable, "{name:?}");
    }
    for (url, kind) in [
        ("postgres://tester:hunter2@127.0.0.1:port/postgres", InboxErrorKind::Unusable),
        ("postgres://tester:hunter2@127.0.0.1:1/postgres", InboxErrorKind::Unavailable),
    ] {
        let refused = PostgresInbox::connect(url).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
    }
    let refused = PostgresInbox::connect(&server.url().replace("/postgres", "/nowhere")).await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::Unusable, "{refused}");
}
