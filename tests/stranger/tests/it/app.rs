//! The whole app on a Redis of its own. Every delivery that is taken has a twin that is not.

use axum::Router;
use bytes::Bytes;
use http::Response;
use stranger::shop::Shop;
use stranger::{Entry, Ledger, Secrets, app};
use tower_webhook::delivery::Drain;
use tower_webhook::layers::Credentials;
use tower_webhook::provider::Provider;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::secret::Secret;
use tower_webhook::testing::{TestSender, deliver};

use crate::redis::Redis;

const NORTH: &str = "north-notification-key-32-chars.";
const SOUTH: &str = "south-notification-key-32-chars.";
const SHOP: &str = "correct horse battery";

const BATCH: &str = r#"{"notifications":[
    {"eventId":"e1","notificationType":"MandateStatus"},{"eventId":"e2","notificationType":"NewNextYear"}]}"#;

fn bank(key: &str) -> BankingCircle {
    BankingCircle::new(Secret::utf8(key).unwrap()).unwrap()
}

fn shop(secret: &str) -> Shop {
    Shop::new(Secret::utf8(secret).unwrap()).unwrap()
}

fn credentials(password: &str) -> Credentials {
    Credentials::new("mambu", Secret::utf8(password).unwrap()).unwrap()
}

struct House {
    app: Router,
    ledger: Ledger,
    _redis: Redis,
}

impl House {
    async fn open() -> Self {
        let (redis, ledger) = (Redis::start().await, Ledger::default());
        let secrets = Secrets {
            bank_north: Secret::utf8(NORTH).unwrap(),
            bank_south: Secret::utf8(SOUTH).unwrap(),
            mambu: credentials("correct horse"),
            shop: Secret::utf8(SHOP).unwrap(),
        };
        let app = app(secrets, &redis.store().await, ledger.clone(), &Drain::new()).await.unwrap();
        Self { app, ledger, _redis: redis }
    }

    async fn status(&self, provider: &impl Provider, path: &str, body: &'static str) -> u16 {
        deliver(&self.app, provider, path, body).await.unwrap().status().as_u16()
    }

    fn written(&self) -> Vec<(String, String)> {
        self.ledger.entries().into_iter().map(|Entry { receiver, key, .. }| (receiver, key)).collect()
    }
}

fn entries(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(receiver, key)| ((*receiver).to_owned(), (*key).to_owned())).collect()
}

fn is_replay(response: &Response<Bytes>) -> bool {
    response.headers().contains_key("idempotent-replayed")
}

#[tokio::test]
async fn two_accounts_at_one_bank_share_a_redis_and_no_event() {
    let house = House::open().await;
    assert_eq!(house.status(&bank(SOUTH), "/hooks/bank/north", BATCH).await, 401);
    assert!(house.written().is_empty());
    assert!((200..300).contains(&house.status(&bank(NORTH), "/hooks/bank/north", BATCH).await));
    assert!((200..300).contains(&house.status(&bank(SOUTH), "/hooks/bank/south", BATCH).await));
    let again = deliver(&house.app, &bank(NORTH), "/hooks/bank/north", BATCH).await.unwrap();
    assert!(again.status().is_success() && is_replay(&again), "{again:?}");
    let mut written = house.written();
    written.sort();
    let all = [("bank-north", "e1"), ("bank-north", "e2"), ("bank-south", "e1"), ("bank-south", "e2")];
    assert_eq!(written, entries(&all));
}

#[tokio::test]
async fn an_event_that_was_not_written_comes_again() {
    let house = House::open().await;
    house.ledger.set_down(true);
    assert_eq!(house.status(&bank(NORTH), "/hooks/bank/north", BATCH).await, 503);
    house.ledger.set_down(false);
    assert!((200..300).contains(&house.status(&bank(NORTH), "/hooks/bank/north", BATCH).await));
    assert_eq!(house.written().len(), 2);
}

#[tokio::test]
async fn mambu_is_taken_with_its_password_alone() {
    let (house, mambu) = (House::open().await, Mambu::new());
    for (password, expected) in [("correct horsf", 401), ("correct horse", 200), ("correct horse", 200)] {
        let sender = TestSender::new(&mambu).basic_auth(&credentials(password)).idempotency_key("6f1c");
        let response = sender.deliver(&house.app, "/hooks/mambu", r#"{"event":"LOAN_DISBURSEMENT"}"#).await.unwrap();
        assert_eq!(response.status(), expected);
    }
    assert_eq!(house.written(), entries(&[("mambu", "6f1c")]));
}

#[tokio::test]
async fn a_batch_of_the_shops_is_written_but_for_what_cannot_be_read() {
    let house = House::open().await;
    let whole = r#"{"events":[{"id":"1","name":"paid","amount":"92.00","currency":"EUR"},{"id":"2","name":"new"}]}"#;
    let torn = r#"{"events":[{"id":"3","name":"paid"},{"id":"4","name":"new"}]}"#;
    assert_eq!(house.status(&shop("correct horse battery!"), "/hooks/shop", whole).await, 401);
    assert_eq!(house.status(&shop(SHOP), "/hooks/shop", whole).await, 200);
    assert_eq!(house.status(&shop(SHOP), "/hooks/shop", torn).await, 400, "an amount is missing");
    assert_eq!(house.written(), entries(&[("shop", "paid|1"), ("shop", "new|2"), ("shop", "new|4")]));
}

#[tokio::test]
async fn routes_beside_the_receivers_are_as_they_were() {
    let house = House::open().await;
    assert_eq!(house.status(&shop(SHOP), "/hooks/nobody", "{}").await, 404);
    assert_eq!(house.status(&shop(SHOP), "/health", "{}").await, 405, "which takes GET alone");
}
