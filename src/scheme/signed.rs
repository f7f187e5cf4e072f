//! What is signed and where the signatures stand: the wire of a scheme, without its cryptography.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::form::set;
use super::layout::{Item, Layout};
use super::proof::{ProofHeader, ProofRole, Proofs};
use super::template::{Parts, Template};
use super::tolerance::{TimePlace, Tolerance};
use super::{SealError, mismatch, sole};
use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

/// The signed content of a delivery, and the header of its signatures: what they cover, where they stand and how they are
/// written. [`Hmac::new`](super::Hmac::new) checks that its parts go together.
///
/// ```
/// use std::time::Duration;
///
/// use http::{HeaderMap, HeaderName};
/// use tower_webhook::clock::{OsEntropy, Timestamp};
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Sealing, Signed, Template, TimeUnit, Tolerance};
/// use tower_webhook::{RejectionKind, secret::Secret};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signed = Signed::new(HeaderName::from_static("stripe-signature"), Encoding::Hex)
///     .params(",", "v1")
///     .template(Template::parse("{param:t}.{body}")?)
///     .timestamp(Tolerance::param("t", TimeUnit::Seconds));
/// let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("whsec_an_example_of_one")?)?;
///
/// let now: Timestamp = "2026-11-21T12:00:00Z".parse()?;
/// let mut headers = HeaderMap::new();
/// let body = scheme.seal("{}".into(), &mut headers, &Sealing::new(now, &OsEntropy))?;
/// assert!(headers["stripe-signature"].to_str()?.starts_with("t=1795262400,v1="));
///
/// assert_eq!(scheme.open(&headers, body.clone(), now)?.plaintext, "{}");
/// let late = scheme.open(&headers, body, now + Duration::from_secs(301)).unwrap_err();
/// assert_eq!(late.kind(), RejectionKind::TimestampOutside);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Signed {
    header: HeaderName,
    encoding: Encoding,
    layout: Layout,
    prefix: Cow<'static, str>,
    template: Template,
    split_strictly: bool,
    url: Option<String>,
    tolerance: Option<Tolerance>,
    untimed: bool,
    bodiless: bool,
}

impl Signed {
    /// The most items in one signature header. More are refused unread.
    pub const MAX_ITEMS: usize = Layout::MAX_ITEMS;

    /// One signature in this header, over the body alone.
    #[must_use]
    pub fn new(header: HeaderName, encoding: Encoding) -> Self {
        Self {
            header,
            encoding,
            layout: Layout::One,
            prefix: Cow::Borrowed(""),
            template: Template::body(),
            split_strictly: false,
            url: None,
            tolerance: None,
            untimed: false,
            bodiless: false,
        }
    }

    /// What stands in front of each encoded signature, such as `sha256=`, in exactly this case. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The header holds up to 16 signatures with this text between them, and any that fits counts. Items with another
    /// prefix, and items that are no signature, are passed over. Default: one signature.
    #[must_use]
    pub fn list(mut self, separator: impl Into<String>) -> Self {
        self.layout = Layout::List(separator.into());
        self
    }

    /// The header holds up to 16 parameters such as `t=…,v1=…` with this text between them. Those of this name are
    /// signatures, and any that fits counts. Default: one signature.
    #[must_use]
    pub fn params(mut self, separator: impl Into<String>, signature: impl Into<String>) -> Self {
        self.layout = Layout::Params { separator: separator.into(), signature: signature.into() };
        self
    }

