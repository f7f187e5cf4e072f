//! The relay of `examples/relay.rs`, against a JetStream of the test's own.

use async_nats::jetstream::context::Context;
use tower_webhook::inbox::{Handed, Verdict};

#[allow(dead_code, reason = "its `main` is for people")]
#[path = "../../../examples/relay.rs"]
mod example;

use example::scratch::Scratch;

/// Wrongly: nothing tells the stream that it is a repeat.
async fn without_an_id(to: Context, event: Handed) -> Verdict {
    let sent = async { to.publish("webhooks.bare", event.event.payload).await?.await };
    match sent.await {
        Ok(_) => Verdict::Done,
        Err(error) => Verdict::retry(error.to_string()),
    }
}

#[tokio::test]
async fn an_event_that_is_relayed_twice_is_once_in_the_stream() {
    let scratch = Scratch::new("it-relay").unwrap();
    let (_server, url) = example::Server::start(&scratch).unwrap();
    assert_eq!(example::twice(&url, &scratch, example::relay).await.unwrap(), 1);
}

#[tokio::test]
async fn without_its_key_as_the_message_s_id_it_is_there_twice() {
    let scratch = Scratch::new("it-relay-bare").unwrap();
    let (_server, url) = example::Server::start(&scratch).unwrap();
    assert_eq!(example::twice(&url, &scratch, without_an_id).await.unwrap(), 2);
}
