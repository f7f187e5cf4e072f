use bytes::Bytes;
use proptest::prelude::*;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, SealError, Sealing, Signed};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{
    CANARY, NOW, assert_mismatch, assert_no_canary, assert_rotates, cases, change, changed, expired, flips, kind, name,
    open, rotation, seal, seal_error, text, vector,
};

const HEADER: &str = "x-signature";
const ALGORITHMS: [MacAlgorithm; 2] = [MacAlgorithm::HmacSha256, MacAlgorithm::HmacSha512];

fn hmac(algorithm: MacAlgorithm, keys: impl Into<KeyRing>) -> Hmac {
    Hmac::new(algorithm, Signed::new(name(HEADER), Encoding::Hex), keys).unwrap()
}

fn prefixed(prefix: &'static str) -> Hmac {
    let signed = Signed::new(name(HEADER), Encoding::Hex).prefix(prefix);
    Hmac::new(MacAlgorithm::HmacSha256, signed, canary()).unwrap()
}

fn canary() -> Secret {
    Secret::utf8(CANARY).unwrap()
}

/// Number, key, data, and the MAC by each algorithm.
type Rfc4231 = (u8, Vec<u8>, Vec<u8>, [&'static str; 2]);

/// RFC 4231, section 4: cases 1-4, 6 and 7. Case 5 is a truncated MAC, and nothing takes those.
fn rfc_4231() -> [Rfc4231; 6] {
    [
        (
            1,
            vec![0x0B; 20],
            b"Hi There".to_vec(),
            [
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ],
        ),
        (
            2,
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            [
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ],
        ),
        (
            3,
            vec![0xAA; 20],
            vec![0xDD; 50],
            [
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ],
        ),
        (
            4,
            (1..=25).collect(),
            vec![0xCD; 50],
            [
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            ],
        ),
        (
            6,
            vec![0xAA; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            [
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ],
        ),
        (
            7,
            vec![0xAA; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. \
              The key needs to be hashed before being used by the HMAC algorithm."
                .to_vec(),
            [
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        ),
    ]
}

#[test]
fn the_rfc_vectors_open_and_no_flipped_bit_of_them_does() {
    for (case, key, data, tags) in rfc_4231() {
        for (algorithm, tag) in ALGORITHMS.into_iter().zip(tags) {
            assert_bits_matter(&format!("case {case}, {algorithm:?}"), algorithm, "", &key, &data, tag);
        }
    }
}

#[test]
fn the_provider_vectors_open_and_no_flipped_bit_of_them_does() {
    let aella = vector("aella");
    assert_bits_matter(
        "aella",
        MacAlgorithm::HmacSha512,
        "",
        text(&aella, "key").as_bytes(),
        text(&aella, "body").as_bytes(),
        text(&aella, "signature_hex"),
    );
    let prefixed = vector("hmac_sha256_hex_prefixed");
    assert_bits_matter(
        "prefixed",
        MacAlgorithm::HmacSha256,
        "sha256=",
        text(&prefixed, "secret").as_bytes(),
        text(&prefixed, "body").as_bytes(),
        text(&prefixed, "signature").strip_prefix("sha256=").unwrap(),
    );
}

/// Opens, and is refused with one answer when any one bit of signature, body or key is flipped.
fn assert_bits_matter(case: &str, algorithm: MacAlgorithm, prefix: &'static str, key: &[u8], body: &[u8], tag: &str) {
    let scheme = |key: &[u8]| {
        let secret = Secret::bytes(key).unwrap();
        let signed = Signed::new(name(HEADER), Encoding::Hex).prefix(prefix);
        Hmac::dangerous_short_keys(algorithm, signed, secret).unwrap()
    };
    let right = scheme(key);
    let header = format!("{prefix}{tag}");
    let opened = open(&right, &[(HEADER, &header)], body).expect(case);
    assert_eq!((&opened.plaintext[..], opened.key_id.as_deref()), (body, Some("default")), "{case}");
    for flipped in flips(&Encoding::Hex.decode(tag.as_bytes()).unwrap()) {
        let signature = format!("{prefix}{}", Encoding::Hex.encode(&flipped));
        assert_mismatch(case, open(&right, &[(HEADER, &signature)], body));
    }
    for flipped in flips(body) {
        assert_mismatch(case, open(&right, &[(HEADER, &header)], &flipped));
    }
    for flipped in flips(key) {
        assert_mismatch(case, open(&scheme(&flipped), &[(HEADER, &header)], body));
    }
}

#[test]
fn another_algorithm_does_not_fit() {
    for [sealer, opener] in [[0, 1], [1, 0]] {
        let (headers, body) = seal(&hmac(ALGORITHMS[sealer], canary()), "{}");
        assert_mismatch("another algorithm", hmac(ALGORITHMS[opener], canary()).open(&headers, body, NOW));
    }
}

#[test]
fn no_proper_prefix_and_no_longer_text_of_a_good_signature_is_taken() {
    for (algorithm, bytes) in ALGORITHMS.into_iter().zip([32, 64]) {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let scheme = Hmac::new(algorithm, Signed::new(name(HEADER), encoding), canary()).unwrap();
            let (headers, _) = seal(&scheme, "{}");
            let good = headers[HEADER].to_str().unwrap();
            assert!(open(&scheme, &[(HEADER, good)], b"{}").is_ok());
            for length in 0..good.len() {
                let refused = open(&scheme, &[(HEADER, &good[..length])], b"{}");
                assert!(refused.is_err(), "{algorithm:?} {encoding:?} {length}");
            }
            let tag = encoding.decode(good.as_bytes()).unwrap();
            assert_eq!(tag.len(), bytes);
            for length in 1..bytes {
                let short = encoding.encode(&tag[..length]);
                assert_mismatch("short", open(&scheme, &[(HEADER, &short)], b"{}"));
            }
            let long = encoding.encode(&[&tag[..], &[0]].concat());
            assert_mismatch("long", open(&scheme, &[(HEADER, &long)], b"{}"));
        }
    }
}

#[test]
fn the_header_stands_once_with_its_prefix_and_in_its_encoding() {
    let scheme = prefixed("sha256=");
    let (headers, _) = seal(&scheme, "{}");
    let good = headers[HEADER].to_str().unwrap();
    let bare = good.strip_prefix("sha256=").unwrap();
    let zeros = format!("sha256={}", "0".repeat(64));
    let upper = format!("sha256={}", bare.to_uppercase());
    let other_case = format!("SHA256={bare}");
    let spaced = format!("sha256= {bare}");
    let doubled = format!("sha256=sha256={bare}");
    let zero_x = format!("sha256=0x{bare}");
    let base64 = format!("sha256={}", Encoding::Base64.encode(&Encoding::Hex.decode(bare.as_bytes()).unwrap()));
    let two = format!("{good}, {good}");
    let accented = format!("{good}\u{e9}");
    let table: [(&str, &[&str], Option<RejectionKind>); 18] = [
        ("good", &[good], None),
        ("upper case", &[&upper], None),
        ("white space around", &[&format!(" {good}\t")], None),
        ("missing", &[], Some(RejectionKind::SignatureMissing)),
        ("empty", &[""], Some(RejectionKind::SignatureMissing)),
        ("blank", &[" \t"], Some(RejectionKind::SignatureMissing)),
        ("twice the same", &[good, good], Some(RejectionKind::HeaderRepeated)),
        ("good first", &[good, &zeros], Some(RejectionKind::HeaderRepeated)),
        ("good last", &[&zeros, good], Some(RejectionKind::HeaderRepeated)),
        ("two in one", &[&two], Some(RejectionKind::HeaderMalformed)),
        ("no prefix", &[bare], Some(RejectionKind::HeaderMalformed)),
        ("prefix in upper case", &[&other_case], Some(RejectionKind::HeaderMalformed)),
        ("prefix twice", &[&doubled], Some(RejectionKind::HeaderMalformed)),
        ("space behind the prefix", &[&spaced], Some(RejectionKind::HeaderMalformed)),
        ("0x", &[&zero_x], Some(RejectionKind::HeaderMalformed)),
        ("Base64", &[&base64], Some(RejectionKind::HeaderMalformed)),
        ("not ASCII", &[&accented], Some(RejectionKind::HeaderMalformed)),
        ("prefix alone", &["sha256="], Some(RejectionKind::SignatureMismatch)),
    ];
    for (case, values, expected) in table {
        let pairs: Vec<_> = values.iter().map(|value| (HEADER, *value)).collect();
        assert_eq!(kind(open(&scheme, &pairs, b"{}")), expected, "{case}");
    }
}

#[test]
fn a_key_is_taken_within_its_time_and_named() {
    let (old, new) = (Secret::bytes([1; 32]).unwrap(), Secret::bytes([2; 32]).unwrap());
    for algorithm in ALGORITHMS {
        let both = hmac(algorithm, rotation(&old, &new));
        assert_rotates(&hmac(algorithm, old.clone()), &hmac(algorithm, new.clone()), &both);
    }
}

#[test]
fn of_two_keys_that_fit_the_newest_is_named() {
    let keys = KeyRing::new(["newest", "same"].map(|id| Key::new(id, canary()))).unwrap();
    let (headers, body) = seal(&hmac(MacAlgorithm::HmacSha256, canary()), "{}");
    let opened = hmac(MacAlgorithm::HmacSha256, keys).open(&headers, body, NOW).unwrap();
    assert_eq!(opened.key_id.as_deref(), Some("newest"));
}

#[test]
fn without_a_valid_key_nothing_fits_and_nothing_is_sealed() {
    let (headers, body) = seal(&hmac(MacAlgorithm::HmacSha256, canary()), "{}");
    let gone = hmac(MacAlgorithm::HmacSha256, expired(&canary()));
    assert_mismatch("no valid key", gone.open(&headers, body, NOW));
    assert_eq!(seal_error(&gone, b"{}"), Some(SealError::NoValidKey));
}

#[test]
fn short_secrets_need_the_dangerous_constructor() {
    for (length, expected) in
        [(15, Some(ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 15 }))), (16, None)]
    {
        let secret = Secret::bytes(vec![7; length]).unwrap();
        for algorithm in ALGORITHMS {
            let safe = Hmac::new(algorithm, Signed::new(name(HEADER), Encoding::Hex), secret.clone());
            assert_eq!(safe.err(), expected, "{length}");
            let signed = Signed::new(name(HEADER), Encoding::Hex);
            assert!(Hmac::dangerous_short_keys(algorithm, signed, secret.clone()).is_ok());
        }
    }
}

#[test]
fn sealing_replaces_what_stood_in_the_header_and_leaves_the_body() {
    let scheme = hmac(MacAlgorithm::HmacSha256, canary());
    let mut headers = super::headers(&[(HEADER, "one"), (HEADER, "two")]);
    let body = scheme.seal("{}".into(), &mut headers, &Sealing::new(NOW, &OsEntropy)).unwrap();
    assert_eq!(body, "{}");
    assert!(scheme.open(&headers, body, NOW).is_ok());
    assert_eq!(seal_error(&prefixed("line\n"), b"{}"), Some(SealError::Header));
}

#[test]
fn nothing_prints_the_secret() {
    let scheme = hmac(MacAlgorithm::HmacSha256, canary());
    let refused = open(&scheme, &[(HEADER, "00")], b"{}").unwrap_err();
    let short =
        Hmac::new(MacAlgorithm::HmacSha256, Signed::new(name(HEADER), Encoding::Hex), Secret::utf8("canary").unwrap());
    assert_no_canary(&format!("{scheme:?} {scheme:#?} {refused:?} {refused} {:?}", short.unwrap_err()));
}

#[test]
fn nothing_prints_the_body() {
    let scheme = hmac(MacAlgorithm::HmacSha256, Secret::bytes([7; 32]).unwrap());
    let (headers, body) = seal(&scheme, CANARY);
    assert_no_canary(&format!("{:?}", scheme.open(&headers, body, NOW).unwrap()));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_it_seals_it_opens_and_one_changed_byte_it_does_not(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        key in proptest::collection::vec(any::<u8>(), 16..200),
        sha512: bool,
        base64: bool,
        change in change(),
    ) {
        let encoding = if base64 { Encoding::Base64 } else { Encoding::Hex };
        let secret = Secret::bytes(key).unwrap();
        let scheme = Hmac::new(ALGORITHMS[usize::from(sha512)], Signed::new(name(HEADER), encoding), secret).unwrap();
        let sealed = seal(&scheme, body.clone());
        prop_assert_eq!(scheme.open(&sealed.0, sealed.1.clone(), NOW).unwrap().plaintext, Bytes::from(body));
        if let Some((headers, body)) = changed(&sealed, encoding, change) {
            prop_assert!(scheme.open(&headers, body, NOW).is_err());
        }
    }
}
