//! Rows that say nothing: each is set aside, and all others flow.

use std::time::Duration;

use tower_webhook::inbox::{EventId, Filter, InboxStore as _, LeaseToken, PostgresInbox, StoredState};

use super::server::Server;
use super::{LEASE, at, event, lease, schema};
use crate::subscriber::Log;

async fn opened(schema: &str) -> PostgresInbox {
    let setup = PostgresInbox::setup().schema(schema).pool(4).deadline(Duration::from_secs(2));
    setup.connect(&Server::shared().await.url()).await.unwrap()
}

fn dead() -> Filter {
    let mut filter = Filter::default();
    filter.state = Some(StoredState::Dead);
    filter
}

/// Of a lane the first two, and one more.
async fn accept_three(inbox: &PostgresInbox) {
    for (number, lane) in [(1, Some("one")), (2, Some("one")), (3, None)] {
        inbox.accept(vec![event(number, lane)], at(0)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_is_a_dead_letter_and_no_others_fault() {
    let update = |what: &str| format!("UPDATE inbox.events SET {what} WHERE id = 1");
    for (damage, why) in [
        (update("key = '\\x00'"), Some("its row cannot be read: a key of another length")),
        (update("fingerprint = ''"), Some("its row cannot be read: a key of another length")),
        (update("headers = '[\"rubbish\"]'"), Some("its row cannot be read: headers that are none")),
        ("DELETE FROM inbox.bodies WHERE id = 1".to_owned(), Some("its body is gone")),
        // The control.
        (update("key_id = 'sound'"), None),
    ] {
        let (schema, client) = (schema(), Server::shared().await.client().await);
        let inbox = opened(&schema).await;
        accept_three(&inbox).await;
        client.batch_execute(&damage.replace("inbox.", &format!("{schema}."))).await.unwrap();
        let (log, mut flowed) = (Log::capture(), Vec::new());
        for second in 1..4 {
            let held = inbox.lease(LeaseToken([1; 16]), 10, LEASE, at(second)).await;
            for held in held.unwrap_or_else(|error| panic!("{damage}: {error}")) {
                flowed.push(held.id.0);
                let _ = inbox.complete(&held, at(second)).await.unwrap();
            }
        }
        flowed.sort_unstable();
        assert_eq!(flowed, if why.is_some() { vec![2, 3] } else { vec![1, 2, 3] }, "{damage}");
        let dead = inbox.list(&dead(), 9).await.unwrap();
        assert_eq!(dead.iter().map(|dead| dead.id).collect::<Vec<_>>(), why.map_or(vec![], |_| vec![EventId(1)]));
        let reason = dead.first().and_then(|dead| dead.reason.as_deref());
        assert!(reason.unwrap_or_default().starts_with(why.unwrap_or_default()), "{damage}: {reason:?}");
        let lines = log.text();
        let told = format!("id=1 reason={:?}", reason.unwrap_or_default());
        assert_eq!(lines.contains("set aside") && lines.contains(&told), why.is_some(), "{damage}: {lines}");
        assert!(!lines.contains("event 1") && !lines.contains("rubbish"), "what it says is not told: {lines}");
    }
}

/// Its lane is somebody's, so that it cannot be set aside now: its lease ends by itself, and it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_set_aside_holds_up_no_other() {
    let (schema, client) = (schema(), Server::shared().await.client().await);
    let inbox = opened(&schema).await;
    accept_three(&inbox).await;
    client.batch_execute(&format!("DELETE FROM {schema}.bodies WHERE id = 1")).await.unwrap();
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock(lane) FROM {schema}.turns WHERE id = 1");
    client.batch_execute(&lock).await.unwrap();
    let held = lease(&inbox, 1, 10, 1).await;
    assert_eq!(held.iter().map(|held| held.id.0).collect::<Vec<_>>(), [3]);
    let _ = inbox.complete(&held[0], at(1)).await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    // The call that was given up may come to its end now or later. It sets the first aside, or who leases next does, and the next of
    // its lane follows.
    let next = async {
        let mut second = 0;
        loop {
            second += 40;
            let next = lease(&inbox, 2, 10, second).await;
            if !next.is_empty() {
                break next;
            }
        }
    };
    let next = tokio::time::timeout(Duration::from_secs(30), next).await.expect("the next of its lane follows");
    assert_eq!(next.iter().map(|held| held.id.0).collect::<Vec<_>>(), [2]);
    assert_eq!(inbox.list(&dead(), 9).await.unwrap().len(), 1);
}
