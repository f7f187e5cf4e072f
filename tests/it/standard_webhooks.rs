//! Standard Webhooks: the published vectors, both kinds of signature, both spellings, and rotation.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_webhook::clock::{NoEntropy, OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding::Base64;
use tower_webhook::event::Project;
use tower_webhook::provider::standard_webhooks::{Spelling, StandardWebhooks, public_key, secret, secret_key};
use tower_webhook::provider::{Delivered, Message, Provider};
use tower_webhook::scheme::{SealError, Sealing};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

use crate::support::flips;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// The key pair of the seed 00 01 02 … 1f, and a signature of it that another library (OpenSSL's) has made.
const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PRIVATE_AND_PUBLIC: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const V1A: &str = "v1a,9WMPN5fBW9vm1uGlvFzBO4lpdfFKN4AQCSr2vrWsFuOibXSOTWlcWrPRSWk+YpmD9fAwgYREKtLcYCyZrvXFBw==";
/// The specification's example. It publishes no keys with it.
const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const TIME: i64 = 1_674_087_231;
const BODY: &str = r#"{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}"#;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn shared() -> StandardWebhooks {
    StandardWebhooks::new(secret(SECRET).unwrap()).unwrap()
}

fn asymmetric() -> StandardWebhooks {
    StandardWebhooks::asymmetric(public_key(PUBLIC).unwrap()).unwrap()
}

fn headers(id: &str, time: &str, signature: &str) -> HeaderMap {
    spelled("webhook", id, time, signature)
}

fn spelled(prefix: &'static str, id: &str, time: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [("id", id), ("timestamp", time), ("signature", signature)] {
        let name: http::HeaderName = format!("{prefix}-{name}").parse().unwrap();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// `v1` by the MAC's own library.
fn v1(key: &[u8], id: &str, time: &str, body: &[u8]) -> String {
    use hmac::{KeyInit as _, Mac as _};
    let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    format!("v1,{}", Base64.encode(&mac.chain_update(signed).finalize().into_bytes()))
}

fn key() -> Vec<u8> {
    Base64.decode(SECRET.trim_start_matches("whsec_").as_bytes()).unwrap()
}

fn open(webhooks: &StandardWebhooks, headers: &HeaderMap, body: impl Into<Bytes>, now: i64) -> Option<RejectionKind> {
    kind(webhooks.scheme().open(headers, body.into(), second(now)))
}

fn kind<T>(result: Result<T, Rejection>) -> Option<RejectionKind> {
    result.err().map(|refused| refused.kind())
}

#[track_caller]
fn assert_mismatch(webhooks: &StandardWebhooks, headers: &HeaderMap, body: impl Into<Bytes>, now: i64) {
    let refused = webhooks.scheme().open(headers, body.into(), second(now)).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.detail()),
        (RejectionKind::SignatureMismatch, "no valid key fits this delivery")
    );
}

/// Opens, and is refused when any one bit of signature, body, id, time or key is flipped.
fn assert_bits_matter(
    webhooks: &StandardWebhooks,
    other_key: impl Fn(Vec<u8>) -> Option<StandardWebhooks>,
    key: &[u8],
    [id, time, body, signature]: [&str; 4],
) {
    let now = time.parse().unwrap();
    let good = headers(id, time, signature);
    assert_eq!(open(webhooks, &good, body.to_owned(), now), None, "{id}");
    let (prefix, encoded) = signature.split_at(signature.find(',').unwrap() + 1);
    for flipped in flips(&Base64.decode(encoded.as_bytes()).unwrap()) {
        let signature = format!("{prefix}{}", Base64.encode(&flipped));
        assert_mismatch(webhooks, &headers(id, time, &signature), body.to_owned(), now);
    }
    for flipped in flips(body.as_bytes()) {
        assert_mismatch(webhooks, &good, flipped, now);
    }
    for other in flips(key).filter_map(other_key) {
        assert_mismatch(&other, &good, body.to_owned(), now);
    }
    let refused = |changed: HeaderMap| {
        let kind = open(webhooks, &changed, body.to_owned(), now);
        let fair = [RejectionKind::SignatureMismatch, RejectionKind::HeaderMalformed];
        assert!(kind.is_some_and(|kind| fair.contains(&kind)), "{changed:?} {kind:?}");
    };
    for (name, value) in [("webhook-id", id), ("webhook-timestamp", time)] {
        for flipped in flips(value.as_bytes()).filter_map(|value| HeaderValue::from_bytes(&value).ok()) {
            let mut changed = good.clone();
            changed.insert(name, flipped);
            refused(changed);
        }
    }
}

