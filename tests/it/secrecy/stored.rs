//! What is kept beside an event for people: the reason of its end, which a handler has written.

use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;
use tower::ServiceExt as _;
use tower_webhook::Receiver;
use tower_webhook::inbox::{Filter, Handed, InboxStore as _, SqliteInbox, StoredState, Verdict, Worker};

use super::{MASKED, QUOTE, leaks};
use crate::deliveries::{aella, sealed};
use crate::support::Log;

fn body(id: &str) -> String {
    format!(r#"{{"event":"transfer.completed","data":{{"id":"{id}","status":"Success","amount":1}}}}"#)
}

/// Longer than what is kept, with a number where it is cut.
fn long() -> String {
    format!("{} {QUOTE}", "word ".repeat(95))
}

#[tokio::test]
async fn no_reason_that_is_kept_or_told_quotes_a_number() {
    let log = Log::capture();
    let name = format!("tower-webhook-secrecy-{}.db", std::process::id());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let inbox = SqliteInbox::open(folder.join(&name)).await.unwrap();
    let service = Receiver::new("aella", aella()).clock(tower_webhook::clock::SystemClock).inbox(&inbox);
    for id in ["dead", "parked", "later", "long", "panics"] {
        let status = service.clone().oneshot(sealed(&aella(), body(id))).await.unwrap().status();
        assert_eq!(status, 200, "{id}");
    }
    let handler = |handed: Handed| async move {
        let said = format!("{handed:?}");
        assert!(!said.contains("Success"), "{said}");
        match handed.event.readable_key.as_str() {
            "transfer.completed|dead" => Verdict::dead(QUOTE),
            "transfer.completed|parked" => Verdict::park(QUOTE),
            "transfer.completed|panics" => panic!("{QUOTE}"),
            "transfer.completed|long" => Verdict::dead(long()),
            _ => Verdict::retry_in(Duration::from_secs(3600), QUOTE),
        }
    };
    let (sender, mut ended) = unbounded_channel();
    let worker =
        Worker::new(inbox.clone(), handler).on_ended(move |_, ending| drop(sender.send(format!("{ending:?}")))).start();
    let mut endings = String::new();
    for _ in 0..5 {
        endings += &timeout(Duration::from_secs(60), ended.recv()).await.unwrap().unwrap();
    }
    worker.stop().await;
    let all = inbox.list(&Filter::default(), 10).await.unwrap();
    let mut kept = String::new();
    for stored in &all {
        let history = inbox.show(stored.id).await.unwrap().unwrap();
        let said = format!("{history:?}");
        assert!(!said.contains("Success"), "{said}");
        kept += &said;
    }
    assert_eq!(all.iter().filter(|stored| stored.state == StoredState::Dead).count(), 2);
    assert!(kept.contains("the handler panicked"), "{kept}");
    for (place, text) in [("what is kept", &kept), ("what is told", &endings), ("the log", &log.text())] {
        assert_eq!(leaks(text), Vec::<&str>::new(), "in {place}: {text}");
    }
    assert_eq!(kept.matches(MASKED).count(), 2 * 3, "in the row and in the history of each that is short: {kept}");
    for end in ["", "-wal", "-shm", ".lock"] {
        drop(std::fs::remove_file(folder.join(format!("{name}{end}"))));
    }
}
