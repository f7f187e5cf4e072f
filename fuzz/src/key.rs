//! Public keys as an operator pastes them.

use http::HeaderName;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Ed25519, Signature, SignatureAlgorithm, Signed, public_key};

/// A key that is read is of one algorithm and of no other.
pub fn key(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(key) = public_key(text) else { return };
    let signed = || Signed::new(HeaderName::from_static("x-signature"), Encoding::Base64);
    let takes = |algorithm| Signature::new(algorithm, signed(), key.clone()).is_ok();
    let [rsa, der, fixed] = [
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::EcdsaP256Sha256Der,
        SignatureAlgorithm::EcdsaP256Sha256Fixed,
    ]
    .map(takes);
    assert_eq!(der, fixed);
    let takers = [rsa, der, Ed25519::new(signed(), key.clone()).is_ok()];
    assert!(takers.into_iter().filter(|takes| *takes).count() <= 1, "{takers:?}");
}