#[test]
fn the_published_vector_opens_and_no_flipped_bit_of_it_does() {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    let vector = &all["standard_webhooks"][0];
    let [text, id, time, body, signature] =
        ["secret", "id", "timestamp", "body", "signature"].map(|name| vector[name].as_str().unwrap());
    let webhooks = StandardWebhooks::new(secret(text).unwrap()).unwrap();
    let other = |key: Vec<u8>| StandardWebhooks::new(Secret::bytes(key).unwrap()).ok();
    assert_eq!(text, SECRET);
    assert_bits_matter(&webhooks, other, &key(), [id, time, body, signature]);
}

#[test]
fn the_asymmetric_vector_opens_and_no_flipped_bit_of_it_does() {
    let public = Base64.decode(PUBLIC.trim_start_matches("whpk_").as_bytes()).unwrap();
    let other = |key: Vec<u8>| StandardWebhooks::asymmetric(Secret::bytes(key).unwrap()).ok();
    assert_bits_matter(&asymmetric(), other, &public, [ID, &TIME.to_string(), BODY, V1A]);
    for private in [PRIVATE, PRIVATE_AND_PUBLIC] {
        let sender = asymmetric().signing_key(secret_key(private).unwrap()).unwrap();
        let sealing = Sealing::new(second(TIME), &OsEntropy);
        let sent = sender.seal(Message::new(BODY).idempotency_key(ID), &sealing).unwrap();
        assert_eq!(
            (&sent.headers()["webhook-signature"], sent.headers()["webhook-id"].to_str().unwrap()),
            (&HeaderValue::from_static(V1A), ID)
        );
    }
}

#[test]
fn one_good_signature_among_others_is_enough_and_of_its_own_version() {
    let time = TIME.to_string();
    let good = v1(&key(), ID, &time, BODY.as_bytes());
    let bare = good.strip_prefix("v1,").unwrap();
    let old = v1(&[9; 24], ID, &time, BODY.as_bytes());
    let mismatch = Some(RejectionKind::SignatureMismatch);
    let malformed = Some(RejectionKind::HeaderMalformed);
    // The specification's own two, by keys that nobody knows.
    let published = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    for (case, signature, by_secret, by_public) in [
        ("v1", good.clone(), None, mismatch),
        ("v1a", V1A.to_owned(), mismatch, None),
        ("both", format!("{V1A} {good}"), None, None),
        ("both, after others", format!("{old} v2,x {published} {good} {V1A}"), None, None),
        ("others", format!("{old} {published}"), mismatch, mismatch),
        ("v1 as v1a", format!("v1a,{bare}"), mismatch, mismatch),
        ("v1a as v1", V1A.replacen("v1a", "v1", 1), mismatch, mismatch),
        ("v0", format!("v0,{bare}"), mismatch, mismatch),
        ("the prefixes", "v1, v1a,".into(), mismatch, mismatch),
        ("the prefix", "v1,".into(), mismatch, mismatch),
        ("commas between", format!("{good},{V1A}"), mismatch, mismatch),
        ("URL-safe", good.replace('+', "-").replace('/', "_").replace('=', ""), mismatch, mismatch),
        ("seventeen", format!("{}{good} {V1A}", "v1,x ".repeat(15)), malformed, malformed),
    ] {
        let sent = headers(ID, &time, &signature);
        assert_eq!(open(&shared(), &sent, BODY, TIME), by_secret, "{case}");
        assert_eq!(open(&asymmetric(), &sent, BODY, TIME), by_public, "{case}");
    }
    for (signature, webhooks) in [(good.as_str(), shared()), (V1A, asymmetric())] {
        for length in 0..signature.len() {
            assert!(open(&webhooks, &headers(ID, &time, &signature[..length]), BODY, TIME).is_some(), "{length}");
        }
    }
}

