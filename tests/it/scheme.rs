//! The schemes against published and self-made vectors, each with its tampered twins.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tower_webhook::Rejection;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::{Encoding, TextEncoding};
use tower_webhook::scheme::{AesGcm, BodyForm, Hmac, MacAlgorithm, Opened, Scheme};
use tower_webhook::secret::Secret;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn vector(set: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    all[set][0].clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} is missing"))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

fn open(scheme: &dyn Scheme, pairs: &[(&'static str, &str)], body: &[u8]) -> Result<Opened, Rejection> {
    scheme.open(&headers(pairs), body.to_vec().into(), NOW)
}

#[test]
fn every_vector_opens() {
    let opp = vector("opp");
    let scheme = AesGcm::in_headers(
        Secret::hex(text(&opp, "key_hex")).unwrap(),
        name("x-initialization-vector"),
        name("x-authentication-tag"),
        Encoding::Hex,
        BodyForm::Text(Encoding::Hex),
    )
    .unwrap();
    let pairs = [("x-initialization-vector", text(&opp, "iv_hex")), ("x-authentication-tag", text(&opp, "tag_hex"))];
    let opened = open(&scheme, &pairs, text(&opp, "body_hex").as_bytes()).unwrap();
    assert_eq!(opened.plaintext, text(&opp, "plaintext"));

    let bank = vector("banking_circle");
    let scheme = AesGcm::in_headers(
        Secret::utf8(text(&bank, "key_utf8")).unwrap(),
        name("nonce"),
        name("authenticationtag"),
        Encoding::Base64,
        BodyForm::Raw,
    )
    .unwrap()
    .text(TextEncoding::Utf16Le)
    .require_checksum(name("checksum"));
    let pairs = [
        ("nonce", text(&bank, "nonce_b64")),
        ("authenticationtag", text(&bank, "tag_b64")),
        ("checksum", text(&bank, "checksum_b64")),
    ];
    let opened = open(&scheme, &pairs, &Encoding::Hex.decode(text(&bank, "body_hex").as_bytes()).unwrap()).unwrap();
    assert_eq!(opened.plaintext, text(&bank, "plaintext"));

    let aella = vector("aella");
    let secret = Secret::utf8(text(&aella, "key")).unwrap();
    let scheme = Hmac::new(MacAlgorithm::HmacSha512, name("x-aella-signature"), Encoding::Hex, secret).unwrap();
    let pairs = [("x-aella-signature", text(&aella, "signature_hex"))];
    assert!(open(&scheme, &pairs, text(&aella, "body").as_bytes()).is_ok());
}
