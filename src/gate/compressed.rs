//! What becomes of a body that comes compressed.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::body::Body;
use crate::error::{Rejection, RejectionKind};

/// A body may become so many times as long. JSON becomes 5 to 30 times as long; more than 1000 times is what a bomb does.
#[cfg(feature = "gzip")]
const RATIO: usize = 100;

/// What becomes of a body that says `Content-Encoding: gzip`, with the feature `gzip`. Any other coding is refused.
///
/// What comes out is no longer than the limit for bodies and a hundred times what came; beyond that the answer is 413. A body
/// that breaks off or goes on behind its end is answered 400.
///
/// # Security
///
/// Which bytes a sender signs is the sender's choice, and has to be known: a body can be compressed in many ways, and its
/// signature fits one of them. Where there is a choice, take what is signed as it is sent: strangers' bytes are never
/// decompressed then.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Compression {
    /// It is refused (415).
    #[default]
    Refuse,
    /// What is signed or encrypted is what comes over the wire: it is opened, and then decompressed.
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    SignedAsSent,
    /// What is signed is what comes out: it is decompressed, and then opened.
    ///
    /// # Security
    ///
    /// Anybody can have a body decompressed, within its limits.
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    SignedPlain,
}

impl Compression {
    /// What a scheme gets to open, of a body that came with these headers, where the limit for bodies is `most`: the body, or what
    /// it is decompressed to.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMalformed`], [`RejectionKind::BodyTooLarge`].
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    pub fn to_open(self, headers: &HeaderMap, body: Bytes, most: usize) -> Result<Bytes, Rejection> {
        if self.applies(headers) { self.before(body, most) } else { Ok(body) }
    }

    /// What events are read of, of what a scheme has opened: the same, or what it is decompressed to.
    ///
    /// # Errors
    ///
    /// As [`to_open`](Self::to_open).
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    pub fn to_read(self, headers: &HeaderMap, opened: Bytes, most: usize) -> Result<Bytes, Rejection> {
        match self {
            Self::SignedAsSent if self.applies(headers) => gunzip(&opened, self.longest(opened.len(), most)),
            _ => Ok(opened),
        }
    }

    /// Whether a body with these headers is taken. `UTF-8` is no content coding, but one payment platform sends it, and means
    /// none.
    pub(super) fn admit(self, headers: &HeaderMap) -> Result<(), Rejection> {
        if !headers.contains_key(CONTENT_ENCODING) {
            return Ok(());
        }
        let none = |value: &[u8]| value.eq_ignore_ascii_case(b"identity") || value.eq_ignore_ascii_case(b"utf-8");
        let all_none = headers.get_all(CONTENT_ENCODING).iter().all(|value| none(value.as_bytes().trim_ascii()));
        if all_none || self.applies(headers) {
            return Ok(());
        }
        Err(Rejection::new(RejectionKind::ContentEncodingUnsupported, "the body has a content encoding"))
    }

    /// Whether there is something to decompress.
    pub(super) fn applies(self, headers: &HeaderMap) -> bool {
        if self == Self::Refuse {
            return false;
        }
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let is_gzip = |coding: &[u8]| coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip");
        codings.next().is_some_and(|coding| is_gzip(coding.as_bytes().trim_ascii())) && codings.next().is_none()
    }

    /// How many bytes a body of this length may become.
    pub(super) fn longest(self, length: usize, most: usize) -> usize {
        let _ = most;
        match self {
            Self::Refuse => length,
            #[cfg(feature = "gzip")]
            Self::SignedAsSent | Self::SignedPlain => length.saturating_mul(RATIO).min(most),
        }
    }

    /// What a scheme gets to open, of a body that this applies to.
    pub(super) fn before(self, body: Bytes, most: usize) -> Result<Bytes, Rejection> {
        match self {
            #[cfg(feature = "gzip")]
            Self::SignedPlain => gunzip(&body, self.longest(body.len(), most)),
            _ => {
                let _ = most;
                Ok(body)
            }
        }
    }

    /// What the inner service gets, of what was opened.
    pub(super) fn after(self, headers: &mut HeaderMap, body: Body, most: usize) -> Result<Body, Rejection> {
        match self {
            #[cfg(feature = "gzip")]
            Self::SignedAsSent => {
                let plain = gunzip(body.bytes(), self.longest(body.len(), most))?;
                super::body::tell_length(headers, plain.len());
                Ok(body.with(plain))
            }
            _ => {
                let _ = (headers, most);
                Ok(body)
            }
        }
    }
}

/// One member, to its end, and nothing behind it.
#[cfg(feature = "gzip")]
fn gunzip(body: &[u8], most: usize) -> Result<Bytes, Rejection> {
    use std::io::Read as _;

    let malformed = |detail| Rejection::new(RejectionKind::BodyMalformed, detail);
    let mut decoder = flate2::bufread::GzDecoder::new(body);
    let mut plain = Vec::new();
    // One more, to be told from a body that is too long.
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .by_ref()
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|error| malformed("the body is not gzip, or breaks off").caused_by(error))?;
    if plain.len() > most {
        return Err(Rejection::new(
            RejectionKind::BodyTooLarge,
            format!("decompressed it is longer than {most} bytes"),
        ));
    }
    match decoder.into_inner().is_empty() {
        true => Ok(plain.into()),
        false => Err(malformed("the body goes on behind the end of its gzip")),
    }
}

