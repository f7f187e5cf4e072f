//! What is to be replayed is looked for first: who has held it since is not disturbed. And what is erased.

use tower_webhook::inbox::{Filter, InboxStore as _, StoredState};

use super::server::Server;
use super::{at, event, lease, opened, schema};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handled_since_it_was_looked_for_is_not_due_again() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    inbox.accept(vec![event(1, None)], at(0)).await.unwrap();
    let seen = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.park(&seen, "nobody knows it", at(2)).await.unwrap();
    let parked = Filter::default();
    assert_eq!(inbox.replay(&parked, 1, false, "ann", at(3)).await.unwrap().replayed, 1);
    let handled = lease(&inbox, 2, 1, 4).await.remove(0);
    let _ = inbox.complete(&handled, at(5)).await.unwrap();

    let client = server.client().await;
    let text = format!("SELECT {schema}.again_2($1, $2, 'bob', $3, $3)");
    let again = async |fence: u64| -> i64 {
        let (ids, fences) = (vec![seen.id.0], vec![i64::try_from(fence).unwrap()]);
        client.query_one(&text, &[&ids, &fences, &at(6).as_microsecond()]).await.unwrap().get(0)
    };
    assert_eq!(again(seen.fence).await, 0, "it was parked when it was looked for, and is done by now");
    assert_eq!(inbox.list(&parked, 9).await.unwrap()[0].state, StoredState::Done);
    assert_eq!(again(handled.fence).await, 1);
    assert_eq!(inbox.list(&parked, 9).await.unwrap()[0].state, StoredState::Ready);
}

/// Retention drops the body alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_body_any_more_is_erased_too() {
    let (server, schema) = (Server::shared().await, schema());
    let inbox = opened(server, &schema).await;
    let secret = "Jane-Doe-GB33BUKB20201555555555";
    let mut given = event(1, Some(secret));
    given.headers = vec![("content-type".to_owned(), secret.to_owned())];
    inbox.accept(vec![given], at(0)).await.unwrap();
    let held = lease(&inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.retry(&held, at(2), secret, at(1)).await.unwrap();
    let held = lease(&inbox, 1, 1, 2).await.remove(0);
    let _ = inbox.complete(&held, at(3)).await.unwrap();
    assert_eq!(inbox.purge(at(4), at(4)).await.unwrap(), (1, 0));
    assert_eq!(inbox.erase("key-1", at(5)).await.unwrap(), 1);
    assert_eq!(inbox.erase("key-1", at(6)).await.unwrap(), 0);
    let text = format!(
        "SELECT e::text || t::text || coalesce((SELECT string_agg(s::text, ' ') FROM {schema}.steps s), '') \
         FROM {schema}.events e JOIN {schema}.turns t ON t.id = e.id"
    );
    let all: String = server.client().await.query_one(&text, &[]).await.unwrap().get(0);
    assert!(!all.contains(secret), "{all}");
}
