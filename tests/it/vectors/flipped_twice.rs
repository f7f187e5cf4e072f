//! Every accepted vector with two bits the wrong way round, anywhere in its proof, in what is signed beside the body, in the body.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::encoding::Encoding;
use tower_webhook::sender::Chance;

use super::flipped::{Delivery, each};
use super::*;

/// So many pairs, unless `DOUBLE_FLIPS` says how many, as by hand; drawn from this seed, unless `SEED` says which.
const PAIRS: u64 = 20_000;
const SEED: u64 = 1;

fn said(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// What is proved, or proves: the value of a header, or the body.
#[derive(Clone)]
struct Text {
    header: Option<HeaderName>,
    bytes: Vec<u8>,
    is_hexadecimal: bool,
}

impl Text {
    fn says_the_same(&self, other: &Self) -> bool {
        self.bytes == other.bytes || self.is_hexadecimal && self.bytes.eq_ignore_ascii_case(&other.bytes)
    }
}

fn texts(delivery: &Delivery<'_>) -> Vec<Text> {
    let headers = delivery.scheme.proofs().headers().iter().filter_map(|header| {
        let bytes = delivery.headers.get(&header.name)?.as_bytes().to_vec();
        let is_hexadecimal = header.encoding == Some(Encoding::Hex);
        Some(Text { header: Some(header.name.clone()), bytes, is_hexadecimal })
    });
    let is_hexadecimal = delivery.has_hexadecimal_body();
    let body = || Text { header: None, bytes: delivery.body.to_vec(), is_hexadecimal };
    let texts = headers.chain(delivery.scheme.covers_body().then(body));
    texts.filter(|text| !text.bytes.is_empty()).collect()
}

/// A text and a bit of it. Each text is as likely, so that a long body leaves the others their share.
fn drawn(texts: &[Text], chance: &mut Chance) -> (usize, usize) {
    let below = |end: usize, chance: &mut Chance| usize::try_from(chance.below(end as u64)).unwrap();
    let at = below(texts.len(), chance);
    (at, below(texts[at].bytes.len() * 8, chance))
}

/// The delivery with these texts. `None`: HTTP cannot carry it.
fn with(delivery: &Delivery<'_>, texts: &[Text]) -> Option<(HeaderMap, Bytes)> {
    let (mut headers, mut body) = (delivery.headers.clone(), delivery.body.clone());
    for text in texts {
        match &text.header {
            Some(name) => drop(headers.insert(name, HeaderValue::from_bytes(&text.bytes).ok()?)),
            None => body = text.bytes.clone().into(),
        }
    }
    Some((headers, body))
}

/// Flips so many pairs. How many were refused; the others HTTP cannot carry, or they say the same.
fn flip(delivery: &Delivery<'_>, pairs: u64, chance: &mut Chance) -> u64 {
    let (before, mut refused) = (texts(delivery), 0);
    for _ in 0..pairs {
        let (one, mut other) = (drawn(&before, chance), drawn(&before, chance));
        while other == one {
            other = drawn(&before, chance);
        }
        let mut after = before.clone();
        for (at, bit) in [one, other] {
            after[at].bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if before.iter().zip(&after).all(|(before, after)| before.says_the_same(after)) {
            continue;
        }
        let Some((headers, body)) = with(delivery, &after) else { continue };
        let said = |(at, bit): (usize, usize)| match &before[at].header {
            Some(name) => format!("bit {bit} of {name}"),
            None => format!("bit {bit} of the body"),
        };
        assert!(!delivery.opens(&headers, body), "{}: {} and {}", delivery.file, said(one), said(other));
        refused += 1;
    }
    refused
}

#[test]
fn no_two_flipped_bits_of_any_vector_are_accepted() {
    let (pairs, seed) = (said("DOUBLE_FLIPS", PAIRS), said("SEED", SEED));
    let (mut vectors, mut refused) = (0, 0);
    // Where credentials alone are the proof there is nothing to flip.
    each(|delivery| vectors += u64::from(!texts(delivery).is_empty()));
    let mut chance = Chance::new(seed);
    let for_each = pairs.div_ceil(vectors);
    each(|delivery| {
        if !texts(delivery).is_empty() {
            refused += flip(delivery, for_each, &mut chance);
        }
    });
    println!("seed {seed}: {for_each} pairs for each of {vectors} vectors, {refused} refused");
    assert!(refused > pairs / 2, "{refused} of {pairs}");
}

/// Whoever looks at half of a proof takes some pair.
#[test]
#[should_panic(expected = "of x-hub-signature-256 and bit")]
fn a_comparison_of_half_a_proof_is_found_out_by_two_bits() {
    each(|delivery| {
        if !delivery.file.starts_with("custom_github/") {
            return;
        }
        let half = |headers: &HeaderMap| headers["x-hub-signature-256"].as_bytes()[..39].to_vec();
        let (known, body) = (half(&delivery.headers), delivery.body.clone());
        let judge = Box::new(move |headers: &HeaderMap, given: Bytes| half(headers) == known && given == body);
        let (headers, body) = (delivery.headers.clone(), delivery.body.clone());
        let half = Delivery { file: delivery.file, scheme: delivery.scheme, headers, body, judge };
        flip(&half, 10_000, &mut Chance::new(SEED));
    });
}
