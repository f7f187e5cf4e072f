//! Wycheproof's vectors through our schemes: what is valid opens, what is invalid does not, and neither does what is valid by
//! another length of IV, tag or key. `scripts/wycheproof.py` made the data, which is C2SP's, under the Apache License 2.0.
#![cfg(test)]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Opened, Scheme, Signed};
use tower_webhook::{Rejection, RejectionKind};

pub(super) mod aead;
mod mac;
#[cfg(feature = "asymmetric")]
mod public_key;

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// One test of any set. What a set does not have is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Vector {
    pub(super) tc_id: u32,
    pub(super) result: String,
    pub(super) key: String,
    pub(super) iv: String,
    pub(super) aad: String,
    pub(super) msg: String,
    pub(super) ct: String,
    pub(super) tag: String,
    sig: String,
    /// Of the first test of a group.
    group: Option<Group>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Group {
    key_size: usize,
    iv_size: usize,
    tag_size: usize,
    public_key_der: String,
}

/// Of one set, by group, how many opened and how many did not.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    pub(super) opened: usize,
    pub(super) refused: usize,
}

pub(super) fn each(set: &str, mut judge: impl FnMut(&Group, &Vector) -> bool) -> Count {
    let (mut group, mut count) = (Group::default(), Count::default());
    for line in set.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        group = vector.group.clone().unwrap_or(group);
        let opened = judge(&group, &vector);
        assert!(!opened || vector.result != "invalid", "opened: {}, {vector:?}", vector.tc_id);
        *(if opened { &mut count.opened } else { &mut count.refused }) += 1;
    }
    count
}

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    Encoding::Hex.decode(hex.as_bytes()).unwrap()
}

fn one_header() -> Signed {
    Signed::new(SIGNATURE, Encoding::Hex)
}

pub(super) fn open(scheme: &dyn Scheme, headers: &[(HeaderName, &str)], body: Vec<u8>) -> Result<Opened, Rejection> {
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    let headers: HeaderMap = headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
    scheme.open(&headers, Bytes::from(body), Timestamp::UNIX_EPOCH)
}

/// Whether a message opens to itself; and if not, that the answer tells nothing.
fn proves(scheme: &dyn Scheme, vector: &Vector, proof: &str) -> bool {
    let message = bytes(&vector.msg);
    match open(scheme, &[(SIGNATURE, proof)], message.clone()) {
        Ok(opened) => opened.plaintext == message,
        Err(refused) => {
            let expected =
                if proof.is_empty() { RejectionKind::SignatureMissing } else { RejectionKind::SignatureMismatch };
            assert_eq!(refused.kind(), expected, "{vector:?}");
            false
        }
    }
}

/// The control: who says yes to everything is found out.
#[test]
#[should_panic(expected = "opened: ")]
fn who_takes_every_vector_is_found_out() {
    each(include_str!("data/hmac_sha256.jsonl"), |_, _| true);
}
