//! Canaries on every way that a delivery can take, and what is said of it: to the log, to observers, to the sender.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::aella::{Aella, Event};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Outcome, Received, Receiver, Rejection};

use super::{CANARIES, MASKED, QUOTE, leaks};
use crate::deliveries::{now, read, sealed};
use crate::support::Log;

/// Writes down every fact as it prints itself, and with `also` what it should not.
#[derive(Clone, Default)]
struct Notes {
    text: Arc<Mutex<String>>,
    also: bool,
}

impl Observer for Notes {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        let mut text = self.text.lock().unwrap();
        writeln!(text, "{fact:?} {fact:#?} {about:?}").unwrap();
        if let (Fact::Failed(rejection), true) = (fact, self.also) {
            let source = std::error::Error::source(rejection).map(ToString::to_string);
            writeln!(text, "{source:?}").unwrap();
        }
    }
}

fn aella() -> Aella {
    Aella::new(Secret::utf8(CANARIES[0]).unwrap()).unwrap()
}

fn body(id: &str, amount: &str) -> String {
    let [_, _, name, iban, card, _] = CANARIES;
    format!(
        r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}","senderName":"{name}",
           "receiverAccountNumber":"{iban}","card":"{card}","amount":{amount}}}}}"#
    )
}

/// A delivery with credentials and other headers that are nobody's business.
fn delivery(body: String, user: &str) -> Request<Full<Bytes>> {
    let mut request = sealed(&aella(), body);
    let credentials = STANDARD.encode(format!("{user}:{}", CANARIES[1]));
    request.headers_mut().insert("authorization", format!("Basic {credentials}").parse().unwrap());
    request.headers_mut().insert("cookie", format!("session={}", CANARIES[5]).parse().unwrap());
    *request.uri_mut() = format!("/?token={}", CANARIES[5]).parse().unwrap();
    request
}

async fn handle(event: Received<Event>) -> Outcome {
    let said = format!("{event:?} {:?} {:#?}", event.delivery(), event);
    assert_eq!(leaks(&said), Vec::<&str>::new(), "{said}");
    match event.delivery().key().as_str() {
        "transfer.completed|fails" => Outcome::failed(QUOTE),
        "transfer.completed|panics" => panic!("{QUOTE}"),
        "transfer.completed|later" => Outcome::Retry(std::time::Duration::from_secs(1)),
        _ => Outcome::Done,
    }
}

/// The status, and what is said beside it.
async fn told(response: Response<tower_webhook::gate::ResponseBody>, also_source: bool) -> (u16, String) {
    let mut said = format!("{:?} {:?}", response.headers(), response.body());
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        write!(said, "{rejection} {rejection:?} {rejection:#?}").unwrap();
        if also_source {
            let source = std::error::Error::source(rejection).map(ToString::to_string);
            write!(said, "{source:?}").unwrap();
        }
    }
    let (status, _, body) = read(response).await;
    (status, said + &body)
}

/// All ways, and all that was said.
async fn scene(notes: &Notes) -> (Vec<u16>, String, String) {
    let log = Log::capture();
    let basic = BasicAuthLayer::new([Credentials::new("mambu", Secret::utf8(CANARIES[1]).unwrap()).unwrap()]).unwrap();
    let service = Receiver::new("shop", aella())
        .basic_auth(&basic)
        .clock(now())
        .candidate(Aella::new(Secret::utf8("canary-another-secret").unwrap()).unwrap())
        .observer(notes.clone())
        .dedupe(MemoryStore::new(10))
        .handle(handle);
    let mut forged = delivery(body("forged", "1"), "mambu");
    forged.headers_mut().insert("x-aella-signature", "ca".repeat(64).parse().unwrap());
    let mut unreadable = delivery(body("unreadable", "1"), "mambu");
    unreadable.headers_mut().insert("x-aella-signature", CANARIES[5].parse().unwrap());
    let mut get = delivery(body("get", "1"), "mambu");
    *get.method_mut() = http::Method::GET;
    let (mut statuses, mut answers) = (Vec::new(), String::new());
    for request in [
        delivery(body("works", "1"), "mambu"),
        delivery(body("works", "1"), "mambu"),
        delivery(body("works", "2"), "mambu"),
        delivery(body("works", "1"), "canary-stranger"),
        get,
        forged,
        unreadable,
        delivery(body("fails", "1"), "mambu"),
        delivery(body("panics", "1"), "mambu"),
        delivery(body("later", "1"), "mambu"),
        delivery(body("typed", r#""canary""#), "mambu"),
        delivery(body("twice", r#"1,"amount":1"#), "mambu"),
        delivery(body("broken", "canary"), "mambu"),
    ] {
        let response = service.clone().oneshot(request).await.unwrap();
        let (status, said) = told(response, notes.also).await;
        statuses.push(status);
        answers += &said;
    }
    (statuses, log.text(), answers)
}

#[tokio::test(start_paused = true)]
async fn no_way_of_a_delivery_says_a_canary() {
    let notes = Notes::default();
    let (statuses, log, answers) = scene(&notes).await;
    assert_eq!(statuses, [200, 200, 422, 401, 405, 401, 400, 500, 500, 503, 400, 400, 400]);
    let heard = notes.text.lock().unwrap().clone();
    for (place, text) in [("the log", &log), ("what observers hear", &heard), ("the answers", &answers)] {
        assert_eq!(leaks(text), Vec::<&str>::new(), "in {place}: {text}");
    }
    assert!(log.contains(MASKED), "what a handler says is in the log, masked: {log}");
    for told in ["credentials_wrong", "signature_mismatch", "payload_mismatch", "handler_failed", "payload_malformed"] {
        assert!(log.contains(told), "{told} is not in {log}");
    }
    assert!(heard.contains("CandidateRefuses"), "{heard}");
}

/// Whoever prints the cause of a failure by itself prints what it says: the test above would notice.
#[tokio::test(start_paused = true)]
async fn an_observer_that_says_too_much_is_noticed() {
    let notes = Notes { also: true, ..Notes::default() };
    let (_, _, answers) = scene(&notes).await;
    assert!(!leaks(&notes.text.lock().unwrap()).is_empty() && !leaks(&answers).is_empty());
}