#[test]
fn of_several_secrets_any_opens_and_is_named() {
    let keys = [Key::new("new", secret(SECRET).unwrap()), Key::new("old", Secret::bytes([9; 24]).unwrap())];
    let webhooks = StandardWebhooks::new(KeyRing::new(keys).unwrap()).unwrap();
    let time = TIME.to_string();
    for (key, id) in [(&key()[..], Some("new")), (&[9; 24], Some("old")), (&[8; 24], None)] {
        let sent = headers(ID, &time, &v1(key, ID, &time, BODY.as_bytes()));
        let opened = webhooks.scheme().open(&sent, BODY.into(), second(TIME)).ok();
        assert_eq!(opened.and_then(|opened| opened.key_id).as_deref(), id);
    }
}

#[test]
fn the_age_is_bounded_on_both_sides_and_never_silently_unbounded() {
    let outside = Some(RejectionKind::TimestampOutside);
    let aged = |time: i64, webhooks: &StandardWebhooks| {
        let time = time.to_string();
        open(webhooks, &headers(ID, &time, &v1(&key(), ID, &time, BODY.as_bytes())), BODY, TIME)
    };
    for (age, expected) in [(300, None), (301, outside), (-300, None), (-301, outside), (TIME, outside)] {
        assert_eq!(aged(TIME - age, &shared()), expected, "{age}");
    }
    let told = shared().tolerance(Duration::from_secs(10), Duration::ZERO).unwrap();
    for (age, expected) in [(10, None), (11, outside), (0, None), (-1, outside)] {
        assert_eq!(aged(TIME - age, &told), expected, "{age}");
    }
    let any = shared().dangerous_without_tolerance().unwrap();
    assert_eq!(aged(0, &any), None);
    let forged = headers(ID, "1", &v1(&key(), ID, "0", BODY.as_bytes()));
    assert_mismatch(&any, &forged, BODY, TIME);
    let too_long = shared().tolerance(Duration::MAX, Duration::ZERO).unwrap_err();
    assert_eq!(
        too_long,
        ConfigError::new(ConfigErrorKind::OutOfRange("the tolerance of the timestamp (at most 30 days)"))
    );
}

#[test]
fn a_time_that_is_none_is_malformed_even_when_it_is_signed() {
    for time in ["-1", "+5", "i64", "1e9", "-9223372036854775808", "1000000000000000000000000000000", "1674087231.0"] {
        let sent = headers(ID, time, &v1(&key(), ID, time, BODY.as_bytes()));
        assert_eq!(open(&shared(), &sent, BODY, TIME), Some(RejectionKind::HeaderMalformed), "{time}");
    }
    for time in ["9223372036854775807", "18446744073709551615", "0"] {
        let sent = headers(ID, time, &v1(&key(), ID, time, BODY.as_bytes()));
        assert_eq!(open(&shared(), &sent, BODY, TIME), Some(RejectionKind::TimestampOutside), "{time}");
    }
}

#[test]
fn an_id_with_a_dot_is_refused_since_bytes_could_move() {
    let time = TIME.to_string();
    let sent = headers("msg.1", &time, &v1(&key(), "msg.1", &time, BODY.as_bytes()));
    assert_eq!(open(&shared(), &sent, BODY, TIME), Some(RejectionKind::HeaderMalformed));
    let sealing = Sealing::new(second(TIME), &OsEntropy);
    let refused = shared().seal(Message::new(BODY).idempotency_key("msg.1"), &sealing).unwrap_err();
    assert_eq!(refused, SealError::SignedHeader);
}

