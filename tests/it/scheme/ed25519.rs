use http::HeaderMap;
use proptest::prelude::*;
use tower_webhook::clock::OsEntropy;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Ed25519, Scheme, SealError, Sealing, Signed};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{NOW, assert_mismatch, assert_no_canary, assert_rotates, expired, flips, kind, name, open, rotation, seal};

const HEADER: &str = "x-signature";

/// RFC 8032, section 7.1: seed, public key, message, signature.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

fn bytes(hex: &str) -> Vec<u8> {
    Encoding::Hex.decode(hex.as_bytes()).unwrap()
}

fn signed() -> Signed {
    Signed::new(name(HEADER), Encoding::Hex)
}

fn scheme(public: impl Into<KeyRing>) -> Ed25519 {
    Ed25519::new(signed(), public).unwrap()
}

fn secret(hex: &str) -> Secret {
    Secret::hex(hex).unwrap()
}

fn pair(seed: &[u8; 32]) -> (Secret, Secret) {
    let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
    (Secret::bytes(*seed).unwrap(), Secret::bytes(public.to_bytes()).unwrap())
}

#[test]
fn the_rfc_vectors_open_and_are_sealed_and_no_flipped_bit_of_them_opens() {
    for [seed, public, message, signature] in RFC_8032 {
        let message = bytes(message);
        let right = scheme(secret(public));
        assert_eq!(open(&right, &[(HEADER, signature)], &message).expect(public).plaintext, message);
        for private in [seed.to_owned(), format!("{seed}{public}")] {
            let sealer = scheme(secret(public)).signing_key(&secret(&private)).unwrap();
            assert_eq!(seal(&sealer, message.clone()).0[HEADER], signature);
        }
        for flipped in flips(&bytes(signature)) {
            assert_mismatch(public, open(&right, &[(HEADER, &Encoding::Hex.encode(&flipped))], &message));
        }
        for flipped in flips(&message) {
            assert_mismatch(public, open(&right, &[(HEADER, signature)], &flipped));
        }
        for flipped in flips(&bytes(public)) {
            // Half of all strings are no point of the curve, and no key.
            if let Ok(other) = Ed25519::new(signed(), Secret::bytes(flipped).unwrap()) {
                assert_mismatch(public, open(&other, &[(HEADER, signature)], &message));
            }
        }
    }
}

#[test]
fn a_signature_has_sixty_four_bytes_and_its_scalar_one_spelling() {
    let [_, public, message, signature] = RFC_8032[1];
    let right = scheme(secret(public));
    let bytes_of = bytes(signature);
    for length in 0..64 {
        let short = Encoding::Hex.encode(&bytes_of[..length]);
        assert!(open(&right, &[(HEADER, &short)], &bytes(message)).is_err(), "{length}");
    }
    assert_mismatch("long", open(&right, &[(HEADER, &format!("{signature}00"))], &bytes(message)));
    assert_eq!(kind(open(&right, &[(HEADER, "v1")], b"")), Some(RejectionKind::HeaderMalformed));
    // The order of the group, added to the scalar: the same number by another name.
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut again = bytes_of;
    let mut carry = 0;
    for (byte, add) in again[32..].iter_mut().zip(&order) {
        let sum = u16::from(*byte) + u16::from(*add) + carry;
        (*byte, carry) = ((sum & 0xFF) as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    assert_mismatch("the same scalar", open(&right, &[(HEADER, &Encoding::Hex.encode(&again))], &bytes(message)));
}

#[test]
fn what_is_no_key_or_anybodys_is_refused() {
    let [seed, public, ..] = RFC_8032[0];
    let refused = |bytes: &[u8]| Ed25519::new(signed(), Secret::bytes(bytes).unwrap()).unwrap_err();
    for length in [1, 31, 33, 64] {
        assert_eq!(
            refused(&vec![7; length]),
            ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: length })
        );
    }
    let weak = ConfigError::new(ConfigErrorKind::Encoding("an Ed25519 public key"));
    let mut one = [0; 32];
    one[0] = 1;
    for (case, bytes) in [("order four", [0; 32]), ("the neutral element", one), ("no point", [2; 32])] {
        assert_eq!(refused(&bytes), weak, "{case}");
    }
    let signing = |private: &[u8]| scheme(secret(public)).signing_key(&Secret::bytes(private).unwrap()).err();
    assert_eq!(signing(&bytes(seed)), None);
    assert_eq!(signing(&[7; 31]), Some(ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: 31 })));
    let mixed = [bytes(seed), bytes(RFC_8032[1][1])].concat();
    assert_eq!(signing(&mixed), Some(ConfigError::new(ConfigErrorKind::Encoding("an Ed25519 key pair"))));
}

#[test]
fn a_key_is_taken_within_its_time_and_named() {
    let ((old_private, old), (new_private, new)) = (pair(&[1; 32]), pair(&[2; 32]));
    let both = scheme(rotation(&old, &new));
    let sealer = |private: &Secret, public: &Secret| scheme(public.clone()).signing_key(private).unwrap();
    assert_rotates(&sealer(&old_private, &old), &sealer(&new_private, &new), &both);
}

#[test]
fn without_a_private_key_nothing_is_sealed_and_without_a_valid_public_one_nothing_fits() {
    let (private, public) = pair(&[1; 32]);
    let sealing = Sealing::new(NOW, &OsEntropy);
    let refused = scheme(public.clone()).seal("{}".into(), &mut HeaderMap::new(), &sealing).unwrap_err();
    assert_eq!(refused, SealError::NoValidKey);
    let (headers, body) = seal(&scheme(public.clone()).signing_key(&private).unwrap(), "{}");
    assert!(scheme(public.clone()).open(&headers, body.clone(), NOW).is_ok());
    assert_mismatch("no valid key", scheme(expired(&public)).open(&headers, body, NOW));
}

#[test]
fn it_covers_what_its_template_covers_and_prints_no_private_key() {
    let (_, public) = pair(&[1; 32]);
    assert!(scheme(public.clone()).covers_body() && !scheme(public).covers_header(&name("x-id")));
    let seed: [u8; 32] = (*b"canary-canary-canary-canary-cana").to_owned();
    let (private, public) = pair(&seed);
    let ring = KeyRing::new([Key::new("k", public)]).unwrap();
    assert_no_canary(&format!("{:?}", scheme(ring).signing_key(&private).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_it_seals_it_opens_and_with_another_key_it_does_not(
        seed: [u8; 32],
        other: [u8; 32],
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let ((private, public), (_, another)) = (pair(&seed), pair(&other));
        let (headers, sealed) = seal(&scheme(public.clone()).signing_key(&private).unwrap(), body);
        prop_assert!(scheme(public).open(&headers, sealed.clone(), NOW).is_ok());
        prop_assert_eq!(scheme(another).open(&headers, sealed, NOW).is_ok(), seed == other);
    }
}
