use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Scheme, SealError, Sealing, StaticToken, Unsigned};
use tower_webhook::secret::{KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{
    CANARY, NOW, assert_mismatch, assert_no_canary, assert_rotates, cases, change, changed, expired, flips, kind, name,
    open, rotation, seal, seal_error,
};

const HEADER: &str = "x-token";

fn token(keys: impl Into<KeyRing>) -> StaticToken {
    StaticToken::new(name(HEADER), keys).unwrap()
}

fn canary() -> Secret {
    Secret::utf8(CANARY).unwrap()
}

#[test]
fn the_secret_itself_opens_and_no_flipped_bit_or_other_length_of_it_does() {
    let scheme = token(canary());
    let opened = open(&scheme, &[(HEADER, CANARY)], b"{}").unwrap();
    assert_eq!((&opened.plaintext[..], opened.key_id.as_deref()), (&b"{}"[..], Some("default")));
    for value in flips(CANARY.as_bytes()).filter_map(|flipped| HeaderValue::from_bytes(&flipped).ok()) {
        let headers = HeaderMap::from_iter([(name(HEADER), value)]);
        assert_mismatch("flipped", scheme.open(&headers, "{}".into(), NOW));
    }
    for length in 1..CANARY.len() {
        assert_mismatch("short", open(&scheme, &[(HEADER, &CANARY[..length])], b"{}"));
    }
    assert_mismatch("long", open(&scheme, &[(HEADER, &format!("{CANARY}a"))], b"{}"));
    assert_mismatch("twice", open(&scheme, &[(HEADER, &format!("{CANARY}{CANARY}"))], b"{}"));
}

#[test]
fn the_header_stands_once() {
    let table: [(&[&str], Option<RejectionKind>); 6] = [
        (&[CANARY], None),
        (&[], Some(RejectionKind::SignatureMissing)),
        (&[" "], Some(RejectionKind::SignatureMissing)),
        (&[CANARY, CANARY], Some(RejectionKind::HeaderRepeated)),
        (&[CANARY, "other"], Some(RejectionKind::HeaderRepeated)),
        (&["other", CANARY], Some(RejectionKind::HeaderRepeated)),
    ];
    for (values, expected) in table {
        let pairs: Vec<_> = values.iter().map(|value| (HEADER, *value)).collect();
        assert_eq!(kind(open(&token(canary()), &pairs, b"{}")), expected, "{values:?}");
    }
}

#[test]
fn a_secret_that_no_header_can_carry_is_refused() {
    let table: [(&[u8], Option<ConfigError>); 6] = [
        (b"0123456789abcdef", None),
        (b"0123456789abcde", Some(ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 15 }))),
        (b"0123456789abcdef ", Some(ConfigError::new(ConfigErrorKind::SecretEdge))),
        (b"\t0123456789abcdef", Some(ConfigError::new(ConfigErrorKind::SecretEdge))),
        (b"0123456789\nabcdef", Some(ConfigError::new(ConfigErrorKind::Encoding("a header value")))),
        (b"0123456789\x7Fabcdef", Some(ConfigError::new(ConfigErrorKind::Encoding("a header value")))),
    ];
    for (secret, expected) in table {
        let built = StaticToken::new(name(HEADER), Secret::bytes(secret).unwrap());
        assert_eq!(built.err(), expected, "{secret:?}");
    }
}

#[test]
fn a_secret_is_taken_within_its_time_and_named() {
    let (old, new) = (Secret::utf8("the-old-secret-00").unwrap(), Secret::utf8("the-new-secret-00").unwrap());
    assert_rotates(&token(old.clone()), &token(new.clone()), &token(rotation(&old, &new)));
    let gone = token(expired(&old));
    assert_mismatch("expired", open(&gone, &[(HEADER, "the-old-secret-00")], b"{}"));
    let by_head = |token| {
        let headers = HeaderMap::from_iter([(name(HEADER), HeaderValue::from_static(token))]);
        gone.check_head(&headers).err().map(|no| no.kind())
    };
    assert_eq!(by_head("the-old-secret-00"), None, "without a clock nothing has expired");
    assert_eq!(by_head("the-new-secret-00"), Some(RejectionKind::SignatureMismatch));
    assert_eq!(seal_error(&gone, b"{}"), Some(SealError::NoValidKey));
}

#[test]
fn nothing_prints_the_secret_not_even_the_sealed_headers() {
    let scheme = token(canary());
    let (headers, _) = seal(&scheme, "{}");
    let refused = open(&scheme, &[(HEADER, "other")], b"{}").unwrap_err();
    assert_no_canary(&format!("{scheme:?} {scheme:#?} {headers:?} {refused:?}"));
}

#[test]
fn unsigned_passes_everything_and_says_that_it_proves_nothing() {
    assert!(!Unsigned.proves_sender());
    assert!(token(canary()).proves_sender());
    let (mut headers, body) = seal(&Unsigned, "{}");
    assert_eq!((headers.len(), &body[..]), (0, &b"{}"[..]));
    headers.insert("x-signature", HeaderValue::from_static("anything"));
    let opened = Unsigned.open(&headers, body, NOW).unwrap();
    assert_eq!((&opened.plaintext[..], opened.key_id), (&b"{}"[..], None));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_it_seals_it_opens_and_one_changed_byte_of_the_secret_it_does_not(
        body in proptest::collection::vec(any::<u8>(), 0..50),
        secret in "[!-~]{16,80}",
        change in change(),
    ) {
        let scheme = token(Secret::utf8(secret).unwrap());
        let mut headers = HeaderMap::new();
        scheme.seal(body.clone().into(), &mut headers, &Sealing::new(NOW, &OsEntropy)).unwrap();
        prop_assert_eq!(scheme.open(&headers, body.clone().into(), NOW).unwrap().plaintext, body.clone());
        // The body is not proved, so the change is one of the header.
        let sealed = (headers, bytes::Bytes::new());
        if let Some((headers, _)) = changed(&sealed, Encoding::Base64, change) {
            prop_assert!(scheme.open(&headers, body.into(), NOW).is_err());
        }
    }
}