#[test]
fn each_header_stands_once() {
    let time = TIME.to_string();
    let good = headers(ID, &time, &v1(&key(), ID, &time, BODY.as_bytes()));
    assert_eq!(open(&shared(), &good, BODY, TIME), None);
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut without = good.clone();
        let value = without.remove(name).unwrap();
        assert_eq!(open(&shared(), &without, BODY, TIME), Some(RejectionKind::SignatureMissing), "{name}");
        without.insert(name, HeaderValue::from_static(" "));
        assert_eq!(open(&shared(), &without, BODY, TIME), Some(RejectionKind::SignatureMissing), "{name}");
        let mut twice = good.clone();
        twice.append(name, value);
        assert_eq!(open(&shared(), &twice, BODY, TIME), Some(RejectionKind::HeaderRepeated), "{name}");
    }
}

#[test]
fn one_spelling_alone_is_a_choice_and_not_a_guess() {
    let time = TIME.to_string();
    let signature = v1(&key(), ID, &time, BODY.as_bytes());
    let svix = shared().spelling(Spelling::Svix).unwrap();
    let missing = Some(RejectionKind::SignatureMissing);
    let webhook = shared().spelling(Spelling::Webhook).unwrap();
    for (prefix, by_webhook, by_svix) in [("webhook", None, missing), ("svix", missing, None)] {
        let sent = spelled(prefix, ID, &time, &signature);
        assert_eq!(open(&webhook, &sent, BODY, TIME), by_webhook, "{prefix}");
        assert_eq!(open(&svix, &sent, BODY, TIME), by_svix, "{prefix}");
    }
    let sent = spelled("svix", ID, &time, &signature);
    assert_eq!(svix.decode(&sent, BODY.into()).unwrap().into_iter().next().unwrap().key.as_str(), ID);
    assert_eq!(kind(webhook.decode(&sent, BODY.into())), Some(RejectionKind::KeyMissing));
    let both = asymmetric().signing_key(secret_key(PRIVATE).unwrap()).unwrap().spelling(Spelling::Svix).unwrap();
    let sealed = both.seal(Message::new(BODY).idempotency_key(ID), &Sealing::new(second(TIME), &OsEntropy)).unwrap();
    assert_eq!(sealed.headers()["svix-signature"], V1A);
}

