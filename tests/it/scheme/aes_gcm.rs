use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::{Encoding, TextEncoding};
use tower_webhook::scheme::{AesGcm, BodyForm, CipherHeaders, EnvelopeNames, Scheme, SealError, Sealing};
use tower_webhook::secret::{KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{
    CANARY, NOW, assert_mismatch, assert_no_canary, assert_rotates, at, cases, change, changed, expired, flips, kind,
    name, no_entropy, open, rotation, seal, seal_error, text, vector,
};

const IV: &str = "x-initialization-vector";
const TAG: &str = "x-authentication-tag";
const SUM: &str = "checksum";

fn scheme(keys: impl Into<KeyRing>, encoding: Encoding, body: BodyForm) -> AesGcm {
    AesGcm::in_headers(keys, CipherHeaders { iv: name(IV), tag: name(TAG) }, encoding, body).unwrap()
}

fn envelope(keys: impl Into<KeyRing>, encoding: Encoding) -> AesGcm {
    AesGcm::in_envelope(
        keys,
        EnvelopeNames { iv: "iv".into(), tag: "authTag".into(), ciphertext: "encryptedBody".into() },
        encoding,
    )
    .unwrap()
}

fn wrapped_or_text(encoding: Encoding) -> BodyForm {
    BodyForm::WrappedOrText(encoding, "encryptedBody".into())
}

fn text_or_wrapped(encoding: Encoding) -> BodyForm {
    BodyForm::TextOrWrapped(encoding, "encryptedBody".into())
}

fn canary() -> Secret {
    Secret::utf8(CANARY).unwrap()
}

/// The decoded parts of a vector.
struct Parts {
    key: Vec<u8>,
    iv: Vec<u8>,
    tag: Vec<u8>,
    body: Vec<u8>,
    plaintext: String,
}

fn hex(vector: &serde_json::Value, name: &str) -> Vec<u8> {
    Encoding::Hex.decode(text(vector, name).as_bytes()).unwrap()
}

fn base64(vector: &serde_json::Value, name: &str) -> Vec<u8> {
    Encoding::Base64.decode(text(vector, name).as_bytes()).unwrap()
}

fn opp() -> Parts {
    let opp = vector("opp");
    Parts {
        key: hex(&opp, "key_hex"),
        iv: hex(&opp, "iv_hex"),
        tag: hex(&opp, "tag_hex"),
        body: hex(&opp, "body_hex"),
        plaintext: text(&opp, "plaintext").into(),
    }
}

/// One flipped bit after another in key, IV, tag and ciphertext.
fn assert_bits_matter(parts: &Parts, open: impl Fn(&[u8], &[u8], &[u8], &[u8]) -> super::Outcome) {
    let Parts { key, iv, tag, body, plaintext } = parts;
    let opened = open(key, iv, tag, body).unwrap();
    assert_eq!((&opened.plaintext[..], opened.key_id.as_deref()), (plaintext.as_bytes(), Some("default")));
    flips(key).for_each(|key| assert_mismatch("key", open(&key, iv, tag, body)));
    flips(iv).for_each(|iv| assert_mismatch("iv", open(key, &iv, tag, body)));
    flips(tag).for_each(|tag| assert_mismatch("tag", open(key, iv, &tag, body)));
    flips(body).for_each(|body| assert_mismatch("body", open(key, iv, tag, &body)));
}

#[test]
fn the_published_vector_opens_in_every_form_and_no_flipped_bit_of_it_does() {
    for encoding in [Encoding::Hex, Encoding::Base64] {
        let in_headers = |form: BodyForm, write: &dyn Fn(&[u8]) -> Vec<u8>| {
            assert_bits_matter(&opp(), |key, iv, tag, body| {
                let scheme = scheme(Secret::bytes(key).unwrap(), encoding, form.clone());
                open(&scheme, &[(IV, &encoding.encode(iv)), (TAG, &encoding.encode(tag))], &write(body))
            });
        };
        let as_text = |body: &[u8]| encoding.encode(body).into_bytes();
        let as_json = |body: &[u8]| format!(r#"{{"encryptedBody":"{}"}}"#, encoding.encode(body)).into_bytes();
        in_headers(BodyForm::Raw, &<[u8]>::to_vec);
        in_headers(BodyForm::Text(encoding), &as_text);
        for form in [wrapped_or_text(encoding), text_or_wrapped(encoding)] {
            in_headers(form.clone(), &as_text);
            in_headers(form, &as_json);
        }
        assert_bits_matter(&opp(), |key, iv, tag, body| {
            let [iv, tag, body] = [iv, tag, body].map(|bytes| encoding.encode(bytes));
            let json = format!(r#"{{"iv":"{iv}","encryptedBody":"{body}","authTag":"{tag}"}}"#);
            open(&envelope(Secret::bytes(key).unwrap(), encoding), &[], json.as_bytes())
        });
    }
}

#[test]
fn the_published_headers_and_body_open_as_they_are_written() {
    let opp = vector("opp");
    let scheme = scheme(Secret::hex(text(&opp, "key_hex")).unwrap(), Encoding::Hex, text_or_wrapped(Encoding::Hex));
    let (iv, tag, body) = (text(&opp, "iv_hex"), text(&opp, "tag_hex"), text(&opp, "body_hex"));
    let lower = body.to_lowercase();
    for body in [body, &lower, &format!("\r\n {body}\t\n"), &format!("{}{}", &body[..10], &lower[10..])] {
        let opened = open(&scheme, &[(IV, iv), (TAG, tag)], body.as_bytes()).unwrap();
        assert_eq!(opened.plaintext, text(&opp, "plaintext"), "{body}");
    }
}

fn bank(key: &[u8]) -> AesGcm {
    scheme(Secret::bytes(key).unwrap(), Encoding::Base64, BodyForm::Raw).text(TextEncoding::Utf16Le)
}

#[test]
fn the_utf16_vector_opens_and_no_flipped_bit_of_it_or_its_checksum_does() {
    let bank_vector = vector("banking_circle");
    let parts = Parts {
        key: text(&bank_vector, "key_utf8").into(),
        iv: base64(&bank_vector, "nonce_b64"),
        tag: base64(&bank_vector, "tag_b64"),
        body: hex(&bank_vector, "body_hex"),
        plaintext: text(&bank_vector, "plaintext").into(),
    };
    let sum = base64(&bank_vector, "checksum_b64");
    let with_sum = |scheme: AesGcm, sum: &[u8], iv: &[u8], tag: &[u8], body: &[u8]| {
        let [iv, tag, sum] = [iv, tag, sum].map(|bytes| Encoding::Base64.encode(bytes));
        open(&scheme, &[(IV, &iv), (TAG, &tag), (SUM, &sum)], body)
    };
    for build in [AesGcm::checksum, AesGcm::require_checksum] {
        let scheme = |key: &[u8]| build(bank(key), name(SUM));
        assert_bits_matter(&parts, |key, iv, tag, body| with_sum(scheme(key), &sum, iv, tag, body));
        for sum in flips(&sum) {
            assert_mismatch("checksum", with_sum(scheme(&parts.key), &sum, &parts.iv, &parts.tag, &parts.body));
        }
    }
    // Without the option the header says nothing.
    assert!(with_sum(bank(&parts.key), &[0; 32], &parts.iv, &parts.tag, &parts.body).is_ok());
}

#[test]
fn a_checksum_may_be_absent_unless_it_is_required_and_stands_once() {
    let sealer = bank(CANARY.as_bytes()).checksum(name(SUM));
    let (headers, body) = seal(&sealer, "{}");
    let good = headers[SUM].to_str().unwrap();
    assert_eq!(good, "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=", "SHA-256 of {{}} in UTF-8");
    let wrong = Encoding::Base64.encode(&[0; 32]);
    let short = Encoding::Base64.encode(&[0; 31]);
    let in_hex = Encoding::Hex.encode(&Encoding::Base64.decode(good.as_bytes()).unwrap());
    let (missing, repeated) = (Some(RejectionKind::SignatureMissing), Some(RejectionKind::HeaderRepeated));
    let malformed = Some(RejectionKind::HeaderMalformed);
    type Row<'a> = (&'a str, &'a [&'a str], Option<RejectionKind>, Option<RejectionKind>);
    let table: [Row<'_>; 8] = [
        ("good", &[good], None, None),
        ("absent", &[], None, missing),
        ("blank", &[" "], missing, missing),
        ("twice the same", &[good, good], repeated, repeated),
        ("twice", &[good, &wrong], repeated, repeated),
        ("short", &[&short], malformed, malformed),
        ("hexadecimal", &[&in_hex], malformed, malformed),
        ("wrong", &[&wrong], Some(RejectionKind::SignatureMismatch), Some(RejectionKind::SignatureMismatch)),
    ];
    for (case, values, when_checked, when_required) in table {
        let mut headers = headers.clone();
        headers.remove(SUM);
        for value in values {
            headers.append(SUM, value.parse().unwrap());
        }
        let required = bank(CANARY.as_bytes()).require_checksum(name(SUM));
        assert_eq!(kind(sealer.open(&headers, body.clone(), NOW)), when_checked, "{case}, checked");
        assert_eq!(kind(required.open(&headers, body.clone(), NOW)), when_required, "{case}, required");
    }
}

#[test]
fn tags_of_sixteen_and_ivs_of_twelve_bytes_are_the_only_ones() {
    let Parts { key, iv, tag, body, .. } = opp();
    let key = Secret::bytes(key).unwrap();
    // As long as asked for: the true bytes cut short, or with zeros behind.
    let sized = |bytes: &[u8], length: usize| [bytes, &[0; 8]].concat()[..length].to_vec();
    let mut lengths: Vec<(usize, usize)> = (0..=17).map(|tag| (12, tag)).collect();
    lengths.extend([0, 1, 8, 11, 13, 16].map(|iv| (iv, 16)));
    for encoding in [Encoding::Hex, Encoding::Base64] {
        for (iv_length, tag_length) in &lengths {
            let iv = encoding.encode(&sized(&iv, *iv_length));
            let tag = encoding.encode(&sized(&tag, *tag_length));
            let body = encoding.encode(&body);
            let in_headers = scheme(key.clone(), encoding, BodyForm::Text(encoding));
            let json = format!(r#"{{"iv":"{iv}","encryptedBody":"{body}","authTag":"{tag}"}}"#);
            let (by_header, by_body) = match (iv_length, tag_length) {
                (12, 16) => (None, None),
                (0, _) | (_, 0) => (Some(RejectionKind::SignatureMissing), Some(RejectionKind::BodyMalformed)),
                _ => (Some(RejectionKind::HeaderMalformed), Some(RejectionKind::BodyMalformed)),
            };
            let case = format!("{encoding:?}, IV {iv_length}, tag {tag_length}");
            let opened = open(&in_headers, &[(IV, &iv), (TAG, &tag)], body.as_bytes());
            assert_eq!(kind(opened), by_header, "{case}");
            assert_eq!(kind(open(&envelope(key.clone(), encoding), &[], json.as_bytes())), by_body, "{case}");
        }
    }
}

#[test]
fn iv_and_tag_stand_once_and_in_their_encoding() {
    let opp = vector("opp");
    let (iv, tag, body) = (text(&opp, "iv_hex"), text(&opp, "tag_hex"), text(&opp, "body_hex"));
    let scheme = scheme(Secret::hex(text(&opp, "key_hex")).unwrap(), Encoding::Hex, BodyForm::Text(Encoding::Hex));
    let other = "f".repeat(32);
    let spaced = format!("{}  {}", &tag[..15], &tag[17..]);
    let zero_x = format!("0x{}", &tag[2..]);
    let (missing, repeated) = (Some(RejectionKind::SignatureMissing), Some(RejectionKind::HeaderRepeated));
    let malformed = Some(RejectionKind::HeaderMalformed);
    type Row<'a> = (&'a str, &'a [(&'static str, &'a str)], Option<RejectionKind>);
    let table: [Row<'_>; 13] = [
        ("good", &[(IV, iv), (TAG, tag)], None),
        ("no header", &[], missing),
        ("no IV", &[(TAG, tag)], missing),
        ("no tag", &[(IV, iv)], missing),
        ("blank tag", &[(IV, iv), (TAG, " ")], missing),
        ("IV twice", &[(IV, iv), (IV, iv), (TAG, tag)], repeated),
        ("tag twice", &[(IV, iv), (TAG, tag), (TAG, tag)], repeated),
        ("another tag behind", &[(IV, iv), (TAG, tag), (TAG, &other)], repeated),
        ("another tag in front", &[(IV, iv), (TAG, &other), (TAG, tag)], repeated),
        ("spaces inside", &[(IV, iv), (TAG, &spaced)], malformed),
        ("0x", &[(IV, iv), (TAG, &zero_x)], malformed),
        ("not hexadecimal", &[(IV, iv), (TAG, "g0573FB7A41AB78E743180DC83FF09BD")], malformed),
        ("not ASCII", &[(IV, "00000000000000000000\u{e9}0"), (TAG, tag)], malformed),
    ];
    for (case, pairs, expected) in table {
        assert_eq!(kind(open(&scheme, pairs, body.as_bytes())), expected, "{case}");
    }
}

#[test]
fn a_body_in_another_form_is_malformed() {
    let opp = vector("opp");
    let key = Secret::hex(text(&opp, "key_hex")).unwrap();
    let (iv, tag, body) = (text(&opp, "iv_hex"), text(&opp, "tag_hex"), text(&opp, "body_hex"));
    let (text, both) = (BodyForm::Text(Encoding::Hex), text_or_wrapped(Encoding::Hex));
    let escaped = format!(r#" {{"x":[1,{{}}],"encrypted\u0042ody":"\u0030{}"}} "#, &body[1..]);
    let table = [
        ("text", &both, body.to_owned(), true),
        ("wrapped, with escapes and a sibling", &both, escaped, true),
        ("wrapped, where only text is taken", &text, format!(r#"{{"encryptedBody":"{body}"}}"#), false),
        ("name twice", &both, format!(r#"{{"encryptedBody":"{body}","encryptedBody":"{body}"}}"#), false),
        ("name twice, once escaped", &both, format!(r#"{{"encryptedBody":"{body}","encrypted\u0042ody":""}}"#), false),
        ("another name", &both, format!(r#"{{"encryptedbody":"{body}"}}"#), false),
        ("space inside the JSON text", &both, format!(r#"{{"encryptedBody":" {body}"}}"#), false),
        ("JSON text alone", &both, format!(r#""{body}""#), false),
        ("more behind the object", &both, format!(r#"{{"encryptedBody":"{body}"}}00"#), false),
        ("line end inside", &text, format!("{}\n{}", &body[..4], &body[4..]), false),
        ("odd", &text, body[1..].to_owned(), false),
        ("0x", &text, format!("0x{body}"), false),
        ("not ASCII", &text, format!("{body}\u{e9}"), false),
    ];
    for (case, form, body, good) in table {
        let opened = open(&scheme(key.clone(), Encoding::Hex, form.clone()), &[(IV, iv), (TAG, tag)], body.as_bytes());
        assert_eq!(kind(opened), (!good).then_some(RejectionKind::BodyMalformed), "{case}");
    }
}

#[test]
fn a_plaintext_that_is_not_utf16_is_the_senders_fault_and_not_a_forgery() {
    let writes_bytes = scheme(canary(), Encoding::Base64, BodyForm::Raw);
    for (plaintext, expected) in [
        (&b"\xFF\xFE{\0}\0"[..], None),
        (b"odd", Some(RejectionKind::PayloadMalformed)),
        (b"\x3C\xD8", Some(RejectionKind::PayloadMalformed)),
    ] {
        let (headers, body) = seal(&writes_bytes, plaintext);
        let opened = bank(CANARY.as_bytes()).open(&headers, body, NOW);
        assert_eq!(opened.as_ref().err().map(|refused| refused.kind()), expected, "{plaintext:?}");
        assert!(opened.is_err() || opened.unwrap().plaintext == "{}");
    }
}

#[test]
fn a_key_is_taken_within_its_time_and_named() {
    let (old, new) = (Secret::bytes([1; 32]).unwrap(), Secret::bytes([2; 32]).unwrap());
    let build = |keys: KeyRing| scheme(keys, Encoding::Hex, BodyForm::Raw);
    assert_rotates(&build(old.clone().into()), &build(new.clone().into()), &build(rotation(&old, &new)));
}

#[test]
fn with_two_valid_keys_no_flipped_bit_opens() {
    let (old, new) = (Secret::bytes([1; 32]).unwrap(), Secret::bytes([2; 32]).unwrap());
    let both = scheme(rotation(&old, &new), Encoding::Hex, BodyForm::Raw);
    for key in [old, new] {
        let (headers, body) = seal(&scheme(key, Encoding::Hex, BodyForm::Raw), "{}");
        let now = at("2026-01-01T01:30:00Z");
        assert!(both.open(&headers, body.clone(), now).is_ok());
        for body in flips(&body) {
            assert_mismatch("body", both.open(&headers, body.into(), now));
        }
    }
}

#[test]
fn a_key_has_thirty_two_bytes() {
    for length in [1, 16, 24, 31, 32, 33, 64] {
        let key = || Secret::bytes(vec![7; length]).unwrap();
        let expected =
            (length != 32).then_some(ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: length }));
        let in_headers =
            AesGcm::in_headers(key(), CipherHeaders { iv: name(IV), tag: name(TAG) }, Encoding::Hex, BodyForm::Raw);
        let in_envelope = AesGcm::in_envelope(
            key(),
            EnvelopeNames { iv: "iv".into(), tag: "tag".into(), ciphertext: "text".into() },
            Encoding::Hex,
        );
        assert_eq!((in_headers.err(), in_envelope.err()), (expected.clone(), expected), "{length}");
    }
}

#[test]
fn the_published_vector_is_sealed_when_its_iv_is_drawn() {
    let zeros = |out: &mut [u8]| {
        out.fill(0);
        Ok(())
    };
    let opp = opp();
    let scheme = scheme(Secret::bytes(opp.key).unwrap(), Encoding::Hex, wrapped_or_text(Encoding::Hex));
    let mut headers = super::headers(&[(IV, "one"), (IV, "two")]);
    let body = scheme.seal(opp.plaintext.into(), &mut headers, &Sealing::new(NOW, &zeros)).unwrap();
    assert_eq!(body, r#"{"encryptedBody":"0a3471c72d9be49a8520f79c66bbd9a12ff9"}"#);
    assert_eq!(headers, super::headers(&[(IV, &"0".repeat(24)), (TAG, "ce573fb7a41ab78e743180dc83ff09bd")]));
}

#[test]
fn each_seal_draws_its_own_iv() {
    let scheme = scheme(canary(), Encoding::Hex, BodyForm::Raw);
    let (first, second) = (seal(&scheme, "{}"), seal(&scheme, "{}"));
    assert_ne!(first.0[IV], second.0[IV]);
    assert_ne!(first.1, second.1);
}

#[test]
fn what_cannot_be_sealed_is_an_error() {
    let scheme = || scheme(canary(), Encoding::Hex, BodyForm::Raw);
    let drained = scheme().seal("{}".into(), &mut HeaderMap::new(), &Sealing::new(NOW, &no_entropy));
    assert_eq!(drained.err(), Some(SealError::NoEntropy));
    let wide = scheme().text(TextEncoding::Utf16Le);
    assert_eq!(seal_error(&wide, b"\xFF"), Some(SealError::Unencodable));
    assert_eq!(seal_error(&wide, b"{}"), None);
    let (headers, body) = seal(&scheme(), "{}");
    let gone = super::aes_gcm::scheme(expired(&canary()), Encoding::Hex, BodyForm::Raw);
    assert_eq!(seal_error(&gone, b"{}"), Some(SealError::NoValidKey));
    assert_mismatch("no valid key", gone.open(&headers, body, NOW));
}

#[test]
fn nothing_prints_the_key_or_the_plaintext() {
    let scheme = scheme(canary(), Encoding::Hex, text_or_wrapped(Encoding::Hex)).checksum(name(SUM));
    let (mut headers, body) = seal(&scheme, CANARY);
    let opened = scheme.open(&headers, body.clone(), NOW).unwrap();
    headers.insert(SUM, Encoding::Base64.encode(&[0; 32]).parse().unwrap());
    let refused = scheme.open(&headers, body, NOW).unwrap_err();
    let envelope = envelope(canary(), Encoding::Hex);
    let unread = open(&envelope, &[], format!(r#"{{"iv":"{CANARY}","authTag":"","encryptedBody":""}}"#).as_bytes());
    let (sealing, no_key) = (Sealing::new(NOW, &OsEntropy), Secret::utf8("canary").unwrap());
    let no_key =
        AesGcm::in_headers(no_key, CipherHeaders { iv: name(IV), tag: name(TAG) }, Encoding::Hex, BodyForm::Raw)
            .unwrap_err();
    assert_no_canary(&format!("{scheme:?} {scheme:#?} {envelope:?} {opened:?} {refused:?} {unread:?} {sealing:?}"));
    assert_no_canary(&format!("{no_key:?} {no_key}"));
}

/// The scheme with every form of body in turn.
fn forms(key: Vec<u8>, encoding: Encoding, form: usize) -> AesGcm {
    let key = Secret::bytes(key).unwrap();
    match form {
        0 => scheme(key, encoding, BodyForm::Raw),
        1 => scheme(key, encoding, BodyForm::Text(encoding)),
        2 => scheme(key, encoding, text_or_wrapped(encoding)),
        3 => scheme(key, encoding, wrapped_or_text(encoding)),
        _ => envelope(key, encoding),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_it_seals_it_opens_and_one_changed_byte_it_does_not(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        key in proptest::collection::vec(any::<u8>(), 32),
        base64: bool,
        form in 0..5_usize,
        change in change(),
    ) {
        let encoding = if base64 { Encoding::Base64 } else { Encoding::Hex };
        let scheme = forms(key, encoding, form);
        let sealed = seal(&scheme, body.clone());
        prop_assert_eq!(scheme.open(&sealed.0, sealed.1.clone(), NOW).unwrap().plaintext, Bytes::from(body));
        if let Some((headers, body)) = changed(&sealed, encoding, change) {
            prop_assert!(scheme.open(&headers, body, NOW).is_err());
        }
    }

    #[test]
    fn what_it_seals_as_utf16_it_opens_and_one_changed_byte_it_does_not(
        // A byte order mark in front would be dropped, as it should be.
        body in "[^\u{feff}]\\PC{0,80}",
        key in proptest::collection::vec(any::<u8>(), 32),
        base64: bool,
        form in 0..5_usize,
        change in change(),
    ) {
        let encoding = if base64 { Encoding::Base64 } else { Encoding::Hex };
        let scheme = forms(key, encoding, form).text(TextEncoding::Utf16Le).require_checksum(name(SUM));
        let sealed = seal(&scheme, body.clone());
        prop_assert_eq!(scheme.open(&sealed.0, sealed.1.clone(), NOW).unwrap().plaintext, body);
        // The checksum is Base64 whatever the rest is, so its case counts; hexadecimal's does not.
        if let Some((headers, body)) = changed(&sealed, encoding, change) {
            prop_assert!(scheme.open(&headers, body, NOW).is_err());
        }
    }
}
