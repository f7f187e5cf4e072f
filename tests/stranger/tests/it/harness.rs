//! The whole app under the harness: bank, core banking and a shop that the crate does not know, on one Redis.

use axum::Router;
use stranger::shop::Shop;
use stranger::{Ledger, Secrets, app};
use tower_webhook::delivery::Drain;
use tower_webhook::layers::Credentials;
use tower_webhook::provider::Message;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::secret::Secret;
use tower_webhook::testing::events::{banking_circle, mambu};
use tower_webhook::testing::{Harness, forge};
use tower_webhook::{ConfigError, RejectionKind};

use crate::redis::Redis;

const NORTH: &str = "north-notification-key-32-chars.";
const SOUTH: &str = "south-notification-key-32-chars.";
const SHOP: &str = "correct horse battery";

fn bank(key: &str) -> Result<BankingCircle, ConfigError> {
    BankingCircle::new(Secret::utf8(key)?)
}

fn shop(secret: &str) -> Shop {
    Shop::new(Secret::utf8(secret).unwrap()).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new("mambu", Secret::utf8("correct horse").unwrap()).unwrap()
}

async fn open(redis: &Redis, ledger: &Ledger) -> Router {
    let secrets = Secrets {
        bank_north: Secret::utf8(NORTH).unwrap(),
        bank_south: Secret::utf8(SOUTH).unwrap(),
        mambu: credentials(),
        shop: Secret::utf8(SHOP).unwrap(),
    };
    app(secrets, &redis.store().await, ledger.clone(), &Drain::new()).await.unwrap()
}

fn around(app: Router) -> Harness {
    Harness::start(app)
        .provider("/hooks/bank/north", bank(NORTH).unwrap())
        .provider("/hooks/bank/south", bank(SOUTH).unwrap())
        .provider("/hooks/mambu", Mambu::new())
        .basic_auth("/hooks/mambu", &credentials())
        .provider("/hooks/shop", shop(SHOP))
}

/// What the shop sends: the crate has no builder for it.
fn order(id: &str) -> Message {
    Message::new(format!(r#"{{"events":[{{"id":"{id}","name":"paid","amount":"12.50","currency":"EUR"}}]}}"#))
}

#[tokio::test]
async fn each_event_is_booked_once_and_nothing_forged_is() {
    let (redis, ledger) = (Redis::start().await, Ledger::default());
    let harness = around(open(&redis, &ledger).await);
    let day =
        |from| banking_circle::batch((from..from + 3).map(|n| banking_circle::incoming_payment_booked().number(n)));
    harness.send("/hooks/bank/north", day(1)).await.accepted().handled_once();
    harness.send("/hooks/bank/south", day(1)).await.accepted().handled_once();
    harness.forge("/hooks/bank/north", day(1), forge::wrong_key(bank(SOUTH).unwrap())).await.refused(401);
    harness.forge("/hooks/bank/north", day(11), forge::unreadable_member()).await.refused(400).handled_once();
    harness.forge_all("/hooks/bank/south", day(21)).await.accepted();
    harness.send_twice("/hooks/mambu", mambu::json("LOAN_DISBURSEMENT").number(1)).await;
    harness.forge_all("/hooks/mambu", mambu::json("LOAN_DISBURSEMENT").number(2)).await.accepted();
    harness.send_together("/hooks/shop", order("1"), 5).await;
    harness.forge("/hooks/shop", order("2"), forge::stale()).await.refused_as(RejectionKind::TimestampOutside);
    harness.forge_all("/hooks/shop", order("2")).await.accepted().handled_once();
    drop(harness);
    assert_eq!(ledger.entries().len(), 3 + 3 + 2 + 3 + 2 + 2);
}

#[tokio::test]
async fn a_ledger_that_is_down_is_put_off_and_what_is_put_off_for_good_is_told() {
    let (redis, ledger) = (Redis::start().await, Ledger::default());
    let harness = around(open(&redis, &ledger).await);
    ledger.set_down(true);
    harness.send("/hooks/shop", order("1")).await.refused_as(RejectionKind::HandlerFailed);
    harness.send("/hooks/shop", order("2")).await;
    ledger.set_down(false);
    harness.send("/hooks/shop", order("1")).await.accepted().handled_once();
    let broken = harness.verify().unwrap_err();
    assert!(broken.lines()[0].starts_with("unsettled: event paid|2: refused with 500 (handler_failed"), "{broken}");
    assert_eq!(broken.lines().len(), 1);
}