#[cfg(test)]
#[cfg(feature = "gzip")]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn kind<T>(done: Result<T, Rejection>) -> Option<RejectionKind> {
        done.err().map(|rejection| rejection.kind())
    }

    #[test]
    fn one_gzip_is_taken_where_it_may_be_and_nothing_else() {
        for (codings, refused, taken) in [
            (&[][..], true, true),
            (&["identity"], true, true),
            (&["utf-8"], true, true),
            (&["gzip"], false, true),
            (&[" GZip "], false, true),
            (&["x-gzip"], false, true),
            (&["gzip", "gzip"], false, false),
            (&["gzip, gzip"], false, false),
            (&["identity", "gzip"], false, false),
            (&["deflate"], false, false),
            (&["br"], false, false),
            (&["gzipped"], false, false),
        ] {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(Compression::Refuse.admit(&headers).is_ok(), refused, "{codings:?}");
            for policy in [Compression::SignedAsSent, Compression::SignedPlain] {
                assert_eq!(policy.admit(&headers).is_ok(), taken, "{codings:?}");
            }
        }
    }

    #[test]
    fn a_body_is_read_to_its_end_and_no_further() {
        let whole = gzip(b"plain");
        assert_eq!(gunzip(&whole, 5).unwrap(), "plain");
        assert_eq!(kind(gunzip(&whole, 4)), Some(RejectionKind::BodyTooLarge));
        for length in 0..whole.len() {
            assert_eq!(kind(gunzip(&whole[..length], 5)), Some(RejectionKind::BodyMalformed), "{length}");
        }
        for more in [&b"x"[..], &whole] {
            assert_eq!(kind(gunzip(&[&whole, more].concat(), 10)), Some(RejectionKind::BodyMalformed), "{more:?}");
        }
    }

    #[test]
    fn a_bomb_ends_at_a_hundred_times_its_length_and_at_the_limit() {
        let bomb = Bytes::from(gzip(&vec![0; 10 << 20]));
        assert!(bomb.len() * 500 < 10 << 20, "{}", bomb.len());
        let policy = Compression::SignedPlain;
        assert_eq!(kind(policy.before(bomb.clone(), usize::MAX)), Some(RejectionKind::BodyTooLarge));
        assert_eq!(policy.longest(bomb.len(), usize::MAX), bomb.len() * RATIO);
        assert_eq!(policy.longest(bomb.len(), 1000), 1000);
        assert_eq!(kind(gunzip(&bomb, 10 << 20)), None);
    }

    #[test]
    fn what_is_opened_and_read_outside_of_a_gate_is_what_the_gate_takes() {
        let sent = Bytes::from(gzip(b"plain"));
        let said = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        for (policy, opened, read) in [
            (Compression::Refuse, &sent[..], &sent[..]),
            (Compression::SignedAsSent, &sent, b"plain"),
            (Compression::SignedPlain, b"plain", b"plain"),
        ] {
            let to_open = policy.to_open(&said, sent.clone(), 1000).unwrap();
            assert_eq!(
                (&to_open[..], policy.to_read(&said, to_open.clone(), 1000).unwrap()),
                (opened, read.to_vec().into())
            );
            assert_eq!(policy.to_open(&HeaderMap::new(), sent.clone(), 1000).unwrap(), sent, "nothing is said");
            assert_eq!(policy.to_read(&HeaderMap::new(), sent.clone(), 1000).unwrap(), sent, "nothing is said");
        }
        assert_eq!(kind(Compression::SignedPlain.to_open(&said, sent.clone(), 4)), Some(RejectionKind::BodyTooLarge));
        assert_eq!(kind(Compression::SignedAsSent.to_read(&said, sent, 4)), Some(RejectionKind::BodyTooLarge));
    }

    #[test]
    fn only_what_is_due_is_decompressed() {
        let sent = Bytes::from(gzip(b"plain"));
        let mut headers = HeaderMap::new();
        for (policy, before, after) in [
            (Compression::Refuse, &sent[..], &sent[..]),
            (Compression::SignedAsSent, &sent, b"plain"),
            (Compression::SignedPlain, b"plain", &sent),
        ] {
            assert_eq!(policy.before(sent.clone(), 1000).unwrap(), before, "{policy:?}");
            let opened = policy.after(&mut headers, sent.clone().into(), 1000).unwrap();
            assert_eq!(opened.into_bytes(), after, "{policy:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_out(plain in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(gunzip(&gzip(&plain), plain.len()).unwrap(), plain);
        }

        #[test]
        fn no_bytes_are_too_much_for_it(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
            let mut bent = gzip(b"plain text that is bent");
            let at = at.index(bent.len());
            bent.splice(at.., bytes);
            if let Ok(plain) = gunzip(&bent, 1000) {
                prop_assert!(plain.len() <= 1000);
            }
        }
    }
}