    /// What is signed. Default: `{body}`.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = template;
        self
    }

    /// Refuses a signed header or parameter that holds the text which follows it in the template, so that no byte can
    /// move from one part to the next. Default: not looked at.
    #[must_use]
    pub fn split_strictly(mut self) -> Self {
        self.split_strictly = true;
        self
    }

    /// The address that the sender was given, byte for byte, for `{url}`. Default: none.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Where the signed time stands and how far it may be from ours. Default: no time is signed.
    #[must_use]
    pub fn timestamp(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Takes deliveries of any age although the template signs a time.
    ///
    /// # Security
    ///
    /// Whoever has seen one delivery can send it again for ever, and only its event's key tells it from a new one.
    #[must_use]
    pub fn dangerous_without_tolerance(mut self) -> Self {
        self.untimed = true;
        self
    }

    /// Takes a template that leaves the body out, for a sender that signs none.
    ///
    /// # Security
    ///
    /// Whoever has seen one delivery can send any other body under its signature: what is believed must come from the
    /// signed headers alone, or be asked of the provider.
    #[must_use]
    pub fn dangerous_unsigned_body(mut self) -> Self {
        self.bodiless = true;
        self
    }

    /// Refuses parts that do not go together, before any delivery comes.
    ///
    /// `length` is that of one signature in bytes, where all are equally long.
    pub(super) fn check(mut self, length: Option<usize>) -> Result<Wire, ConfigError> {
        self.layout.check(&self.prefix)?;
        let params = matches!(self.layout, Layout::Params { .. });
        if self.template.has_params() && !params {
            return Err(ConfigError::new(ConfigErrorKind::Template(
                "{param:…} is signed but the header is not read as parameters".into(),
            )));
        }
        if self.template.covers_header(&self.header)
            || matches!(&self.layout, Layout::Params { signature, .. } if self.template.covers_param(signature))
        {
            return Err(ConfigError::new(ConfigErrorKind::Template("a signature cannot cover itself".into())));
        }
        if !self.template.covers_body() && !self.bodiless {
            return Err(ConfigError::new(ConfigErrorKind::BodyUnsigned));
        }
        match (&self.tolerance, self.template.timed()) {
            (Some(tolerance), _) => tolerance.check(&self.template)?,
            (None, Some(name)) if !self.untimed => {
                return Err(ConfigError::new(ConfigErrorKind::TimestampUnchecked(name)));
            }
            (None, _) => {}
        }
        self.template = self.template.with_url(self.url.as_deref())?;
        let proofs = self.proofs(length);
        Ok(Wire { signed: self, proofs })
    }

    fn proofs(&self, length: Option<usize>) -> Proofs {
        let mut signature = ProofHeader::new(self.header.clone(), ProofRole::Signature)
            .encoding(self.encoding)
            .prefix(self.prefix.clone())
            .layout(self.layout.clone());
        signature.length = length;
        let time = self.tolerance.as_ref().map(Tolerance::place);
        let signed = self.template.headers().map(|name| {
            let is_time = matches!(time, Some(TimePlace::Header(header)) if header == name);
            ProofHeader::new(name.clone(), if is_time { ProofRole::Time } else { ProofRole::Signed })
        });
        Proofs::new(std::iter::once(signature).chain(signed))
    }

    /// A signature's text behind the prefix. Without a prefix nothing is compared: a comparison of no bytes at the address of an
    /// empty text, which is none, costs some CPUs as much as a block of the hash.
    fn unprefixed<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        if self.prefix.is_empty() { Some(text) } else { text.strip_prefix(self.prefix.as_bytes()) }
    }

    /// The text of a header that may hold more than one signature.
    fn items<'a>(&self, text: &'a [u8]) -> Result<&'a str, Rejection> {
        let text = std::str::from_utf8(text).map_err(|_| self.malformed("UTF-8"))?;
        if self.layout.items(text).count() > Layout::MAX_ITEMS {
            return Err(self.malformed("short enough"));
        }
        Ok(text)
    }

    fn malformed(&self, what: &str) -> Rejection {
        Rejection::new(RejectionKind::HeaderMalformed, format!("{} is not {what}", self.header))
    }
}

/// A [`Signed`] whose parts go together.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    signed: Signed,
    proofs: Proofs,
}

/// What a delivery claims: these bytes, signed by one of these, at this time.
pub(super) struct Claim<'a> {
    pub(super) parts: Parts<'a>,
    wire: &'a Signed,
    /// The header with the one signature or several, and as text where it may have items.
    text: &'a [u8],
    items: &'a str,
    sent: Option<u64>,
}

impl Wire {
    pub(super) fn encoding(&self) -> Encoding {
        self.signed.encoding
    }

    pub(super) fn template(&self) -> &Template {
        &self.signed.template
    }

    pub(super) fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    pub(super) fn tolerance(&self) -> Option<&Tolerance> {
        self.signed.tolerance.as_ref()
    }

