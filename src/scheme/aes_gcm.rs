//! AES-256-GCM: the tag proves the sender, so opening and verifying are one step.

use std::sync::Arc;

use ::aes_gcm::aead::AeadInOut;
use ::aes_gcm::{Aes256Gcm, KeyInit};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::form::{BodyForm, CipherHeaders, EnvelopeNames, Form, Parts, decode_header, set};
use super::proof::{ProofHeader, ProofRole, Proofs};
use super::{Opened, Scheme, SealError, Sealing, mismatch};
use crate::encoding::{Encoding, TextEncoding};
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
use crate::secret::{KeyCheck, KeyRing, PreparedKeys, ct_eq};

/// AES-256-GCM without additional data, with a 12-byte IV and a 16-byte tag; no other lengths.
///
/// It proves sender and body, and hides the body. It proves no time. No byte of plaintext leaves before the tag has
/// been checked.
///
/// ```
/// use http::{HeaderMap, HeaderName, StatusCode};
/// use tower_webhook::clock::{OsEntropy, Timestamp};
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::scheme::{AesGcm, BodyForm, CipherHeaders, Scheme, Sealing};
/// use tower_webhook::secret::Secret;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f")?;
/// let [iv, tag] = ["x-iv", "x-tag"].map(HeaderName::from_static);
/// let scheme = AesGcm::in_headers(key, CipherHeaders { iv, tag }, Encoding::Hex, BodyForm::Text(Encoding::Hex))?;
///
/// let now = Timestamp::UNIX_EPOCH;
/// let mut headers = HeaderMap::new();
/// let body = scheme.seal("{}".into(), &mut headers, &Sealing::new(now, &OsEntropy))?;
///
/// assert_eq!(scheme.open(&headers, body, now)?.plaintext, "{}");
/// let refused = scheme.open(&headers, "ffff".into(), now).unwrap_err();
/// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// Sealing draws a new random IV each time. An IV must never repeat under one key, else both secrecy and proof are
/// lost: the entropy must be a true one, and a key sealed with should be changed before 2^32 messages (NIST SP 800-38D,
/// section 8.3).
#[derive(Clone, Debug)]
pub struct AesGcm {
    keys: PreparedKeys<Aes256Gcm>,
    form: Form,
    text: TextEncoding,
    checksum: Option<Checksum>,
    proofs: Proofs,
}

/// Base64 of the SHA-256 over the text in UTF-8.
#[derive(Clone, Debug)]
struct Checksum {
    header: HeaderName,
    required: bool,
}

impl AesGcm {
    /// IV and tag in two headers in one encoding, the ciphertext in the body. Each key has exactly 32 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::KeyLength`].
    pub fn in_headers(
        keys: impl Into<KeyRing>,
        names: CipherHeaders,
        encoding: Encoding,
        body: BodyForm,
    ) -> Result<Self, ConfigError> {
        Self::new(&keys.into(), Form::Headers { names, encoding, body })
    }

    /// IV, tag and ciphertext as three texts of a JSON body, all in one encoding. Each key has exactly 32 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::KeyLength`].
    pub fn in_envelope(
        keys: impl Into<KeyRing>,
        names: EnvelopeNames,
        encoding: Encoding,
    ) -> Result<Self, ConfigError> {
        Self::new(&keys.into(), Form::Envelope { names, encoding })
    }