/// A delivery with the headers of both spellings.
fn both(webhook: &HeaderMap, svix: &HeaderMap) -> HeaderMap {
    webhook.iter().chain(svix).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn either_spelling_is_taken_by_default_and_both_where_they_say_the_same() {
    for (provider, signature) in
        [(shared(), v1(&key(), ID, &TIME.to_string(), BODY.as_bytes())), (asymmetric(), V1A.into())]
    {
        let sent = |prefix| spelled(prefix, ID, &TIME.to_string(), &signature);
        for sent in [sent("webhook"), sent("svix"), both(&sent("webhook"), &sent("svix"))] {
            assert_eq!(provider.scheme().check_head(&sent).err().map(|no| no.kind()), None);
            assert_eq!(open(&provider, &sent, BODY, TIME), None, "{sent:?}");
            assert_eq!(open(&provider, &sent, "{}", TIME), Some(RejectionKind::SignatureMismatch), "{sent:?}");
            assert_eq!(open(&provider, &sent, BODY, TIME + 301), Some(RejectionKind::TimestampOutside), "{sent:?}");
            assert_eq!(provider.decode(&sent, BODY.into()).unwrap().only().unwrap().key.as_str(), ID);
        }
        let proofs = ["webhook-signature", "svix-signature"];
        assert_eq!(provider.scheme().proof_headers(), proofs);
        for id in ["webhook-id", "svix-id"] {
            assert!(provider.scheme().covers_header(&id.parse().unwrap()), "{id}");
        }
    }
}

#[test]
fn two_spellings_that_differ_are_refused_and_nothing_is_read_that_is_not_proved() {
    let time = TIME.to_string();
    let signature = v1(&key(), ID, &time, BODY.as_bytes());
    let good = |prefix| spelled(prefix, ID, &time, &signature);
    let judged = |sent: &HeaderMap| {
        let by_head = shared().scheme().check_head(sent).err().map(|no| no.kind());
        let opened = open(&shared(), sent, BODY, TIME);
        assert!(by_head.is_none() || by_head == opened, "{by_head:?} {opened:?}");
        opened
    };
    let (later, another) = ((TIME + 1).to_string(), v1(&key(), "other", &time, BODY.as_bytes()));
    for (id, time, signature) in [("other", &time, &signature), (ID, &later, &signature), (ID, &time, &another)] {
        for sent in [
            both(&good("webhook"), &spelled("svix", id, time, signature)),
            both(&spelled("webhook", id, time, signature), &good("svix")),
        ] {
            assert_eq!(judged(&sent), Some(RejectionKind::HeaderRepeated), "{sent:?}");
        }
    }
    // Whatever of one spelling is put beside the whole of the other: its id is never the key of what the other proves.
    for (whole, part) in [("webhook", "svix"), ("svix", "webhook")] {
        for (name, value) in [("id", "other"), ("id", ID), ("timestamp", &*time), ("signature", &*signature)] {
            let mut sent = good(whole);
            sent.insert(format!("{part}-{name}").parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
            match judged(&sent) {
                None => assert_eq!(shared().decode(&sent, BODY.into()).unwrap().only().unwrap().key.as_str(), ID),
                Some(RejectionKind::HeaderRepeated) => assert_eq!(value, "other"),
                Some(kind) => assert_eq!((kind, whole), (RejectionKind::SignatureMissing, "svix")),
            }
        }
    }
}

#[test]
fn an_event_is_keyed_by_the_id_and_named_by_its_body() {
    let decode = |body: &str| {
        let mut sent = headers("msg_1|a", "1", "v1,");
        sent.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        shared().decode(&sent, Bytes::from(body.to_owned())).unwrap().into_iter().next().unwrap()
    };
    let decoded = decode(BODY);
    assert_eq!((decoded.key.as_str(), decoded.event.name()), (r"msg_1\|a", "contact.created"));
    assert_eq!(decoded.occurred_at, Some("2022-11-03T20:26:10.344522Z".parse().unwrap()));
    assert_eq!((&decoded.raw[..], &decoded.event.body[..]), (BODY.as_bytes(), BODY.as_bytes()));
    let shared = json!({"kind": "notification", "name": "contact.created", "content_type": "application/json"});
    assert_eq!(serde_json::to_value(decoded.event.project()).unwrap(), shared);
    assert_eq!(decoded.event.json::<Value>().unwrap()["data"]["id"], "1f81eb52-5198-4599-803e-771906343485");
    for body in [r#"{"email":"a"}"#, r#"{"type":"","timestamp":"yesterday"}"#, r#"{"type":{}}"#, "[]", "plain text", ""]
    {
        let decoded = decode(body);
        assert_eq!((decoded.event.name.as_deref(), decoded.occurred_at), (None, None), "{body}");
        assert_eq!(decoded.event.body, body, "{body}");
    }
}

#[test]
fn keys_are_read_with_their_names_and_without_and_never_of_another_kind() {
    let bare = SECRET.trim_start_matches("whsec_");
    for text in [SECRET, bare] {
        let time = TIME.to_string();
        let sent = headers(ID, &time, &v1(&key(), ID, &time, BODY.as_bytes()));
        let webhooks = StandardWebhooks::new(secret(text).unwrap()).unwrap();
        assert_eq!(open(&webhooks, &sent, BODY, TIME), None, "{text}");
    }
    let base64 = ConfigError::new(ConfigErrorKind::Encoding("Base64"));
    for (case, read, expected) in [
        ("another kind", secret(PUBLIC), base64.clone()),
        ("a private key", public_key(PRIVATE), base64.clone()),
        ("a public key", secret_key(PUBLIC), base64.clone()),
        ("no Base64", secret("whsec_???"), base64.clone()),
        ("a name twice", secret(format!("whsec_{SECRET}")), base64),
        ("nothing", secret("whsec_"), ConfigError::new(ConfigErrorKind::EmptySecret)),
        ("a line end", secret(format!("{SECRET}\n")), ConfigError::new(ConfigErrorKind::SecretEdge)),
    ] {
        assert_eq!(read.unwrap_err(), expected, "{case}");
    }
    let short = StandardWebhooks::new(secret("whsec_AAECAwQFBgcICQoLDA0O").unwrap()).unwrap_err();
    assert_eq!(short, ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 15 }));
    let long = StandardWebhooks::asymmetric(secret(PRIVATE_AND_PUBLIC.trim_start_matches("whsk_")).unwrap());
    assert_eq!(long.unwrap_err(), ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: 64 }));
    let refused = shared().signing_key(secret_key(PRIVATE).unwrap()).unwrap_err();
    assert!(matches!(refused.kind(), ConfigErrorKind::Scheme(_)));
}

