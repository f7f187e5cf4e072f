//! HMAC at its full length. A truncated tag is valid to Wycheproof and refused here.

use tower_webhook::scheme::{Hmac, MacAlgorithm};
use tower_webhook::secret::Secret;

use super::{Count, bytes, each, one_header, proves};

fn check(set: &str, algorithm: MacAlgorithm, bits: usize) -> Count {
    each(set, |group, vector| {
        let key = Secret::bytes(bytes(&vector.key)).unwrap();
        let scheme = Hmac::dangerous_short_keys(algorithm, one_header(), key).unwrap();
        let opened = proves(&scheme, vector, &vector.tag);
        assert_eq!(opened, vector.result == "valid" && group.tag_size == bits, "{vector:?}");
        opened
    })
}

#[test]
fn what_is_valid_in_full_opens_and_nothing_else_does() {
    let sets = [
        (include_str!("data/hmac_sha1.jsonl"), MacAlgorithm::DangerousHmacSha1, 160),
        (include_str!("data/hmac_sha256.jsonl"), MacAlgorithm::HmacSha256, 256),
        (include_str!("data/hmac_sha512.jsonl"), MacAlgorithm::HmacSha512, 512),
    ];
    let counts = sets.map(|(set, algorithm, bits)| check(set, algorithm, bits));
    let refused = [137, 141, 141];
    assert_eq!(counts, refused.map(|refused| Count { opened: 33, refused }));
}