    fn new(keys: &KeyRing, form: Form) -> Result<Self, ConfigError> {
        let keys = keys.prepare(|key| {
            Aes256Gcm::new_from_slice(key)
                .map_err(|_| ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: key.len() }))
        })?;
        let proofs = Proofs::new(form.headers());
        Ok(Self { keys, form, text: TextEncoding::default(), checksum: None, proofs })
    }

    /// How the plaintext is written; it is handed out as UTF-8. Default: UTF-8.
    #[must_use]
    pub fn text(mut self, encoding: TextEncoding) -> Self {
        self.text = encoding;
        self
    }

    /// A header with the Base64 of the SHA-256 over the text in UTF-8, checked where it stands. Default: none.
    ///
    /// It proves nothing that the tag does not; it finds a text that was converted wrongly.
    #[must_use]
    pub fn checksum(self, header: HeaderName) -> Self {
        self.with_checksum(Checksum { header, required: false })
    }

    /// The same header, and a delivery without it is refused. Default: none.
    #[must_use]
    pub fn require_checksum(self, header: HeaderName) -> Self {
        self.with_checksum(Checksum { header, required: true })
    }

    fn with_checksum(mut self, checksum: Checksum) -> Self {
        let header =
            ProofHeader::new(checksum.header.clone(), ProofRole::Checksum).encoding(Encoding::Base64).length(32);
        self.proofs = Proofs::new(self.form.headers().into_iter().chain([header]));
        self.checksum = Some(checksum);
        self
    }

    fn read_checksum(&self, headers: &HeaderMap) -> Result<Option<[u8; 32]>, Rejection> {
        self.checksum.as_ref().map_or(Ok(None), |checksum| checksum.read(headers))
    }

    fn decrypt(&self, parts: Parts, now: Timestamp) -> Result<(Vec<u8>, Arc<str>), Rejection> {
        let (iv, tag, mut buffer) = (parts.iv.into(), parts.tag.into(), parts.ciphertext);
        let valid = self.keys.valid_at(now);
        let mut keys = valid.iter().peekable();
        while let Some((id, cipher)) = keys.next() {
            // A try that fails may leave anything in the buffer. One key, the common case, needs no copy.
            let spare = keys.peek().map(|_| buffer.clone());
            if cipher.decrypt_inout_detached(&iv, &[], buffer.as_mut_slice().into(), &tag).is_ok() {
                return Ok((buffer, id.clone()));
            }
            buffer = spare.unwrap_or_default();
        }
        Err(mismatch())
    }
}

impl Scheme for AesGcm {
    fn name(&self) -> &'static str {
        "aes-256-gcm"
    }

    fn covers_body(&self) -> bool {
        true
    }

    fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        self.read_checksum(headers)?;
        self.form.check_head(headers)
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        let checksum = self.read_checksum(headers)?;
        let parts = self.form.read(headers, body)?;
        let (bytes, key_id) = self.decrypt(parts, now)?;
        let text = self.text.to_utf8(bytes).map_err(|error| {
            Rejection::new(RejectionKind::PayloadMalformed, "the plaintext is not in its encoding").caused_by(error)
        })?;
        if checksum.is_some_and(|given| !ct_eq(&sum(&text), &given)) {
            return Err(mismatch());
        }
        Ok(Opened::new(text.into(), Some(key_id)))
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let keys = self.keys.valid_at(with.now);
        let cipher = keys.newest().ok_or(SealError::NoValidKey)?;
        let checksum = self.checksum.as_ref().map(|checksum| (&checksum.header, sum(&plaintext)));
        let mut ciphertext = self.text.from_utf8(plaintext.into()).map_err(|_| SealError::Unencodable)?;
        let mut iv = [0; 12];
        with.entropy.fill(&mut iv)?;
        let tag = cipher
            .encrypt_inout_detached(&iv.into(), &[], ciphertext.as_mut_slice().into())
            .map_err(|_| SealError::Unencodable)?;
        if let Some((header, sum)) = checksum {
            set(headers, header, &Encoding::Base64.encode(&sum))?;
        }
        self.form.write(Parts { iv, tag: tag.into(), ciphertext }, headers)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}

impl Checksum {
    fn read(&self, headers: &HeaderMap) -> Result<Option<[u8; 32]>, Rejection> {
        if !self.required && !headers.contains_key(&self.header) {
            return Ok(None);
        }
        decode_header(headers, &self.header, Encoding::Base64).map(Some)
    }
}

fn sum(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}
