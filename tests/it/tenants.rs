//! Keys that are looked up by tenant: by path or header.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use tokio::sync::Notify;
use tokio::time::advance;
use tower::ServiceExt as _;
use tower_webhook::error::BoxError;
use tower_webhook::gate::ResponseBody;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::receiver::{KeySource, Tenants};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{TRANSFER, now, sealed};

/// A table of secrets that may fail, hang, or wait; and counts how often it is asked.
#[derive(Clone, Default)]
struct Table {
    secrets: Arc<Mutex<HashMap<String, String>>>,
    asked: Arc<AtomicUsize>,
    fails: Arc<Mutex<bool>>,
    waits: Arc<Mutex<Option<Arc<Notify>>>>,
}

impl Table {
    fn of(secrets: &[(&str, &str)]) -> Self {
        let table = Self::default();
        secrets.iter().for_each(|(tenant, secret)| table.set(tenant, secret));
        table
    }

    fn set(&self, tenant: &str, secret: &str) {
        self.secrets.lock().unwrap().insert(tenant.to_owned(), secret.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl KeySource for Table {
    fn tenant(&self, head: &Parts) -> Option<String> {
        let header = head.headers.get("x-tenant").and_then(|value| value.to_str().ok());
        header.or_else(|| head.uri.path().strip_prefix("/in/")).map(str::to_owned)
    }

    async fn keys(&self, tenant: &str) -> Result<Option<KeyRing>, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let waits = self.waits.lock().unwrap().clone();
        if let Some(go) = waits {
            go.notified().await;
        }
        if *self.fails.lock().unwrap() {
            return Err("the database is gone".into());
        }
        let secret = self.secrets.lock().unwrap().get(tenant).cloned();
        Ok(secret.map(|secret| KeyRing::new([Key::new(format!("of {tenant}"), Secret::utf8(secret)?)])).transpose()?)
    }
}

const OURS: &str = "ae_sk_test_first_tenant";
const THEIRS: &str = "ae_sk_test_second_tenant";

fn aella(secret: &str) -> Aella {
    Aella::new(Secret::utf8(secret).unwrap()).unwrap()
}

fn by(secret: &str, path: &str) -> Request<Full<Bytes>> {
    let mut request = sealed(&aella(secret), TRANSFER);
    *request.uri_mut() = path.parse().unwrap();
    request
}

type Seen = Arc<Mutex<Vec<(Option<String>, Option<String>)>>>;

fn service(
    tenants: &Tenants<Aella>,
) -> (
    impl tower::Service<
        Request<Full<Bytes>>,
        Response = http::Response<ResponseBody>,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static,
    Seen,
) {
    let seen = Seen::default();
    let receiver = Receiver::new("aella", aella("ae_sk_test_of_nobody")).clock(now()).tenants(tenants);
    let service = receiver.dedupe(MemoryStore::new(1000)).handle_with(
        seen.clone(),
        async |seen: Seen, event: Received<aella::Event>| {
            let verified = event.delivery().verified();
            let tenant = verified.tenant().map(str::to_owned);
            seen.lock().unwrap().push((tenant, verified.key_id().map(str::to_owned)));
        },
    );
    (service, seen)
}

fn kind<B>(response: &http::Response<B>) -> Option<RejectionKind> {
    response.extensions().get().map(Rejection::kind)
}

#[tokio::test(start_paused = true)]
async fn each_tenants_deliveries_are_proved_by_its_own_keys_and_keyed_apart() {
    let table = Table::of(&[("a", OURS), ("b", THEIRS)]);
    let (service, seen) = service(&Tenants::new(table.clone(), Aella::new));
    for (case, request, status) in [
        ("a by a", by(OURS, "/in/a"), 200),
        ("a again", by(OURS, "/in/a"), 200),
        ("the same event of b", by(THEIRS, "/in/b"), 200),
        ("a by the keys of b", by(THEIRS, "/in/a"), 401),
        ("b by the keys of a", by(OURS, "/in/b"), 401),
        ("by the receiver's own key", by("ae_sk_test_of_nobody", "/in/a"), 401),
        ("nobody's by the receiver's own key", by("ae_sk_test_of_nobody", "/"), 401),
        ("of nobody", by(OURS, "/"), 401),
        ("of a stranger", by(OURS, "/in/c"), 401),
        ("a name without end", by(OURS, &format!("/in/{}", "x".repeat(257))), 401),
    ] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{case}");
        let expected = (status != 200).then_some(RejectionKind::SignatureMismatch);
        assert_eq!(kind(&response), expected, "{case}");
    }
    let pair = |tenant: &str| (Some(tenant.to_owned()), Some(format!("of {tenant}")));
    assert_eq!(*seen.lock().unwrap(), [pair("a"), pair("b")], "one event a tenant, and each once");
    assert_eq!(table.asked(), 3, "a, b and c, once each");
    let mut request = by(OURS, "/in/b");
    request.headers_mut().insert("x-tenant", HeaderValue::from_static("a"));
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200, "claimed by a header");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_fails_or_hangs_is_503_and_never_401_and_is_not_remembered() {
    let table = Table::of(&[("a", OURS)]);
    let (service, _) = service(&Tenants::new(table.clone(), Aella::new).time_limit(Duration::from_secs(1)));
    *table.fails.lock().unwrap() = true;
    let failed = service.clone().oneshot(by(OURS, "/in/a")).await.unwrap();
    assert_eq!((failed.status().as_u16(), kind(&failed)), (503, Some(RejectionKind::KeysUnavailable)));
    assert!(failed.headers().contains_key("retry-after"));
    let cause = std::error::Error::source(failed.extensions().get::<Rejection>().unwrap()).unwrap().to_string();
    assert_eq!(cause, "the database is gone");
    *table.fails.lock().unwrap() = false;
    *table.waits.lock().unwrap() = Some(Arc::new(Notify::new()));
    let hung = service.clone().oneshot(by(OURS, "/in/a")).await.unwrap();
    assert_eq!((hung.status().as_u16(), kind(&hung)), (503, Some(RejectionKind::KeysUnavailable)));
    *table.waits.lock().unwrap() = None;
    assert_eq!(service.clone().oneshot(by(OURS, "/in/a")).await.unwrap().status(), 200);
    *table.fails.lock().unwrap() = true;
    assert_eq!(service.oneshot(by(OURS, "/in/a")).await.unwrap().status(), 200, "what was found is used");
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_put_to_use_are_503() {
    let (service, _) = service(&Tenants::new(Table::of(&[("a", "short")]), Aella::new));
    let failed = service.oneshot(by(OURS, "/in/a")).await.unwrap();
    assert_eq!((failed.status().as_u16(), kind(&failed)), (503, Some(RejectionKind::KeysUnavailable)));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_counts_when_it_is_forgotten_and_after_a_minute_at_the_latest() {
    let table = Table::of(&[("a", OURS)]);
    let tenants = Tenants::new(table.clone(), Aella::new);
    let (service, _) = service(&tenants);
    let status = async |secret| service.clone().oneshot(by(secret, "/in/a")).await.unwrap().status().as_u16();
    assert_eq!((status(OURS).await, status(THEIRS).await), (200, 401));
    table.set("a", THEIRS);
    assert_eq!((status(OURS).await, status(THEIRS).await), (200, 401), "not yet");
    tenants.forget("b");
    assert_eq!(status(THEIRS).await, 401, "another was forgotten");
    tenants.forget("a");
    assert_eq!((status(THEIRS).await, status(OURS).await), (200, 401));
    table.set("a", OURS);
    advance(Duration::from_secs(59)).await;
    assert_eq!(status(OURS).await, 401);
    advance(Duration::from_secs(2)).await;
    assert_eq!(status(OURS).await, 200);
    table.set("a", THEIRS);
    tenants.forget_all();
    assert_eq!(status(THEIRS).await, 200);
}

#[tokio::test(start_paused = true)]
async fn what_was_looked_up_before_a_forgetting_is_not_remembered_after_it() {
    let (table, go) = (Table::of(&[("a", OURS)]), Arc::new(Notify::new()));
    let tenants = Tenants::new(table.clone(), Aella::new);
    let (service, _) = service(&tenants);
    *table.waits.lock().unwrap() = Some(go.clone());
    let slow = tokio::spawn(service.clone().oneshot(by(OURS, "/in/a")));
    tokio::task::yield_now().await;
    assert_eq!(table.asked(), 1);
    tenants.forget("a");
    *table.waits.lock().unwrap() = None;
    go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(service.oneshot(by(OURS, "/in/a")).await.unwrap().status(), 200);
    assert_eq!(table.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn names_made_up_push_out_no_tenant_and_come_to_bounded_work() {
    let table = Table::of(&[("a", OURS)]);
    let tenants = Tenants::new(table.clone(), Aella::new).capacity(8);
    let (service, _) = service(&tenants);
    assert_eq!(service.clone().oneshot(by(OURS, "/in/a")).await.unwrap().status(), 200);
    for number in 0..100 {
        let path = format!("/in/made-up-{number}");
        assert_eq!(service.clone().oneshot(by(OURS, &path)).await.unwrap().status(), 401);
    }
    let before = table.asked();
    assert_eq!(service.clone().oneshot(by(OURS, "/in/a")).await.unwrap().status(), 200);
    assert_eq!(service.clone().oneshot(by(OURS, "/in/made-up-99")).await.unwrap().status(), 401);
    assert_eq!(table.asked(), before, "both are remembered");
    assert_eq!(service.clone().oneshot(by(OURS, "/in/made-up-0")).await.unwrap().status(), 401);
    assert_eq!(table.asked(), before + 1, "the oldest went first");

    let go = Arc::new(Notify::new());
    *table.waits.lock().unwrap() = Some(go.clone());
    let begun = table.asked();
    let many: Vec<_> =
        (0..100).map(|number| tokio::spawn(service.clone().oneshot(by(OURS, &format!("/in/many-{number}"))))).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(table.asked() - begun, 64);
    *table.waits.lock().unwrap() = None;
    go.notify_waiters();
    let mut statuses = HashMap::new();
    for answer in many {
        *statuses.entry(answer.await.unwrap().unwrap().status().as_u16()).or_insert(0) += 1;
    }
    assert_eq!(statuses, HashMap::from([(401, 64), (503, 36)]));
}

/// Each proxied delivery to these paths: its status, and whether it was answered as a repeat.
async fn answers<S, B>(service: &S, requests: Vec<Request<Full<Bytes>>>) -> Vec<(u16, bool)>
where
    S: tower::Service<Request<Full<Bytes>>, Response = http::Response<B>, Error = std::convert::Infallible> + Clone,
{
    let mut answers = Vec::new();
    for request in requests {
        let response = service.clone().oneshot(request).await.unwrap();
        answers.push((response.status().as_u16(), response.headers().contains_key("idempotent-replayed")));
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn tenants_whose_deliveries_a_proxy_has_proved_are_keyed_apart_too() {
    let tenants = Tenants::new(Table::of(&[("a", OURS), ("b", THEIRS)]), Aella::new);
    let receiver = Receiver::new("aella", aella("ae_sk_test_of_nobody")).clock(now()).tenants(&tenants);
    let service = receiver
        .dangerous_skip_verification()
        .dedupe(MemoryStore::new(1000))
        .handle(async |_: Received<aella::Event>| {});
    let requests = ["/in/a", "/in/b", "/in/a"].map(|path| by(OURS, path)).to_vec();
    assert_eq!(answers(&service, requests).await, [(200, false), (200, false), (200, true)]);
}

/// Credentials are of all tenants together: by them nobody is one of them.
#[tokio::test(start_paused = true)]
async fn a_tenant_that_no_key_proves_is_refused_and_nothing_runs() {
    for (token, status) in [(None, 500), (Some("a static token, and long"), 200)] {
        let provider = move || match token {
            Some(token) => Mambu::static_header(HeaderName::from_static("x-token"), Secret::utf8(token)?),
            None => Ok(Mambu::new()),
        };
        let tenants = Tenants::new(Table::of(&[("a", OURS)]), move |_| provider());
        let ours = Credentials::new("mambu", Secret::utf8("open sesame").unwrap()).unwrap();
        let credentials = ours.header();
        let service = Receiver::new("mambu", provider().unwrap())
            .clock(now())
            .basic_auth(&BasicAuthLayer::new([ours]).unwrap())
            .tenants(&tenants)
            .dedupe(MemoryStore::new(1000))
            .handle(async |_: Received<mambu::Event>| {});
        let request = Request::post("/in/a")
            .header("authorization", credentials)
            .header("content-type", "application/json")
            .header("x-notifications-idempotency-key", "7b")
            .header("x-token", token.unwrap_or_default())
            .body(Full::<Bytes>::from("{}"))
            .unwrap();
        let response = service.oneshot(request).await.unwrap();
        let expected = (status != 200).then_some(RejectionKind::Misassembled);
        assert_eq!((response.status().as_u16(), kind(&response)), (status, expected), "{token:?}");
    }
}
