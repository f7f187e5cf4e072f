//! Programs of two versions on one schema, and a schema that is brought up to date under those who use it.

use std::time::Duration;

use tokio::task::JoinSet;
use tower_webhook::inbox::{Filter, InboxErrorKind, InboxStore as _, PostgresInbox, StoredState};

use super::server::{PATIENCE, Server};
use super::version_1::Program;
use super::{at, event, lease, opened, schema};

/// The version, and the least that a program must know.
const NEWEST: (i32, i32) = (5, 1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_version_1_is_brought_up_to_date_once_with_all_that_is_in_it() {
    let (server, schema) = (Server::shared().await, schema());
    let old = Program::on(server, &schema).await;
    old.migrate().await;
    assert_eq!(old.understands().await, (1, 1));
    for number in 0..4 {
        old.accept(number, 0).await;
    }
    let held = old.lease(1, 3, 1).await;
    assert!(held.len() == 3 && old.complete(&held[0], 2).await);

    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let schema = schema.clone();
        tasks.spawn(async move { opened(server, &schema).await });
    }
    let inbox = tasks.join_all().await.remove(0);
    assert_eq!(old.understands().await, NEWEST);
    let stats = inbox.stats(at(3)).await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.done), (1, 2, 1), "{stats:?}");
    // What was held when it happened is still held, and what runs out of it is a suspect.
    assert!(old.complete(&held[1], 4).await);
    let later = lease(&inbox, 2, 9, 40).await;
    assert_eq!(
        later.iter().map(|held| (held.id.0, held.outcome_unknown)).collect::<Vec<_>>(),
        [(held[2].id, true), (4, false)]
    );
    assert!(!old.complete(&held[2], 41).await, "its lease is another's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_version_1_goes_on_beside_one_of_this_version() {
    let (server, schema) = (Server::shared().await, schema());
    let new = opened(server, &schema).await;
    let old = Program::on(server, &schema).await;
    assert_eq!(old.understands().await, NEWEST, "it needs no more than that program knows");
    for number in 0..4 {
        old.accept(number, 0).await;
        new.accept(vec![event(number + 10, None)], at(0)).await.unwrap();
    }
    // Of eight each takes others, and neither ends what is the other's.
    let (by_old, by_new) = (old.lease(1, 4, 1).await, lease(&new, 2, 9, 1).await);
    let mut ids: Vec<_> = by_old.iter().map(|held| held.id).chain(by_new.iter().map(|held| held.id.0)).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>());
    assert!(old.extend(&by_old[0], 10).await && old.complete(&by_old[0], 20).await);
    let _ = new.complete(&by_new[0], at(20)).await.unwrap();
    // The others' leases run out. This version takes one of them, and that one takes what there is.
    let suspect = lease(&new, 3, 9, 50).await;
    assert!(suspect.len() == 1 && suspect[0].outcome_unknown);
    let rest = old.lease(4, 9, 51).await;
    assert!(rest.len() == 5 && rest.iter().all(|held| held.outcome_unknown));
    let _ = new.retry(&suspect[0], at(52), "down", at(52)).await.unwrap();
    // What this version held as a suspect is none when that one has it.
    let again = old.lease(5, 1, 53).await;
    assert!(again[0].id == suspect[0].id.0 && !again[0].outcome_unknown);
    for held in rest.iter().chain(&again) {
        assert!(old.complete(held, 54).await);
    }
    let all = new.list(&Filter::default(), 20).await.unwrap();
    assert!(all.len() == 8 && all.iter().all(|stored| stored.state == StoredState::Done), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_bring_it_up_to_date_gives_up_soon_and_holds_up_nobody() {
    let (server, schema) = (Server::shared().await, schema());
    let old = Program::on(server, &schema).await;
    old.migrate().await;
    let reader = server.client().await;
    reader.batch_execute(&format!("BEGIN; SELECT count(*) FROM {schema}.turns")).await.unwrap();
    let open = || {
        let setup = PostgresInbox::setup().schema(&schema).deadline(Duration::from_millis(500));
        let url = server.url();
        async move { tokio::time::timeout(PATIENCE, setup.connect(&url)).await.expect("it gives up") }
    };
    let error = open().await.unwrap_err();
    assert!(error.kind() == InboxErrorKind::Unavailable && error.to_string().contains("lock timeout"), "{error}");
    // Nothing of it is there, and the program that is at work goes on.
    assert_eq!(old.understands().await, (1, 1));
    old.accept(1, 0).await;
    reader.batch_execute("COMMIT").await.unwrap();
    let inbox = open().await.unwrap();
    assert_eq!((old.understands().await, inbox.stats(at(1)).await.unwrap().ready), (NEWEST, 1));
}
