//! A sender without code of its own: what proves it, and where a delivery says which event it is.

use std::time::Duration;

use http::HeaderName;

use crate::encoding::Encoding;
use crate::provider::Lookup;
use crate::scheme::{MacAlgorithm, SignatureAlgorithm, Template, TimeUnit};

/// A sender by configuration alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CustomSpec {
    /// What proves the sender.
    pub scheme: SchemeSpec,
    /// What tells one event from another: all of these places, joined.
    pub key: Vec<Lookup>,
    /// Where a delivery says what the event is. Default: nowhere.
    pub event: Option<Lookup>,
}

impl CustomSpec {
    /// A sender that is proved so, and whose events are told apart by these places.
    #[must_use]
    pub fn new(scheme: SchemeSpec, key: impl IntoIterator<Item = Lookup>) -> Self {
        Self { scheme, key: key.into_iter().collect(), event: None }
    }
}

/// What proves a custom sender.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each endpoint, and a box would stand in everybody's way"
)]
pub enum SchemeSpec {
    /// A static token in this header.
    Token(HeaderName),
    /// A signature in a header.
    Signed(SignedSpec),
}

/// What a signature is made with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProofSpec {
    /// A MAC: `mac`.
    Mac(MacAlgorithm),
    /// A signature by RSA or ECDSA: `signature`.
    Signature(SignatureAlgorithm),
    /// A signature by Ed25519: `signature = "ed25519"`.
    Ed25519,
}

/// How signatures stand in their header.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureLayout {
    /// One signature.
    One,
    /// Several, with this text between them: `list`.
    List(String),
    /// Parameters such as `t=…,v1=…`: `params` and `signature_param`.
    Params {
        /// The text between two parameters.
        separator: String,
        /// The name of those that are signatures.
        signature: String,
    },
}

/// A signature: what it is made with and of, and where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedSpec {
    /// What it is made with.
    pub proof: ProofSpec,
    /// The header it stands in.
    pub header: HeaderName,
    /// How it is encoded. Default: hexadecimal.
    pub encoding: Encoding,
    /// What stands in front of it. Default: nothing.
    pub prefix: String,
    /// How it stands in its header. Default: alone.
    pub layout: SignatureLayout,
    /// What is signed. Default: `{body}`.
    pub signed: Template,
    /// Refuses a signed value that holds the text which ends it.
    pub split_strictly: bool,
    /// The address that the sender was given, for `{url}`.
    pub url: Option<String>,
    /// The signed time. Default: none, but see [`timed`](Self::timed).
    pub timestamp: Option<TimestampSpec>,
    /// Takes deliveries of any age although a time is signed.
    pub dangerous_without_tolerance: bool,
    /// Takes a template that leaves the body out.
    pub dangerous_unsigned_body: bool,
}

impl SignedSpec {
    /// One hexadecimal signature of the body in this header.
    #[must_use]
    pub fn new(proof: ProofSpec, header: HeaderName) -> Self {
        Self {
            proof,
            header,
            encoding: Encoding::Hex,
            prefix: String::new(),
            layout: SignatureLayout::One,
            signed: Template::body(),
            split_strictly: false,
            url: None,
            timestamp: None,
            dangerous_without_tolerance: false,
            dangerous_unsigned_body: false,
        }
    }

    /// The signed time: the one that is named, or else a parameter that is a time by its name (`t`, `ts`, `time`, `timestamp`), in
    /// seconds. `None`: there is none, or deliveries of any age are taken.
    #[must_use]
    pub fn timed(&self) -> Option<TimestampSpec> {
        let by_name = || Some(TimestampSpec::new(TimestampPlace::Param(self.signed.timed_param()?.to_owned())));
        self.timestamp.clone().or_else(by_name).filter(|_| !self.dangerous_without_tolerance)
    }
}

/// Where the signed time stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TimestampPlace {
    /// In this header.
    Header(HeaderName),
    /// In this parameter of the signature's header.
    Param(String),
}

/// The signed time, and how far it may be from ours.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TimestampSpec {
    /// Where it stands.
    pub place: TimestampPlace,
    /// What it is counted in. Default: seconds.
    pub unit: TimeUnit,
    /// How old a delivery may be. Default: 5 minutes.
    pub past: Duration,
    /// How far in the future its time may lie. Default: 5 minutes.
    pub future: Duration,
}

impl TimestampSpec {
    /// Seconds in this place, 5 minutes from ours at most.
    #[must_use]
    pub fn new(place: TimestampPlace) -> Self {
        let usual = Duration::from_mins(5);
        Self { place, unit: TimeUnit::Seconds, past: usual, future: usual }
    }
}
