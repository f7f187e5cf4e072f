//! What is kept of a delivery beside its events: two sorts of headers, and whose it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, HeaderValue};
use tokio::time::sleep;
use tower::ServiceExt as _;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::{InboxHandler, Typed, Worker};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::{Lookup, Provider};
use tower_webhook::receiver::{KeySource, Tenants};
use tower_webhook::scheme::StaticToken;
use tower_webhook::secret::{KeyRing, Secret};
use tower_webhook::testing::TokioClock;
use tower_webhook::{Received, Receiver};

use super::Inbox;
use crate::deliveries::{TRANSFER, aella, now, sealed};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Seen = Arc<Mutex<Vec<String>>>;

async fn handle(inbox: &Inbox, handler: impl InboxHandler) {
    let running = Worker::new(inbox.clone(), handler).clock(TokioClock::starting_at(now())).start();
    sleep(Duration::from_secs(1)).await;
    running.stop().await;
}

/// The names of the headers that the handler sees of those that were sent.
fn names<E>(event: &Received<E>) -> String {
    let sent = ["content-type", "traceparent", "tracestate", "authorization", "cookie", "x-other"];
    let there = |name: &&'static str| event.delivery().header(&HeaderName::from_static(name)).is_some();
    sent.into_iter().filter(there).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn the_trace_and_the_content_type_go_along_and_nothing_else_does() {
    let long = "k=v,".repeat(200);
    for (state, kept) in [("k=v", "content-type traceparent tracestate"), (long.as_str(), "content-type traceparent")] {
        let inbox = Inbox::open().await;
        let mut request = sealed(&aella(), TRANSFER);
        for (name, value) in [
            ("content-type", "application/json"),
            ("traceparent", TRACE),
            ("tracestate", state),
            ("authorization", "Basic aGk6aGk="),
            ("cookie", "a=b"),
            ("x-other", "other"),
        ] {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let service = Receiver::new("aella", aella()).clock(now()).inbox(&inbox);
        assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
        let seen = Seen::default();
        let tell = Arc::clone(&seen);
        let handler = Typed::new(aella(), move |event: Received<aella::Event>| {
            let trace = event.delivery().header(&HeaderName::from_static("traceparent"));
            assert_eq!(trace.unwrap(), TRACE);
            tell.lock().unwrap().push(names(&event));
            async {}
        });
        handle(&inbox, handler).await;
        assert_eq!(*seen.lock().unwrap(), [kept]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_proves_is_never_on_disk() {
    for (proof, other) in [("tracestate", "x-other"), ("x-other", "tracestate")] {
        let inbox = Inbox::open().await;
        let secret = "correct horse battery staple";
        let custom = || {
            let token = StaticToken::new(HeaderName::from_static(proof), Secret::utf8(secret).unwrap()).unwrap();
            Custom::new(token, [Lookup::header("x-id").unwrap()]).unwrap()
        };
        let mut request = http::Request::post("/").body(http_body_util::Full::from("{}")).unwrap();
        for (name, value) in [(proof, secret), (other, "k=v"), ("x-id", "1"), ("traceparent", TRACE)] {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let seen = Seen::default();
        let tell = Arc::clone(&seen);
        let told = move |event: &tower_webhook::inbox::NewEvent, _| {
            assert!(!format!("{event:?}").contains(secret));
            tell.lock().unwrap().extend(event.headers.iter().map(|(name, _)| name.clone()));
        };
        assert_eq!(custom().profile().name, "custom");
        let service = Receiver::new("custom", custom()).clock(now()).inbox(&inbox).on_accepted(told);
        assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
        let kept: &[&str] = if proof == "tracestate" { &["traceparent"] } else { &["traceparent", "tracestate"] };
        assert_eq!(*seen.lock().unwrap(), kept);
    }
}

/// The tenant by the path, each with a secret of this form.
struct ByPath;

fn of(tenant: &str) -> Aella {
    Aella::new(Secret::utf8(format!("ae_sk_test_of_tenant_{tenant}")).unwrap()).unwrap()
}

impl KeySource for ByPath {
    fn tenant(&self, head: &Parts) -> Option<String> {
        head.uri.path().strip_prefix("/in/").map(str::to_owned)
    }

    async fn keys(&self, tenant: &str) -> Result<Option<KeyRing>, BoxError> {
        Ok(Some(Secret::utf8(format!("ae_sk_test_of_tenant_{tenant}"))?.into()))
    }
}

#[tokio::test(start_paused = true)]
async fn whose_event_it_is_is_known_when_it_is_handled() {
    let inbox = Inbox::open().await;
    let receiver = || Receiver::new("aella", of("nobody")).clock(now());
    let tenants = Tenants::new(ByPath, Aella::new);
    for (path, sender, status) in [("/in/a", "a", 200), ("/in/b", "b", 200), ("/in/b", "a", 401)] {
        let mut request = sealed(&of(sender), TRANSFER);
        *request.uri_mut() = path.parse().unwrap();
        let response = receiver().tenants(&tenants).inbox(&inbox).oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
    }
    let response = receiver().inbox(&inbox).oneshot(sealed(&of("nobody"), TRANSFER)).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = Seen::default();
    let tell = Arc::clone(&seen);
    let handler = Typed::new(of("nobody"), move |event: Received<aella::Event>| {
        tell.lock().unwrap().push(event.delivery().verified().tenant().unwrap_or("none").to_owned());
        async {}
    });
    handle(&inbox, handler).await;
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(seen, ["a", "b", "none"]);
}