    /// Reads without believing.
    pub(super) fn read<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Result<Claim<'a>, Rejection> {
        let wire = &self.signed;
        let text = sole(headers, &wire.header)?;
        // One signature has its own encoding, which is no other text.
        let items = if wire.layout == Layout::One { "" } else { wire.items(text)? };
        let param = |name: &str| wire.layout.param(items, name).map_err(|why| wire.malformed(why)).map(str::as_bytes);
        let sent = match wire.tolerance.as_ref().map(Tolerance::place) {
            Some(TimePlace::Header(name)) => Some(Tolerance::read(super::header::exact(headers, name)?)?),
            Some(TimePlace::Param(name)) => Some(Tolerance::read(param(name)?)?),
            None => None,
        };
        let parts = wire.template.bytes(headers, body, param, wire.split_strictly)?;
        Ok(Claim { parts, wire, text, items, sent })
    }

    /// Writes the headers, with the signature that `sign` makes of the parts.
    pub(super) fn seal(
        &self,
        headers: &mut HeaderMap,
        body: &[u8],
        now: Timestamp,
        sign: impl FnOnce(&[&[u8]]) -> Vec<u8>,
    ) -> Result<(), SealError> {
        let wire = &self.signed;
        let time = wire.tolerance.as_ref().map(|tolerance| tolerance.write(now).ok_or(SealError::Unencodable));
        let time = time.transpose()?.unwrap_or_default();
        let place = wire.tolerance.as_ref().map(Tolerance::place);
        if let Some(TimePlace::Header(name)) = place {
            set(headers, name, &time)?;
        }
        let in_param = match place {
            Some(TimePlace::Param(name)) => Some((name.as_str(), time.as_str())),
            _ => None,
        };
        let param = |name: &str| match in_param {
            Some((known, time)) if known == name => Ok(time.as_bytes()),
            _ => Err(Rejection::new(RejectionKind::SignatureMissing, "a parameter without a value")),
        };
        let parts = wire.template.bytes(headers, body, param, wire.split_strictly);
        let parts = parts.map_err(|_| SealError::SignedHeader)?;
        let signature = format!("{}{}", wire.prefix, wire.encoding.encode(&sign(&parts)));
        set(headers, &wire.header, &wire.layout.write(&signature, in_param))
    }
}

impl<'a> Claim<'a> {
    /// The text of each of several signatures, without its prefix.
    fn signatures(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let wire = self.wire;
        wire.layout.items(self.items).filter_map(|item| match (&wire.layout, item) {
            (Layout::Params { signature, .. }, Item { name: Some(name), value }) if name == signature => {
                wire.unprefixed(value.as_bytes())
            }
            (Layout::List(_), Item { name: None, value }) => wire.unprefixed(value.as_bytes()),
            _ => None,
        })
    }

    /// The signatures as `decode` reads them; what it cannot read fits nothing. But where there is one signature by
    /// configuration, it must have its prefix and encoding.
    pub(super) fn decoded<T: Clone>(
        &self,
        decode: impl Fn(&[u8]) -> Option<T> + Clone,
    ) -> Result<impl Iterator<Item = T> + Clone, Rejection> {
        let is_one = matches!(self.wire.layout, Layout::One);
        let one = if is_one { self.only(&decode)? } else { None };
        let several = (!is_one).then(|| self.signatures().filter_map(decode));
        Ok(one.into_iter().chain(several.into_iter().flatten()))
    }

    /// Whether there is anything to compare with, for who has not read the body yet.
    pub(super) fn check<T: Clone>(&self, decode: impl Fn(&[u8]) -> Option<T> + Clone) -> Result<(), Rejection> {
        self.decoded(decode)?.next().map(drop).ok_or_else(mismatch)
    }

    fn only<T>(&self, decode: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, Rejection> {
        let text = self.wire.unprefixed(self.text);
        let decoded = text.and_then(decode);
        // Another length is a signature that does not fit; no encoding at all is none.
        let encoded = |text: &[u8]| self.wire.encoding.decode(text).is_ok();
        if decoded.is_none() && !text.is_some_and(encoded) {
            let encoding = self.wire.encoding.name();
            return Err(match &*self.wire.prefix {
                "" => self.wire.malformed(encoding),
                prefix => self.wire.malformed(&format!("{prefix:?} and {encoding}")),
            });
        }
        Ok(decoded)
    }

    /// To be asked after the signature has fitted.
    pub(super) fn admit(&self, now: Timestamp) -> Result<(), Rejection> {
        match (&self.wire.tolerance, self.sent) {
            (Some(tolerance), Some(sent)) => tolerance.admit(sent, now),
            _ => Ok(()),
        }
    }
}
