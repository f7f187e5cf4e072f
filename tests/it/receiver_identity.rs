//! Who a receiver is to a store that others use too: every provider and every scheme says which keys it has.

use http::HeaderName;
use tower_webhook::encoding::Encoding;
use tower_webhook::idempotency::ReceiverIdentity;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{Lookup, Provider};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Signed, StaticToken, Unsigned};
use tower_webhook::secret::{KeyCheck, Secret};
use tower_webhook::{ConfigError, Receiver};

fn header() -> HeaderName {
    HeaderName::from_static("x-proof")
}

fn signed() -> Signed {
    Signed::new(header(), Encoding::Hex)
}

/// 32 letters, as every provider takes them.
fn secret(letter: u8) -> Secret {
    Secret::bytes([letter; 32]).unwrap()
}

fn identity<P: Provider>(provider: impl Fn(Secret) -> Result<P, ConfigError>) -> [ReceiverIdentity; 2] {
    [b'a', b'b'].map(|letter| Receiver::new("name", provider(secret(letter)).unwrap()).identity())
}

#[test]
fn two_accounts_of_any_provider_are_told_apart_by_their_keys() {
    for [first, second] in [
        identity(Aella::new),
        identity(BankingCircle::new),
        identity(Opp::new),
        identity(Sibs::new),
        identity(StandardWebhooks::new),
        identity(|key| Mambu::static_header(header(), key)),
        identity(|key| {
            let scheme: Box<dyn Scheme> = Box::new(StaticToken::new(header(), key)?);
            Custom::new(scheme, [Lookup::json("/id")?])
        }),
    ] {
        let taken = second.may_join(&first).expect_err(first.provider()).to_string();
        assert!(taken.contains(&format!("{:?} with other keys", first.provider())), "{taken}");
        assert_eq!(first.may_join(&first), Ok(()), "control");
    }
}

#[test]
fn a_secret_that_can_be_guessed_leaves_no_trace() {
    let short = |letter| Secret::bytes([letter; 15]).unwrap();
    let mac = |key| Hmac::dangerous_short_keys(MacAlgorithm::HmacSha256, signed(), key).unwrap();
    let token = |key| StaticToken::dangerous_short_keys(header(), key).unwrap();
    assert_eq!((mac(short(b'a')).key_checks(), token(short(b'a')).key_checks()), (vec![], vec![]));
    assert_eq!(Unsigned.key_checks(), []);
    let check = vec![KeyCheck::of(&secret(b'a')).unwrap()];
    assert_eq!((mac(secret(b'a')).key_checks(), token(secret(b'a')).key_checks()), (check.clone(), check), "control");
}

#[test]
fn tenant_settings_and_user_names_are_part_of_it() {
    let basic = |user: &str, password: &str| {
        let credentials = Credentials::new(user, Secret::utf8(password).unwrap()).unwrap();
        let mambu = Mambu::new().event_at(Lookup::json("/event").unwrap());
        Receiver::new("m", mambu).basic_auth(&BasicAuthLayer::new([credentials]).unwrap())
    };
    let first = basic("shop", "one").identity();
    assert_eq!((first.tenant(), first.receiver(), first.provider()), ("", "m", "mambu"));
    assert_eq!(basic("shop", "two").identity(), first, "a password has no part in it");
    assert!(basic("bank", "one").identity().may_join(&first).is_err());
    let elsewhere = basic("bank", "one").settings(|settings| settings.tenant("t")).unwrap().identity();
    assert_eq!((elsewhere.tenant(), elsewhere.may_join(&first)), ("t", Ok(())));
}

#[cfg(feature = "asymmetric")]
mod asymmetric {
    use tower_webhook::scheme::{Ed25519, Scheme as _, Signature, SignatureAlgorithm, public_key};
    use tower_webhook::secret::Secret;

    use super::signed;

    #[test]
    fn a_public_key_has_a_check_value_of_its_own() {
        let checks = |algorithm, pem: &str| {
            let key = public_key(pem).unwrap();
            Signature::new(algorithm, signed(), key).unwrap().key_checks()
        };
        let rsa = |pem| checks(SignatureAlgorithm::RsaPkcs1Sha256, pem);
        let p256 = |pem| checks(SignatureAlgorithm::EcdsaP256Sha256Der, pem);
        let ed25519 = |seed| {
            let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
            Ed25519::new(signed(), Secret::bytes(key.to_bytes()).unwrap()).unwrap().key_checks()
        };
        let all = [
            rsa(include_str!("../fixtures/asymmetric/rsa-2048.pub.pem")),
            rsa(include_str!("../fixtures/asymmetric/rsa-2048-other.pub.pem")),
            p256(include_str!("../fixtures/asymmetric/p256.pub.pem")),
            p256(include_str!("../fixtures/asymmetric/p256-other.pub.pem")),
            ed25519(1),
            ed25519(2),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().flatten().collect();
        assert_eq!((all.iter().map(Vec::len).max(), different.len()), (Some(1), 6), "{all:?}");
    }
}
