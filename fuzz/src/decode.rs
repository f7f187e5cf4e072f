//! What each provider makes of bytes that are proved. A sender whose key leaked can send any.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tower_webhook::ConfigError;
use tower_webhook::encoding::Encoding;
use tower_webhook::event::Project as _;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{AnyProvider, Events, Lookup, Provider as _};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::Secret;

use crate::case::Case;

fn all() -> Result<Vec<AnyProvider>, ConfigError> {
    let key = || Secret::bytes(vec![7; 32]);
    let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex);
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, key()?)?;
    Ok(vec![
        AnyProvider::new(Aella::new(key()?)?),
        AnyProvider::new(Opp::new(key()?)?),
        AnyProvider::new(Sibs::new(key()?)?),
        AnyProvider::new(BankingCircle::new(key()?)?),
        AnyProvider::new(StandardWebhooks::new(key()?)?),
        AnyProvider::new(Mambu::new().event_at(Lookup::json("/event")?)),
        AnyProvider::new(Custom::new(scheme, [Lookup::json("/id")?])?.event_from(Lookup::json("/event")?)),
    ])
}

static ALL: LazyLock<Vec<AnyProvider>> = LazyLock::new(|| all().expect("all can be built"));

/// Every event has a key, the same one each time, and can be read again from its raw text as an inbox does.
pub fn decode(input: &[u8]) {
    let Some(case) = Case::read(input) else { return };
    let provider = &ALL[usize::from(case.who) % ALL.len()];
    let Ok(events) = provider.decode(&case.headers, case.body.clone()) else { return };
    assert_eq!(keys(&events), keys(&provider.decode(&HeaderMap::clone(&case.headers), case.body).expect("as before")));
    for event in events.iter() {
        assert!(!event.key.as_str().is_empty(), "{event:?}");
        let again = provider.decode_one(event.event.name(), event.raw.clone());
        assert!(again.is_ok(), "{event:?}: {again:?}");
        drop((event.event.project(), format!("{event:?}")));
    }
    assert!(events.unreadable().iter().all(|event| event.position < events.count()));
}

fn keys<E>(events: &Events<E>) -> Vec<(String, Bytes)> {
    events.iter().map(|event| (event.key.to_string(), event.raw.clone())).collect()
}
