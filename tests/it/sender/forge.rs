//! Forgeries: each is refused by the scheme of each provider, and what it was made of is not.

use http::Request;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::provider::Message;
use tower_webhook::scheme::{Scheme, Sealing};
use tower_webhook::sender::forge::{Forgery, forge};

use super::*;

fn sealed(provider: &impl Provider, text: &'static str) -> Request<Bytes> {
    let message = Message::new(text).idempotency_key("msg_1");
    provider.seal(message, &Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy)).unwrap()
}

fn opens(scheme: &dyn Scheme, delivery: &Request<Bytes>) -> bool {
    scheme.open(delivery.headers(), delivery.body().clone(), Timestamp::UNIX_EPOCH).is_ok()
}

/// Which forgeries there are of this provider's deliveries. All of them are refused.
fn forged(provider: &impl Provider, text: &'static str) -> Vec<Forgery> {
    let (delivery, scheme) = (sealed(provider, text), provider.scheme());
    assert!(opens(scheme, &delivery), "{}", scheme.name());
    let made = |how: &Forgery| {
        let forgery = forge(&delivery, scheme, *how)?;
        assert!(!opens(scheme, &forgery), "{} takes {how:?}", scheme.name());
        Some(*how)
    };
    Forgery::ALL.iter().filter_map(made).collect()
}

#[test]
fn no_provider_s_scheme_takes_a_forgery() {
    let secret = || Secret::hex(KEY).unwrap();
    assert_eq!(forged(&Aella::new(secret()).unwrap(), TRANSFER), Forgery::ALL);
    assert_eq!(forged(&opp_provider(), PAYMENT), Forgery::ALL);
    assert_eq!(forged(&BankingCircle::new(secret()).unwrap(), "{}"), Forgery::ALL);
    assert_eq!(forged(&Sibs::new(secret()).unwrap(), "{}"), Forgery::ALL);
    assert_eq!(forged(&StandardWebhooks::new(secret()).unwrap(), "{}"), Forgery::ALL);
    assert_eq!(forged(&Mambu::new(), "{}"), [], "credentials alone prove it");
}
