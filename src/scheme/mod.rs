//! Proof and secrecy of a delivery, as pure functions: headers and exact bytes in, plaintext out, and back.
//!
//! A [`Scheme`] verifies and decrypts in one step, since for an AEAD the tag *is* the signature. Nothing here knows
//! tower or async, and nothing takes a parsed body: what is signed are bytes.
//!
//! ```
//! use http::{HeaderMap, HeaderName, StatusCode};
//! use tower_webhook::clock::{OsEntropy, Timestamp};
//! use tower_webhook::encoding::Encoding;
//! use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Sealing, Signed};
//! use tower_webhook::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::utf8("correct horse battery staple")?;
//! let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex).prefix("sha256=");
//! let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, secret)?;
//!
//! let now = Timestamp::UNIX_EPOCH;
//! let mut headers = HeaderMap::new();
//! let body = scheme.seal("{}".into(), &mut headers, &Sealing::new(now, &OsEntropy))?;
//!
//! assert_eq!(scheme.open(&headers, body, now)?.plaintext, "{}");
//! let refused = scheme.open(&headers, "[]".into(), now).unwrap_err();
//! assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```

mod aes_gcm;
#[cfg(feature = "asymmetric")]
mod der;
#[cfg(feature = "asymmetric")]
mod ed25519;
mod form;
mod forward;
mod header;
mod hmac;
#[cfg(feature = "asymmetric")]
mod jwk;
mod layout;
mod mac;
mod members;
mod proof;
#[cfg(feature = "asymmetric")]
mod signature;
mod signed;
mod signed_scheme;
#[cfg(feature = "asymmetric")]
mod spki;
mod template;
mod token;
mod tolerance;
mod unsigned;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::clock::{Entropy, NoEntropy};
use crate::error::{Rejection, RejectionKind};
use crate::secret::KeyCheck;

pub use aes_gcm::AesGcm;
#[cfg(feature = "asymmetric")]
#[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
pub use ed25519::Ed25519;
pub use form::{BodyForm, CipherHeaders, EnvelopeNames};
pub(crate) use header::{sole, stands_twice};
pub use hmac::Hmac;
pub use layout::Layout;
pub use mac::MacAlgorithm;
pub use proof::{ProofHeader, ProofRole, Proofs};
#[cfg(feature = "asymmetric")]
#[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
pub use signature::{Signature, SignatureAlgorithm};
pub use signed::Signed;
#[cfg(feature = "asymmetric")]
#[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
pub use spki::public_key;
pub use template::Template;
pub use token::StaticToken;
pub use tolerance::{TimePlace, TimeUnit, Tolerance};
pub use unsigned::Unsigned;

