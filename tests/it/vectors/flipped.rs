//! Every accepted vector with one bit the wrong way round: in its proof, in what is signed beside the body, in the body.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::Provider as _;
use tower_webhook::scheme::{ProofHeader, ProofRole, Scheme};

use super::*;
use crate::support::flips;

/// So many bytes are judged anew for the bits of one body, which are all of a short one and are spread over a long one.
/// `FLIPS=all` flips all by hand.
const MOST: usize = 1024 * 1024;

/// How many bits were flipped, and how many of those say the same: HTTP cannot carry them, or they are the case of a digit.
#[derive(Debug, Default)]
struct Flipped {
    refused: usize,
    same: usize,
}

pub(super) type Judge<'a> = Box<dyn Fn(&HeaderMap, Bytes) -> bool + 'a>;

pub(super) struct Delivery<'a> {
    pub(super) file: &'a str,
    pub(super) scheme: &'a dyn Scheme,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) judge: Judge<'a>,
}

impl Delivery<'_> {
    pub(super) fn opens(&self, headers: &HeaderMap, body: Bytes) -> bool {
        (self.judge)(headers, body)
    }

    pub(super) fn has_hexadecimal_body(&self) -> bool {
        self.file.starts_with("opp")
    }

    fn flip_header(&self, header: &ProofHeader, flipped: &mut Flipped) {
        let Some(value) = self.headers.get(&header.name) else { return };
        for (bit, other) in flips(value.as_bytes()).enumerate() {
            let Ok(changed) = HeaderValue::from_bytes(&other) else {
                flipped.same += 1;
                continue;
            };
            if header.encoding == Some(Encoding::Hex) && is_case(bit, value.as_bytes()) {
                flipped.same += 1;
                continue;
            }
            let mut headers = self.headers.clone();
            headers.insert(&header.name, changed);
            assert!(!self.opens(&headers, self.body.clone()), "{}: bit {bit} of {}", self.file, header.name);
            flipped.refused += 1;
        }
    }

    fn flip_body(&self, flipped: &mut Flipped) {
        let all = std::env::var("FLIPS").is_ok_and(|flips| flips == "all");
        let hexadecimal = self.has_hexadecimal_body();
        let step = if all { 1 } else { (self.body.len() * self.body.len() * 8).div_ceil(MOST).max(1) | 1 };
        for bit in (0..self.body.len() * 8).step_by(step) {
            if hexadecimal && is_case(bit, &self.body) {
                flipped.same += 1;
                continue;
            }
            let mut body = self.body.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert!(!self.opens(&self.headers, body.into()), "{}: bit {bit} of the body", self.file);
            flipped.refused += 1;
        }
    }

    /// Without it, blank, and twice.
    fn without(&self, name: &HeaderName) {
        let mut headers = self.headers.clone();
        let value = headers.remove(name).unwrap();
        assert!(!self.opens(&headers, self.body.clone()), "{} without {name}", self.file);
        for blank in ["", " ", "\t"] {
            headers.insert(name, HeaderValue::from_static(blank));
            assert!(!self.opens(&headers, self.body.clone()), "{}: blank {name}", self.file);
        }
        headers.insert(name, value.clone());
        headers.append(name, value);
        assert!(!self.opens(&headers, self.body.clone()), "{}: {name} twice", self.file);
    }
}

/// Whether a bit is the case of a hexadecimal digit.
fn is_case(bit: usize, text: &[u8]) -> bool {
    bit % 8 == 5 && matches!(text[bit / 8], b'a'..=b'f' | b'A'..=b'F')
}

pub(super) fn each(mut judge: impl FnMut(&Delivery<'_>)) {
    let index = index();
    for vector in index.vectors.iter().filter(|vector| vector.verdict == "accepted") {
        let toml = &index.configurations[&vector.configuration].toml;
        let config = config::read_text("vectors.toml", toml).unwrap().build().unwrap();
        let scheme = config.endpoints[0].provider.scheme();
        let (head, body) = read(&vector.file).into_parts();
        let now = Timestamp::from_second(vector.received_at).unwrap();
        let opens = move |headers: &HeaderMap, body| scheme.open(headers, body, now).is_ok();
        let delivery = Delivery { file: &vector.file, scheme, headers: head.headers, body, judge: Box::new(opens) };
        assert!(delivery.opens(&delivery.headers, delivery.body.clone()), "{}: the control", vector.file);
        judge(&delivery);
    }
}

#[test]
fn no_flipped_bit_of_any_vector_is_accepted() {
    let mut flipped = Flipped::default();
    each(|delivery| {
        for header in delivery.scheme.proofs().headers() {
            delivery.flip_header(header, &mut flipped);
        }
        if delivery.scheme.covers_body() {
            delivery.flip_body(&mut flipped);
        }
    });
    println!("{flipped:?}");
    assert!(flipped.refused > 45_000, "{flipped:?}");
}

#[test]
fn no_vector_is_accepted_without_a_header_of_its_proof() {
    let mut headers = 0;
    each(|delivery| {
        let needed = |header: &&ProofHeader| header.role != ProofRole::Checksum;
        for header in delivery.scheme.proofs().headers().iter().filter(needed) {
            if delivery.headers.contains_key(&header.name) {
                delivery.without(&header.name);
                headers += 1;
            }
        }
    });
    assert!(headers > 40, "{headers}");
}

/// Whoever looks at half of a proof takes some flipped bit.
#[test]
#[should_panic(expected = "of x-hub-signature-256")]
fn a_comparison_of_half_a_proof_is_found_out() {
    each(|delivery| {
        let Delivery { file, scheme, ref headers, ref body, .. } = *delivery;
        if !file.starts_with("custom_github/") {
            return;
        }
        let half = |headers: &HeaderMap| headers["x-hub-signature-256"].as_bytes()[..39].to_vec();
        let known = half(headers);
        let judge = Box::new(move |given: &HeaderMap, _: Bytes| half(given) == known);
        let half = Delivery { file, scheme, headers: headers.clone(), body: body.clone(), judge };
        for header in scheme.proofs().headers() {
            half.flip_header(header, &mut Flipped::default());
        }
    });
}