#[test]
fn a_message_without_a_key_gets_a_new_id() {
    let sealing = Sealing::new(second(TIME), &OsEntropy);
    let ids = [0, 1].map(|_| shared().seal(Message::new(BODY), &sealing).unwrap().headers()["webhook-id"].clone());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 36 && id.as_bytes().starts_with(b"msg_")), "{ids:?}");
    let no_entropy = |_: &mut [u8]| Err(NoEntropy);
    let refused = shared().seal(Message::new(BODY), &Sealing::new(second(TIME), &no_entropy)).unwrap_err();
    assert_eq!(refused, SealError::NoEntropy);
    let refused = asymmetric().seal(Message::new(BODY), &sealing).unwrap_err();
    assert_eq!(refused, SealError::NoValidKey);
}

#[test]
fn the_profile_is_the_specifications() {
    let webhooks = shared();
    let profile = webhooks.profile();
    assert_eq!((profile.name, profile.delivered), ("standard_webhooks", Delivered::AnySuccess));
    assert_eq!(profile.retries.horizon(), Duration::from_secs((75 * 60 + 35) * 60 + 5));
    assert_eq!(profile.retries.steps.len(), 9);
    assert_eq!(profile.retention(), (profile.retries.horizon() + Duration::from_hours(7 * 24)) * 6 / 5);
    let changed = webhooks.change_profile(|profile| profile.max_body = 7).spelling(Spelling::Svix).unwrap();
    assert_eq!(changed.profile().max_body, 7);
}

#[test]
fn nothing_prints_a_key() {
    let both = asymmetric().signing_key(secret_key(PRIVATE).unwrap()).unwrap();
    let printed = format!("{:?} {both:?}", shared());
    for secret in ["C2FVsBQIhrsc", "0b6155b01408", "11, 97, 85, 176", "AAECAwQFBgcI", "0, 1, 2, 3, 4"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_it_seals_it_opens_and_the_other_kind_does_not(
        body in prop::collection::vec(any::<u8>(), 0..100),
        id in "[a-zA-Z0-9_|-]{1,40}",
        now in 0..4_000_000_000_i64,
        public: bool,
        spelling in prop::sample::select(&[Spelling::Either, Spelling::Webhook, Spelling::Svix][..]),
    ) {
        let private = || asymmetric().signing_key(secret_key(PRIVATE).unwrap()).unwrap();
        let (right, wrong) = if public { (private(), shared()) } else { (shared(), private()) };
        let (right, wrong) = (right.spelling(spelling).unwrap(), wrong.spelling(spelling).unwrap());
        let sealing = Sealing::new(second(now), &OsEntropy);
        let sent = right.seal(Message::new(body.clone()).idempotency_key(&*id), &sealing).unwrap();
        let opened = right.scheme().open(sent.headers(), sent.body().clone(), second(now)).unwrap();
        prop_assert_eq!(&opened.plaintext, &Bytes::from(body));
        let decoded = right.decode(sent.headers(), opened.plaintext).unwrap().into_iter().next().unwrap();
        prop_assert_eq!(decoded.key.to_string(), id.replace('|', "\\|"));
        assert_mismatch(&wrong, sent.headers(), sent.body().clone(), now);
    }
}