/// One way to prove who sent a body, in both directions.
///
/// The schemes of this module cover most senders by configuration. One of your own prepares its keys by
/// [`KeyRing::prepare`](crate::secret::KeyRing::prepare), tries all that are valid, compares by
/// [`ct_eq`](crate::secret::ct_eq), and says the same of every cryptographic cause:
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderMap, header::AUTHORIZATION};
/// use sha2::{Digest, Sha256};
/// use tower_webhook::clock::Timestamp;
/// use tower_webhook::scheme::{Opened, ProofHeader, ProofRole, Proofs, Scheme, SealError, Sealing};
/// use tower_webhook::secret::{KeyRing, PreparedKeys, Secret, ct_eq, long_enough};
/// use tower_webhook::{ConfigError, Rejection, RejectionKind};
///
/// /// `Authorization: Bearer …`: a secret, which proves nothing of the body. It verifies and never seals.
/// struct Bearer {
///     keys: PreparedKeys<[u8; 32]>,
///     proofs: Proofs,
/// }
///
/// impl Bearer {
///     fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
///         let keys = keys.into().prepare(|secret| {
///             long_enough(secret)?;
///             Ok(Sha256::digest(secret).into())
///         })?;
///         let header = ProofHeader::new(AUTHORIZATION, ProofRole::Token).prefix("Bearer ");
///         Ok(Self { keys, proofs: Proofs::new([header]) })
///     }
/// }
///
/// impl Scheme for Bearer {
///     fn name(&self) -> &'static str {
///         "bearer"
///     }
///
///     fn proofs(&self) -> &Proofs {
///         &self.proofs
///     }
///
///     fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
///         let mut values = headers.get_all(AUTHORIZATION).iter();
///         let (Some(value), None) = (values.next(), values.next()) else {
///             return Err(Rejection::new(RejectionKind::SignatureMissing, "not one authorization header"));
///         };
///         let token = value.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
///         let given: [u8; 32] = Sha256::digest(token).into();
///         match self.keys.valid_at(now).fitting(|key| ct_eq(key, &given)) {
///             Some(key_id) => Ok(Opened::new(body, Some(key_id))),
///             None => Err(Rejection::new(RejectionKind::SignatureMismatch, "no valid key fits this delivery")),
///         }
///     }
///
///     fn seal(&self, _: Bytes, _: &mut HeaderMap, _: &Sealing<'_>) -> Result<Bytes, SealError> {
///         Err(SealError::NoValidKey)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scheme = Bearer::new(Secret::utf8("correct horse battery staple")?)?;
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, "Bearer correct horse battery staple".parse()?);
/// assert_eq!(scheme.open(&headers, "{}".into(), Timestamp::UNIX_EPOCH)?.plaintext, "{}");
/// headers.insert(AUTHORIZATION, "Bearer wrong horse battery staple".parse()?);
/// let refused = scheme.open(&headers, "{}".into(), Timestamp::UNIX_EPOCH).unwrap_err();
/// assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scheme",
    note = "schemes stand in `tower_webhook::scheme`: `Hmac` for most senders"
)]
pub trait Scheme: Send + Sync + 'static {
    /// The scheme's name for logs, such as `hmac-sha512`.
    fn name(&self) -> &'static str;

    /// Whether [`open`](Self::open) proves the sender. When it does not, credentials must be checked in front, and a
    /// receiver without them refuses everything. Default: true.
    fn proves_sender(&self) -> bool {
        true
    }

    /// Whether the body is proved along with the sender. Default: false.
    fn covers_body(&self) -> bool {
        false
    }

    /// Whether the value of this header is proved along with the sender. What is not can be written anew by everybody who
    /// has seen one delivery. Default: false for every header.
    fn covers_header(&self, name: &HeaderName) -> bool {
        let _ = name;
        false
    }

    /// The headers that it reads and writes, with what each is for. Default: none.
    fn proofs(&self) -> &Proofs {
        static NONE: Proofs = Proofs::NONE;
        &NONE
    }

    /// The headers that carry the proof: a signature, an IV, a tag, a token. They stay outside of the services further in.
    /// A header that is signed, such as an event's id, is none of them. Default: those of [`proofs`](Self::proofs).
    fn proof_headers(&self) -> &[HeaderName] {
        self.proofs().carriers()
    }

    /// Where the signed time stands, and how far it may be from ours. `None`: no time is proved. Default: `None`.
    fn tolerance(&self) -> Option<&Tolerance> {
        None
    }

    /// Judges what can be judged before the body is there and without a clock: a proof header that is missing, repeated or
    /// unreadable, and a proof that does not depend on the body. [`open`](Self::open) finds the same, and relies on nothing
    /// of this. Default: every head passes.
    ///
    /// # Errors
    ///
    /// What [`open`](Self::open) would refuse, whatever the body and the time.
    fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let _ = headers;
        Ok(())
    }

    /// Verifies, decrypts, and hands back the plaintext with the id of the key that fitted.
    ///
    /// # Errors
    ///
    /// One [`SignatureMismatch`](crate::RejectionKind::SignatureMismatch) for every cryptographic cause; a missing,
    /// repeated or unreadable header or body by its own kind. No plaintext leaves on an error.
    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection>;

    /// The sender's side: adds the scheme's headers and returns the body to send.
    ///
    /// # Errors
    ///
    /// [`SealError`] when no key is valid or no random bytes are to be had.
    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError>;

    /// The check values of its keys, by which a store tells receivers of one name apart. Public keys have some too.
    /// Default: none.
    fn key_checks(&self) -> Vec<KeyCheck> {
        Vec::new()
    }
}

/// What a scheme hands back: bytes that are now known to be the sender's. `Debug` prints their number alone.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opened {
    /// What the sender wrote; for an AEAD the decrypted text as UTF-8.
    pub plaintext: Bytes,
    /// The id of the key that fitted, where the scheme has keys.
    pub key_id: Option<Arc<str>>,
}

impl Opened {
    /// An opened body.
    #[must_use]
    pub fn new(plaintext: Bytes, key_id: Option<Arc<str>>) -> Self {
        Self { plaintext, key_id }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("plaintext", &format_args!("{} bytes", self.plaintext.len()))
            .field("key_id", &self.key_id)
            .finish()
    }
}

/// What sealing needs from outside: the time and random bytes.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Sealing<'a> {
    /// The time of sending.
    pub now: Timestamp,
    /// Where nonces come from. They must never repeat under one key.
    pub entropy: &'a dyn Entropy,
}

impl<'a> Sealing<'a> {
    /// Seal at this time, with this source of nonces.
    #[must_use]
    pub fn new(now: Timestamp, entropy: &'a dyn Entropy) -> Self {
        Self { now, entropy }
    }
}

impl fmt::Debug for Sealing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Why a body could not be sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// No key of the ring is valid at this time.
    NoValidKey,
    /// No random bytes.
    NoEntropy,
    /// The plaintext cannot be written in the scheme's encoding.
    Unencodable,
    /// A value is no header value.
    Header,
    /// A header that is signed is not there, or stands twice.
    SignedHeader,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValidKey => "no key is valid at this time",
            Self::NoEntropy => "the source of random bytes failed",
            Self::Unencodable => "the plaintext cannot be written in the scheme's encoding",
            Self::Header => "a value cannot be sent as a header",
            Self::SignedHeader => "a header that is signed is missing or cannot be signed",
        })
    }
}

impl std::error::Error for SealError {}

impl From<NoEntropy> for SealError {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}

/// The one rejection for every cryptographic cause. No valid key is one of them.
fn mismatch() -> Rejection {
    Rejection::new(RejectionKind::SignatureMismatch, "no valid key fits this delivery")
}
