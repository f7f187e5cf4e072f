//! What the forgeries are, and how each is made.

use bytes::Bytes;
use http::{HeaderValue, Request};

use super::body;
use super::change::{like, replaced, without};
use super::empty_key::under_empty_key;
use super::proof::{Proof, other_time};
use crate::scheme::{ProofRole, Scheme};

/// Of a tag that is cut: what some libraries still take.
const SHORT_TAG: usize = 12;

/// How a delivery is forged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Forgery {
    /// One bit of the body is another.
    BodyBit,
    /// The last byte of the body is missing.
    Truncated,
    /// The body is the same JSON, written otherwise: finds who verifies what was parsed and written anew.
    Rewritten,
    /// One bit of the header that proves is another.
    ProofBit,
    /// The last bit of its bytes is another: finds who compares the beginning.
    ProofTail,
    /// The header that proves is missing.
    NoProof,
    /// It is there, and blank.
    BlankProof,
    /// Only its label is left, such as `sha256=` or `v1,`: finds who compares as much as there is. One byte more would find no other.
    BarePrefix,
    /// It is its own first half.
    HalfProof,
    /// It stands twice.
    TwoProofs,
    /// It stands twice, and the first is wrong: finds who reads the last.
    WrongProofFirst,
    /// A wrong one and the true one are in one line, as proxies join them. Not where a line may hold several.
    Folded,
    /// Its bytes are in Base64 and not in hexadecimal, or the other way round.
    OtherEncoding,
    /// Its label says version 0.
    Downgraded,
    /// It is an HMAC under the empty key: finds who runs with no key set.
    EmptyKey,
    /// A header that is signed, such as an id, is another.
    SignedHeader,
    /// The signed time is another by one unit, and so within any tolerance.
    SignedTime,
    /// One bit of the nonce is another.
    NonceBit,
    /// The nonce is one byte shorter.
    ShortNonce,
    /// The tag is cut to 12 bytes.
    ShortTag,
    /// The ciphertext in a JSON envelope is a number.
    EnvelopeNumber,
    /// It is one digit shorter.
    EnvelopeOdd,
    /// It stands there twice.
    EnvelopeTwice,
}

impl Forgery {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::BodyBit,
        Self::Truncated,
        Self::Rewritten,
        Self::ProofBit,
        Self::ProofTail,
        Self::NoProof,
        Self::BlankProof,
        Self::BarePrefix,
        Self::HalfProof,
        Self::TwoProofs,
        Self::WrongProofFirst,
        Self::Folded,
        Self::OtherEncoding,
        Self::Downgraded,
        Self::EmptyKey,
        Self::SignedHeader,
        Self::SignedTime,
        Self::NonceBit,
        Self::ShortNonce,
        Self::ShortTag,
        Self::EnvelopeNumber,
        Self::EnvelopeOdd,
        Self::EnvelopeTwice,
    ];
}

/// The delivery, forged. `None` where its scheme leaves nothing to forge so: no header of an envelope proves, and a token proves
/// no body.
#[must_use]
pub fn forge(delivery: &Request<Bytes>, scheme: &dyn Scheme, how: Forgery) -> Option<Request<Bytes>> {
    let body = |change: &dyn Fn(&[u8]) -> Option<Vec<u8>>| body::changed(delivery, scheme, change);
    let (proof, role) = (|| Proof::of(delivery, scheme), |role| Proof::with_role(delivery, scheme, role));
    let with = |proof: Proof<'_>, value: Option<HeaderValue>| Some(replaced(delivery, proof.name, value?));
    match how {
        Forgery::BodyBit => body(&body::bit),
        Forgery::Truncated => body(&body::truncated),
        Forgery::Rewritten => body(&|body| body::rewritten(scheme, body)),
        Forgery::EnvelopeNumber => body(&|body| body::envelope(scheme, body, |_| 5.into())),
        Forgery::EnvelopeOdd => {
            body(&|body| body::envelope(scheme, body, |text| text.get(1..).unwrap_or_default().into()))
        }
        Forgery::EnvelopeTwice => body(&|body| body::doubled(scheme, body)),
        Forgery::ProofBit => proof().and_then(|proof| with(proof, proof.bit())),
        Forgery::ProofTail => proof().and_then(|proof| with(proof, proof.tail())),
        Forgery::NoProof => proof().map(|proof| without(delivery, proof.name)),
        Forgery::BlankProof => proof().and_then(|proof| with(proof, like(proof.value, b" "))),
        Forgery::BarePrefix => proof().and_then(|proof| with(proof, proof.bare())),
        Forgery::HalfProof => proof().and_then(|proof| with(proof, proof.half())),
        Forgery::TwoProofs => proof().map(|proof| followed(delivery.clone(), &proof)),
        Forgery::WrongProofFirst => proof().and_then(|proof| Some(followed(with(proof, proof.tail())?, &proof))),
        Forgery::Folded => proof().and_then(|proof| with(proof, proof.folded())),
        Forgery::OtherEncoding => proof().and_then(|proof| with(proof, proof.otherwise())),
        Forgery::Downgraded => proof().and_then(|proof| with(proof, proof.downgraded())),
        Forgery::EmptyKey => proof().and_then(|proof| with(proof, under_empty_key(delivery, scheme))),
        Forgery::SignedHeader => role(ProofRole::Signed).and_then(|signed| with(signed, signed.tail())),
        Forgery::SignedTime => other_time(delivery, scheme).map(|(name, value)| replaced(delivery, name, value)),
        Forgery::NonceBit => role(ProofRole::Nonce).and_then(|nonce| with(nonce, nonce.tail())),
        Forgery::ShortNonce => role(ProofRole::Nonce)
            .and_then(|nonce| with(nonce, nonce.bytes(|bytes| bytes.truncate(bytes.len().saturating_sub(1))))),
        Forgery::ShortTag => {
            role(ProofRole::Tag).and_then(|tag| with(tag, tag.bytes(|bytes| bytes.truncate(SHORT_TAG))))
        }
    }
}

/// With the true header behind what stands there.
fn followed(mut delivery: Request<Bytes>, proof: &Proof<'_>) -> Request<Bytes> {
    delivery.headers_mut().append(proof.name, proof.value.clone());
    delivery
}
