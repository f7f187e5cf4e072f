//! What a sender may seal and prove, and no receiver can use.

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderValue, Request};
use serde::de::IgnoredAny;

use super::forge::body::twice;
use crate::provider::{Message, Provider};
use crate::scheme::{SealError, Sealing};

/// Far deeper than a reader may go that calls itself, and shorter than any limit on bodies.
const DEPTH: usize = 50_000;
/// The longest stored block of DEFLATE (RFC 1951, section 3.2.4).
const MAX_STORED: usize = 65_535;
/// Gzip (RFC 1952): DEFLATE, without a name or a time, on no system that is named.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A block of two codes, which are 0 and 0 for 258 zeros more; so each byte of 0 behind it is 1,032 zeros.
const BOMB_HEAD: [u8; 15] = [0xed, 0xc1, 1, 1, 0, 0, 0, 0x82, 0x20, 0xff, 0xaf, 0x6e, 0x48, 0x40, 1];
const BOMB_ZEROS: usize = 260_111;
/// The end of the block, the sum of 268,435,584 zeros, and their number. Checked once by Python's `gzip`.
const BOMB_TAIL: [u8; 10] = [0xef, 6, 0xbc, 0x9f, 0x37, 0x37, 0x80, 0, 0, 0x10];

/// A message that is sealed as it should be, and whose body is none.
///
/// A receiver verifies it, refuses it for good, with 400, 413 or 415, and goes on: it neither panics nor decompresses it, nor does it
/// read deeper than its stack goes. Where a provider's bodies need not be JSON, as with Standard Webhooks, it may hand it over as
/// bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Malformed {
    /// No byte.
    Empty,
    /// A byte that UTF-8 has not, in front of all. Not every scheme can seal it.
    NoUtf8,
    /// A byte order mark in front.
    ByteOrderMark,
    /// A byte of 0 in front.
    Nul,
    /// JSON without its last byte.
    Cut,
    /// A JSON object with each of its members twice.
    NameTwice,
    /// A JSON object with one member more, of 50,000 arrays in each other.
    Deep,
    /// Compressed, and the header says so.
    Gzip,
    /// Compressed, and no header says so.
    GzipUnsaid,
    /// Not compressed, and the header says that it is.
    GzipOnlySaid,
    /// Compressed 256 MiB of zeros in a quarter of a mebibyte, and the header says so.
    GzipBomb,
}

impl Malformed {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Empty,
        Self::NoUtf8,
        Self::ByteOrderMark,
        Self::Nul,
        Self::Cut,
        Self::NameTwice,
        Self::Deep,
        Self::Gzip,
        Self::GzipUnsaid,
        Self::GzipOnlySaid,
        Self::GzipBomb,
    ];

    /// The message, malformed so, to be sealed. `None`: its body is no JSON of which it could be made.
    #[must_use]
    pub fn of(self, message: &Message) -> Option<Message> {
        let mut malformed = message.clone();
        malformed.body = self.body(&message.body)?;
        if matches!(self, Self::Gzip | Self::GzipOnlySaid | Self::GzipBomb) {
            malformed.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(malformed)
    }

    /// The same, sealed. `None`: the scheme cannot carry it, or it may be an event, as where bodies are free.
    pub(crate) fn sealed_by<P: Provider>(
        self,
        provider: &P,
        message: &Message,
        with: &Sealing<'_>,
    ) -> Result<Option<Request<Bytes>>, SealError> {
        let Some(message) = self.of(message) else { return Ok(None) };
        let request = match provider.seal(message.clone(), with) {
            Err(SealError::Unencodable) => return Ok(None),
            request => request?,
        };
        let headers = request.headers();
        let is_refused = headers.contains_key(CONTENT_ENCODING) || provider.decode(headers, message.body).is_err();
        Ok(is_refused.then_some(request))
    }

    fn body(self, sound: &Bytes) -> Option<Bytes> {
        Some(match self {
            Self::Empty => Bytes::new(),
            Self::NoUtf8 => [b"\xff", &sound[..]].concat().into(),
            Self::ByteOrderMark => [b"\xef\xbb\xbf", &sound[..]].concat().into(),
            Self::Nul => [b"\0", &sound[..]].concat().into(),
            Self::Cut => {
                serde_json::from_slice::<IgnoredAny>(sound).ok()?;
                sound.trim_ascii_end().split_last()?.1.to_vec().into()
            }
            Self::NameTwice => twice(sound)?.into(),
            Self::Deep => deep(sound)?.into(),
            Self::Gzip | Self::GzipUnsaid => gzip(sound).into(),
            Self::GzipOnlySaid => sound.clone(),
            Self::GzipBomb => [&GZIP[..], &BOMB_HEAD, &[0; BOMB_ZEROS], &BOMB_TAIL].concat().into(),
        })
    }
}

