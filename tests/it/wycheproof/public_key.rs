//! RSA, ECDSA and Ed25519.

use tower_webhook::scheme::{Ed25519, Scheme, Signature, SignatureAlgorithm};
use tower_webhook::secret::Secret;

use super::{Count, Group, bytes, each, one_header, proves};

fn key(group: &Group) -> Secret {
    Secret::bytes(bytes(&group.public_key_der)).unwrap()
}

/// Valid ones open, all of them, and none beside them: what is merely acceptable is not.
fn check<S: Scheme>(set: &str, scheme: impl Fn(Secret) -> S) -> Count {
    each(set, |group, vector| {
        let opened = proves(&scheme(key(group)), vector, &vector.sig);
        assert_eq!(opened, vector.result == "valid", "{vector:?}");
        opened
    })
}

fn signature(set: &str, algorithm: SignatureAlgorithm) -> Count {
    check(set, |key| Signature::new(algorithm, one_header(), key).unwrap())
}

#[test]
fn of_ecdsa_in_der_what_is_valid_opens_and_nothing_else_does() {
    let count = signature(include_str!("data/ecdsa_secp256r1_sha256.jsonl"), SignatureAlgorithm::EcdsaP256Sha256Der);
    assert_eq!(count, Count { opened: 174, refused: 310 });
}

#[test]
fn of_ecdsa_in_fixed_length_what_is_valid_opens_and_nothing_else_does() {
    let set = include_str!("data/ecdsa_secp256r1_sha256_p1363.jsonl");
    assert_eq!(signature(set, SignatureAlgorithm::EcdsaP256Sha256Fixed), Count { opened: 173, refused: 89 });
}

#[test]
fn of_rsa_what_is_valid_opens_and_nothing_else_does() {
    let sets = [
        (include_str!("data/rsa_signature_2048_sha256.jsonl"), Count { opened: 9, refused: 250 }),
        (include_str!("data/rsa_signature_4096_sha256.jsonl"), Count { opened: 7, refused: 251 }),
    ];
    for (set, expected) in sets {
        assert_eq!(signature(set, SignatureAlgorithm::RsaPkcs1Sha256), expected);
    }
}

#[test]
fn of_ed25519_what_is_valid_opens_and_nothing_else_does() {
    let set = include_str!("data/ed25519.jsonl");
    let count = check(set, |key| Ed25519::new(one_header(), key).unwrap());
    assert_eq!(count, Count { opened: 88, refused: 63 });
}
