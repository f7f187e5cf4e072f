//! NIST's vectors for AES-256-GCM through our scheme, both ways: what it says is valid opens to its text, what it says fails does not,
//! and neither does what is valid by another length of IV or tag, or with something authenticated beside the text.
#![cfg(test)]

use std::collections::HashMap;

use bytes::Bytes;
use http::HeaderMap;
use tower_webhook::RejectionKind;
use tower_webhook::clock::{NoEntropy, Timestamp};
use tower_webhook::scheme::{AesGcm, Scheme as _, Sealing};

use crate::wycheproof::aead::{IV, TAG, is_ours, scheme};
use crate::wycheproof::{Count, Vector, bytes, each, open};

const DECRYPT: &str = include_str!("data/decrypt.jsonl");
const ENCRYPT: &str = include_str!("data/encrypt.jsonl");

#[test]
fn what_nist_says_is_valid_opens_in_our_form_alone_and_what_it_says_fails_does_not() {
    let mut refused = HashMap::<RejectionKind, usize>::new();
    let count = each(DECRYPT, |_, vector| {
        let opened = open(&scheme(vector).unwrap(), &[(IV, &vector.iv), (TAG, &vector.tag)], bytes(&vector.ct));
        assert_eq!(opened.is_ok(), is_ours(vector) && vector.result == "valid", "{vector:?}");
        match opened {
            Ok(opened) => opened.plaintext == bytes(&vector.msg),
            Err(why) => {
                *refused.entry(why.kind()).or_default() += 1;
                false
            }
        }
    });
    assert_eq!(count, Count { opened: 42, refused: 137 });
    // 33 that fail, and 4 that are valid with something authenticated beside the text.
    assert_eq!(refused[&RejectionKind::SignatureMismatch], 37, "{refused:?}");
    assert_eq!(refused[&RejectionKind::HeaderMalformed], 100, "{refused:?}");
}

/// What is valid, with one bit the wrong way round in each of its parts.
#[test]
fn what_nist_says_is_valid_does_not_open_by_another_bit() {
    let mut flipped = 0;
    let other = |hex: &str, at: usize| {
        let at = at % hex.len();
        let digit = u8::from_str_radix(&hex[at..=at], 16).unwrap() ^ 1;
        format!("{}{digit:x}{}", &hex[..at], &hex[at + 1..])
    };
    for vector in read(DECRYPT).iter().filter(|vector| is_ours(vector) && vector.result == "valid") {
        let at = vector.tc_id as usize;
        let with = |change: &dyn Fn(&mut Vector)| {
            let mut vector = vector.clone();
            change(&mut vector);
            vector
        };
        let changed = [
            with(&|vector| vector.key = other(&vector.key, at)),
            with(&|vector| vector.iv = other(&vector.iv, at)),
            with(&|vector| vector.tag = other(&vector.tag, at)),
            with(&|vector| vector.ct = if vector.ct.is_empty() { "00".into() } else { other(&vector.ct, at) }),
        ];
        for vector in changed {
            let opened = open(&scheme(&vector).unwrap(), &[(IV, &vector.iv), (TAG, &vector.tag)], bytes(&vector.ct));
            assert_eq!(opened.unwrap_err().kind(), RejectionKind::SignatureMismatch, "{vector:?}");
            flipped += 1;
        }
    }
    assert_eq!(flipped, 42 * 4);
}

#[test]
fn what_we_seal_is_what_nist_seals() {
    let vectors = read(ENCRYPT);
    assert_eq!(vectors.iter().filter(|vector| is_ours(vector)).count(), 75);
    for vector in vectors {
        let sealed = seal(&scheme(&vector).unwrap(), &vector);
        assert_eq!(sealed, (vector.iv.clone(), bytes(&vector.tag), bytes(&vector.ct)), "{vector:?}");
    }
}

/// The IV, the tag and the text, sealed with the vector's IV.
fn seal(scheme: &AesGcm, vector: &Vector) -> (String, Vec<u8>, Vec<u8>) {
    let iv = bytes(&vector.iv);
    let entropy = move |out: &mut [u8]| {
        out.copy_from_slice(&iv);
        Ok::<_, NoEntropy>(())
    };
    let mut headers = HeaderMap::new();
    let sealing = Sealing::new(Timestamp::UNIX_EPOCH, &entropy);
    let body = scheme.seal(Bytes::from(bytes(&vector.msg)), &mut headers, &sealing).unwrap();
    let said = |name| headers[name].to_str().unwrap().to_owned();
    (said(IV), bytes(&said(TAG)), body.into())
}

fn read(set: &str) -> Vec<Vector> {
    set.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
