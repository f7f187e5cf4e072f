//! Forgeries: each is refused by the scheme of each provider, and what it was made of is not.

use http::{HeaderName, Request};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::Message;
use tower_webhook::provider::opp::Wrapper;
use tower_webhook::scheme::{
    AesGcm, EnvelopeNames, Hmac, MacAlgorithm, Scheme, Sealing, Signed, StaticToken, Template, TimeUnit, Tolerance,
};
use tower_webhook::sender::forge::{Forgery, early, every_bit, forge, spliced, stale};

use super::*;

fn at_first() -> Sealing<'static> {
    Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy)
}

/// Of any delivery with a proof of bytes in a header, whatever it covers.
const OF_PROOFS: [Forgery; 7] = [
    Forgery::ProofBit,
    Forgery::ProofTail,
    Forgery::NoProof,
    Forgery::BlankProof,
    Forgery::HalfProof,
    Forgery::TwoProofs,
    Forgery::WrongProofFirst,
];
const OF_NONCES: [Forgery; 3] = [Forgery::NonceBit, Forgery::ShortNonce, Forgery::ShortTag];
const OF_ENVELOPES: [Forgery; 3] = [Forgery::EnvelopeNumber, Forgery::EnvelopeOdd, Forgery::EnvelopeTwice];

fn sealed(provider: &impl Provider, text: &'static str) -> Request<Bytes> {
    provider.seal(Message::new(text).idempotency_key("msg_1"), &at_first()).unwrap()
}

fn sealed_by(scheme: &dyn Scheme) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.body_mut() = scheme.seal("{}".into(), request.headers_mut(), &at_first()).unwrap();
    request
}

fn opens(scheme: &dyn Scheme, delivery: &Request<Bytes>) -> bool {
    scheme.open(delivery.headers(), delivery.body().clone(), Timestamp::UNIX_EPOCH).is_ok()
}

/// Which forgeries there are of this delivery: exactly those of these lists. All of them are refused.
fn refuses(scheme: &dyn Scheme, delivery: &Request<Bytes>, expected: &[&[Forgery]]) {
    assert!(opens(scheme, delivery), "{}", scheme.name());
    let made = |how: &Forgery| {
        let forgery = forge(delivery, scheme, *how)?;
        assert!(!opens(scheme, &forgery), "{} takes {how:?}", scheme.name());
        Some(*how)
    };
    let made: Vec<_> = Forgery::ALL.iter().filter_map(made).collect();
    let expected = Forgery::ALL.iter().copied().filter(|how| expected.iter().any(|list| list.contains(how)));
    assert_eq!(made, expected.collect::<Vec<_>>(), "{}", scheme.name());
}

#[test]
fn no_provider_s_scheme_takes_a_forgery() {
    use Forgery::*;
    let secret = || Secret::hex(KEY).unwrap();
    let aella = Aella::new(secret()).unwrap();
    let of_body = [BodyBit, Truncated, Folded, OtherEncoding];
    refuses(aella.scheme(), &sealed(&aella, TRANSFER), &[&OF_PROOFS, &of_body, &[Rewritten, EmptyKey]]);
    let opp = opp_provider();
    refuses(opp.scheme(), &sealed(&opp, PAYMENT), &[&OF_PROOFS, &of_body, &OF_NONCES]);
    let opp = opp_provider().sealed_as(Wrapper::Json).unwrap();
    refuses(opp.scheme(), &sealed(&opp, PAYMENT), &[&OF_PROOFS, &of_body, &OF_NONCES, &OF_ENVELOPES]);
    let bank = BankingCircle::new(secret()).unwrap();
    refuses(bank.scheme(), &sealed(&bank, "{}"), &[&OF_PROOFS, &of_body, &OF_NONCES]);
    let sibs = Sibs::new(secret()).unwrap();
    refuses(sibs.scheme(), &sealed(&sibs, "{}"), &[&OF_PROOFS, &of_body, &OF_NONCES]);
    let webhooks = StandardWebhooks::new(secret()).unwrap();
    let of_signed = [BodyBit, Truncated, Rewritten, OtherEncoding, EmptyKey, BarePrefix, Downgraded];
    let of_list = [SignedHeader, SignedTime];
    refuses(webhooks.scheme(), &sealed(&webhooks, "{}"), &[&OF_PROOFS, &of_signed, &of_list]);
    let mambu = Mambu::new();
    refuses(mambu.scheme(), &sealed(&mambu, "{}"), &[]);
}

