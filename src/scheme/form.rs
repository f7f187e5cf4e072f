//! How a ciphertext, its IV and its tag are written on the wire: data, no cipher.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::members::members;
use super::proof::{ProofHeader, ProofRole};
use super::{SealError, sole};
use crate::encoding::Encoding;
use crate::error::{Rejection, RejectionKind};

/// Any other length of IV is hashed first, and then far fewer messages are safe (NIST SP 800-38D, section 8.2).
const IV_LENGTH: usize = 12;
/// The full tag: each byte less makes a forgery 256 times as likely.
const TAG_LENGTH: usize = 16;

/// How the ciphertext stands in the body when IV and tag are in headers.
///
/// A text may have ASCII white space around it, such as a line end, but none inside.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BodyForm {
    /// As the bytes it is.
    Raw,
    /// As text alone.
    Text(Encoding),
    /// As text, or as the text under this name in a JSON object. Sealed as text alone.
    TextOrWrapped(Encoding, Cow<'static, str>),
    /// As text, or as the text under this name in a JSON object. Sealed as the JSON object.
    WrappedOrText(Encoding, Cow<'static, str>),
}

impl BodyForm {
    fn read(&self, body: Bytes) -> Result<Vec<u8>, Rejection> {
        let (encoding, wrapper) = match self {
            Self::Raw => return Ok(body.into()),
            Self::Text(encoding) => (encoding, None),
            Self::TextOrWrapped(encoding, name) | Self::WrappedOrText(encoding, name) => (encoding, Some(name)),
        };
        let text = body.trim_ascii();
        match wrapper {
            // No text in hexadecimal or Base64 begins like this.
            Some(name) if text.starts_with(b"{") => {
                let [text] = members(text, [name])?;
                decode_body(*encoding, text.as_bytes())
            }
            _ => decode_body(*encoding, text),
        }
    }

    fn write(&self, ciphertext: Vec<u8>) -> Bytes {
        match self {
            Self::Raw => ciphertext.into(),
            Self::Text(encoding) | Self::TextOrWrapped(encoding, _) => encoding.encode(&ciphertext).into(),
            Self::WrappedOrText(encoding, name) => object([(name, encoding.encode(&ciphertext))]),
        }
    }
}

/// The headers that carry IV and tag when the ciphertext is the body. They differ from each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CipherHeaders {
    /// The header of the 12-byte IV.
    pub iv: HeaderName,
    /// The header of the 16-byte tag.
    pub tag: HeaderName,
}

impl CipherHeaders {
    /// IV and tag.
    fn decode(
        &self,
        headers: &HeaderMap,
        encoding: Encoding,
    ) -> Result<([u8; IV_LENGTH], [u8; TAG_LENGTH]), Rejection> {
        Ok((decode_header(headers, &self.iv, encoding)?, decode_header(headers, &self.tag, encoding)?))
    }
}

/// The names in a JSON body that carries IV, tag and ciphertext together. They differ from each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvelopeNames {
    /// The name of the 12-byte IV.
    pub iv: Cow<'static, str>,
    /// The name of the 16-byte tag.
    pub tag: Cow<'static, str>,
    /// The name of the ciphertext.
    pub ciphertext: Cow<'static, str>,
}

/// Where ciphertext, IV and tag stand.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Headers { names: CipherHeaders, encoding: Encoding, body: BodyForm },
    Envelope { names: EnvelopeNames, encoding: Encoding },
}

/// What the wire carried, decoded but not yet believed; or what it is to carry.
pub(super) struct Parts {
    pub(super) iv: [u8; IV_LENGTH],
    pub(super) tag: [u8; TAG_LENGTH],
    pub(super) ciphertext: Vec<u8>,
}

impl Form {
    pub(super) fn read(&self, headers: &HeaderMap, body: Bytes) -> Result<Parts, Rejection> {
        match self {
            Self::Headers { names, encoding, body: form } => {
                let (iv, tag) = names.decode(headers, *encoding)?;
                Ok(Parts { iv, tag, ciphertext: form.read(body)? })
            }
            Self::Envelope { names, encoding } => {
                let [iv, tag, ciphertext] = members(body.trim_ascii(), [&names.iv, &names.tag, &names.ciphertext])?;
                Ok(Parts {
                    iv: encoding.decode_array(iv.as_bytes()).map_err(|_| unreadable("the IV", *encoding))?,
                    tag: encoding.decode_array(tag.as_bytes()).map_err(|_| unreadable("the tag", *encoding))?,
                    ciphertext: decode_body(*encoding, ciphertext.as_bytes())?,
                })
            }
        }
    }

    /// What can be said before the body is there.
    pub(super) fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        match self {
            Self::Headers { names, encoding, .. } => names.decode(headers, *encoding).map(drop),
            Self::Envelope { .. } => Ok(()),
        }
    }

    /// The headers that it reads.
    pub(super) fn headers(&self) -> Vec<ProofHeader> {
        let header = |name: &HeaderName, role, encoding, length| {
            ProofHeader::new(name.clone(), role).encoding(encoding).length(length)
        };
        match self {
            Self::Headers { names: CipherHeaders { iv, tag }, encoding, .. } => vec![
                header(iv, ProofRole::Nonce, *encoding, IV_LENGTH),
                header(tag, ProofRole::Tag, *encoding, TAG_LENGTH),
            ],
            Self::Envelope { .. } => Vec::new(),
        }
    }

    pub(super) fn write(&self, parts: Parts, headers: &mut HeaderMap) -> Result<Bytes, SealError> {
        match self {
            Self::Headers { names: CipherHeaders { iv, tag }, encoding, body } => {
                set(headers, iv, &encoding.encode(&parts.iv))?;
                set(headers, tag, &encoding.encode(&parts.tag))?;
                Ok(body.write(parts.ciphertext))
            }
            Self::Envelope { names, encoding } => Ok(object([
                (&names.iv, encoding.encode(&parts.iv)),
                (&names.tag, encoding.encode(&parts.tag)),
                (&names.ciphertext, encoding.encode(&parts.ciphertext)),
            ])),
        }
    }
}

/// Exactly `N` bytes out of a header that stands once.
pub(super) fn decode_header<const N: usize>(
    headers: &HeaderMap,
    name: &HeaderName,
    encoding: Encoding,
) -> Result<[u8; N], Rejection> {
    encoding.decode_array(sole(headers, name)?).map_err(|_| {
        Rejection::new(RejectionKind::HeaderMalformed, format!("{name} is not {N} bytes of {}", encoding.name()))
    })
}

/// Sets a header, in place of whatever stood there.
pub(super) fn set(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Result<(), SealError> {
    headers.insert(name, HeaderValue::from_str(text).map_err(|_| SealError::Header)?);
    Ok(())
}

fn decode_body(encoding: Encoding, text: &[u8]) -> Result<Vec<u8>, Rejection> {
    encoding.decode(text).map_err(|_| unreadable("the ciphertext", encoding))
}

fn unreadable(what: &str, encoding: Encoding) -> Rejection {
    let detail = format!("{what} in the body is not {}, or of the wrong length", encoding.name());
    Rejection::new(RejectionKind::BodyMalformed, detail)
}

fn object<const N: usize>(members: [(&Cow<'static, str>, String); N]) -> Bytes {
    let members = members.map(|(name, text)| (name.to_string(), text.into()));
    serde_json::Value::Object(members.into_iter().collect()).to_string().into()
}