fn deep(object: &[u8]) -> Option<Vec<u8>> {
    twice(object)?;
    let inside = object.trim_ascii().strip_prefix(b"{")?;
    Some([b"{\"deep\":", "[".repeat(DEPTH).as_bytes(), "]".repeat(DEPTH).as_bytes(), b",", inside].concat())
}

/// As it stands, in stored blocks: what decompresses it finds no fault, and what compresses it is not needed.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut all = GZIP.to_vec();
    let mut blocks = bytes.chunks(MAX_STORED).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        all.push(u8::from(blocks.peek().is_none()));
        all.extend_from_slice(&length.to_le_bytes());
        all.extend_from_slice(&(!length).to_le_bytes());
        all.extend_from_slice(block);
    }
    if bytes.is_empty() {
        all.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    all.extend_from_slice(&crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or_default();
    all.extend_from_slice(&length.to_le_bytes());
    all
}

/// RFC 1952, section 8, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        let bits = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        (0..8).fold(sum ^ u32::from(*byte), bits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_as_others_write_it() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the sum's catalogue");
        let begin = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        // Read back by Python's `gzip`.
        assert_eq!(gzip(b"{}"), [&begin[..], b"\x01\x02\0\xfd\xff{}\x43\xbf\xa6\xa3\x02\0\0\0"].concat());
        let long = gzip(&[b'x'; MAX_STORED + 1]);
        assert_eq!(long[10..15], [0, 0xff, 0xff, 0, 0]);
        assert_eq!(long[15 + MAX_STORED..][..6], [1, 1, 0, 0xfe, 0xff, b'x']);
    }

    #[test]
    fn each_is_what_it_says_and_only_of_what_it_can_be_made() {
        let of = |how: Malformed, body: &'static str| how.of(&Message::new(body)).map(|message| message.body);
        assert_eq!(of(Malformed::Cut, "{\"a\":1}\n").unwrap(), "{\"a\":1");
        assert_eq!(of(Malformed::NameTwice, " {\"a\":1} ").unwrap(), "{\"a\":1,\"a\":1}");
        let deep = of(Malformed::Deep, "{\"a\":1}").unwrap();
        assert!(deep.starts_with(b"{\"deep\":[[[") && deep.ends_with(b"]]],\"a\":1}"));
        serde_json::from_slice::<IgnoredAny>(&deep).unwrap();
        assert!(of(Malformed::GzipBomb, "{}").unwrap().len() < 300_000);
        for how in [Malformed::NameTwice, Malformed::Deep] {
            assert_eq!(of(how, "{}"), None);
            assert_eq!(of(how, "[1]"), None);
        }
        assert_eq!(of(Malformed::Cut, "{"), None);
        let said = |how: Malformed| how.of(&Message::new("{}")).unwrap().headers.contains_key(CONTENT_ENCODING);
        assert!(said(Malformed::Gzip) && said(Malformed::GzipOnlySaid) && said(Malformed::GzipBomb));
        assert!(!said(Malformed::GzipUnsaid) && !said(Malformed::Empty));
    }
}