#[test]
fn no_scheme_of_another_shape_takes_a_forgery() {
    use Forgery::*;
    let secret = || Secret::hex(KEY).unwrap();
    let header = HeaderName::from_static("x-signature");
    let of_body = [BodyBit, Truncated, Rewritten, OtherEncoding, BarePrefix];

    let labelled = Signed::new(header.clone(), Encoding::Hex).prefix("sha256=");
    let labelled = Hmac::new(MacAlgorithm::HmacSha256, labelled, secret()).unwrap();
    refuses(&labelled, &sealed_by(&labelled), &[&OF_PROOFS, &of_body, &[Folded, EmptyKey]]);

    let params = Signed::new(header.clone(), Encoding::Hex)
        .params(",", "v1")
        .template(Template::parse("{param:t}.{body}").unwrap())
        .timestamp(Tolerance::param("t", TimeUnit::Seconds));
    let params = Hmac::new(MacAlgorithm::HmacSha256, params, secret()).unwrap();
    refuses(&params, &sealed_by(&params), &[&OF_PROOFS, &of_body, &[Downgraded, SignedTime]]);

    let names = EnvelopeNames { iv: "iv".into(), tag: "tag".into(), ciphertext: "data".into() };
    let envelope = AesGcm::in_envelope(secret(), names, Encoding::Base64).unwrap();
    refuses(&envelope, &sealed_by(&envelope), &[&[BodyBit, Truncated], &OF_ENVELOPES]);

    let token = StaticToken::new(header, Secret::utf8("correct horse battery staple").unwrap()).unwrap();
    refuses(&token, &sealed_by(&token), &[&OF_PROOFS, &[Folded]]);
}

/// A sender that changes its keys signs with both, and either fits: a forgery leaves neither.
#[test]
fn each_of_several_signatures_is_forged() {
    let webhooks = StandardWebhooks::new(Secret::hex(KEY).unwrap()).unwrap();
    let mut delivery = sealed(&webhooks, "{}");
    let signature = delivery.headers()["webhook-signature"].to_str().unwrap().to_owned();
    let two = format!("{signature} {signature}").parse().unwrap();
    delivery.headers_mut().insert("webhook-signature", two);
    assert!(opens(webhooks.scheme(), &delivery));
    for how in [Forgery::ProofBit, Forgery::ProofTail, Forgery::HalfProof, Forgery::Downgraded, Forgery::OtherEncoding]
    {
        assert!(!opens(webhooks.scheme(), &forge(&delivery, webhooks.scheme(), how).unwrap()), "{how:?}");
    }
}

#[test]
fn no_bit_of_a_delivery_can_be_another() {
    fn flipped(provider: &impl Provider) -> usize {
        let (delivery, scheme) = (sealed(provider, r#"{"a":1}"#), provider.scheme());
        assert!(opens(scheme, &delivery));
        let taken = every_bit(&delivery, scheme).find(|flipped| opens(scheme, flipped));
        assert!(taken.is_none(), "{}: {taken:?}", scheme.name());
        every_bit(&delivery, scheme).count()
    }
    let secret = || Secret::hex(KEY).unwrap();
    // Of body and signature, 7 and 64 bytes, all that a header can hold.
    let aella = flipped(&Aella::new(secret()).unwrap());
    assert!((400..8 * (7 + 128)).contains(&aella), "{aella}");
    for count in [
        flipped(&opp_provider()),
        flipped(&opp_provider().sealed_as(Wrapper::Json).unwrap()),
        flipped(&BankingCircle::new(secret()).unwrap()),
        flipped(&Sibs::new(secret()).unwrap()),
        flipped(&StandardWebhooks::new(secret()).unwrap()),
    ] {
        assert!(count > 300, "{count}");
    }
    assert_eq!(flipped(&Mambu::new()), 0);
}

#[test]
fn a_delivery_of_another_time_is_refused_and_one_within_the_tolerance_is_none() {
    let webhooks = StandardWebhooks::new(Secret::hex(KEY).unwrap()).unwrap();
    let now = Sealing::new("2026-11-21T12:00:00Z".parse().unwrap(), &OsEntropy);
    let opens_now = |delivery: &Request<Bytes>| {
        webhooks.scheme().open(delivery.headers(), delivery.body().clone(), now.now).is_ok()
    };
    let message = || Message::new("{}").idempotency_key("msg_1");
    assert!(opens_now(&webhooks.seal(message(), &now).unwrap()));
    let limit = Duration::from_secs(300);
    let beyond = limit + Duration::from_secs(1);
    assert!(!opens_now(&stale(&webhooks, message(), &now, beyond).unwrap().unwrap()));
    assert!(!opens_now(&early(&webhooks, message(), &now, beyond).unwrap().unwrap()));
    assert!(stale(&webhooks, message(), &now, limit).unwrap().is_none());
    assert!(early(&webhooks, message(), &now, limit).unwrap().is_none());
    assert!(stale(&opp_provider(), Message::new("{}"), &now, beyond).unwrap().is_none(), "it proves no time");
    assert!(stale(&webhooks, message(), &now, Duration::MAX).is_err());
}

#[test]
fn the_proof_of_one_delivery_is_none_of_another() {
    let opp = opp_provider();
    let (one, other) = (sealed(&opp, PAYMENT), sealed(&opp, "{}"));
    assert!(opens(opp.scheme(), &one) && opens(opp.scheme(), &other));
    assert!(!opens(opp.scheme(), &spliced(&one, &other, opp.scheme()).unwrap()));
    assert!(spliced(&one, &one, opp.scheme()).is_none());
    assert!(spliced(&one, &other, Mambu::new().scheme()).is_none());
}
